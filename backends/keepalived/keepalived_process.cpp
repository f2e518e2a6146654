#include "backends/keepalived/keepalived_process.hpp"

#include "backends/read_file.hpp"
#include "backends/run_program.hpp"
#include "backends/write_file.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace lbc {
namespace {

using Kind = SystemError::Kind;

constexpr char const* program = "keepalived";
constexpr char const* default_path = "/etc/keepalived/keepalived.conf";
constexpr std::size_t longest_words = std::size_t{1} << 20U;
constexpr std::size_t largest_file = std::size_t{1} << 28U; // of 50,000 services
constexpr std::chrono::seconds test_patience{60};

std::string system_words(int code) { return std::generic_category().message(code); }

std::unexpected<SystemError> failed(std::string_view what, int code) {
    auto const kind = code == EACCES || code == EPERM ? Kind::permission : Kind::failed;
    return std::unexpected(SystemError{kind, code, fmt::format("cannot {}: {}", what, system_words(code))});
}

/// The first bytes of a small file of /proc; empty where it cannot be read.
std::string small_file(std::filesystem::path const& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(4096, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
};

pid_t parent_of(std::filesystem::path const& folder) {
    // "PID (NAME) STATE PARENT …", where NAME may hold anything.
    auto const stat = small_file(folder / "stat");
    std::istringstream words(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
    std::string state;
    pid_t parent = 0;
    words >> state >> parent;
    return parent;
}

bool is_in_this_namespace(std::filesystem::path const& folder) {
    struct stat own{};
    struct stat other{};
    return ::stat("/proc/self/ns/net", &own) == 0 && ::stat((folder / "ns/net").c_str(), &other) == 0 &&
           own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

/// The keepalived processes of this network namespace that are no other's child.
std::vector<pid_t> running_keepaliveds() {
    std::vector<Process> found;
    std::error_code error;
    for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
         entry.increment(error)) {
        auto const name = entry->path().filename().string();
        if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
            continue;
        if (small_file(entry->path() / "comm") == "keepalived\n" && is_in_this_namespace(entry->path()))
            found.push_back({static_cast<pid_t>(std::stol(name)), parent_of(entry->path())});
    }
    std::vector<pid_t> parents;
    for (auto const& process : found)
        if (std::ranges::find(found, process.parent, &Process::pid) == found.end())
            parents.push_back(process.pid);
    return parents;
}

/// What follows `f` among bundled short options, as in `-nlf`; nothing where there is none. The other letters are those
/// that take a value themselves (keepalived(8)).
std::optional<std::string_view> bundled_file(std::string_view word) {
    constexpr std::string_view with_value = "SuprcbAsMigt";
    for (std::size_t at = 1; at < word.size(); ++at) {
        if (word[at] == 'f')
            return word.substr(at + 1);
        if (with_value.contains(word[at]))
            return std::nullopt;
    }
    return std::nullopt;
}

/// The file that a keepalived was started with.
std::string file_of(pid_t pid) {
    auto const words = small_file(fmt::format("/proc/{}/cmdline", pid));
    std::string path = default_path;
    bool next = false;
    for (std::size_t at = 0; at < words.size(); at = words.find('\0', at) + 1) {
        std::string_view const word = words.c_str() + at;
        auto const name = word.substr(0, word.find('='));
        if (next)
            path = word;
        next = false;
        if (at > 0 && name.starts_with("--us") && std::string_view("--use-file").starts_with(name)) {
            next = name.size() == word.size();
            if (!next)
                path = word.substr(name.size() + 1);
        } else if (at > 0 && word.starts_with('-') && !word.starts_with("--")) {
            auto const file = bundled_file(word);
            next = file && file->empty();
            if (file && !file->empty())
                path = *file;
        }
        if (words.find('\0', at) == std::string::npos)
            break;
    }
    return path.starts_with('/') ? path : fmt::format("/proc/{}/cwd/{}", pid, path);
}

bool is_same_file(std::string const& a, std::string const& b) {
    std::error_code error;
    auto const one = std::filesystem::weakly_canonical(a, error);
    auto const other = std::filesystem::weakly_canonical(b, error);
    return a == b || (!error && one == other);
}

/// keepalived 2.2.7 ends its own test by SIGTERM at a script's `user` that is not the caller (it takes its parent for
/// gone, find_parent in lib/scheduler.c), so such lines are left out of a second test.
std::string without_users(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        auto const size = std::min(text.find('\n'), text.size() - 1) + 1;
        auto const line = text.substr(0, size);
        auto const first = line.find_first_not_of(' ');
        if (first == std::string_view::npos || !line.substr(first).starts_with("user "))
            out += line;
        text.remove_prefix(size);
    }
    return out;
}

class KeepalivedProcess final : public KeepalivedDaemon {
public:
    explicit KeepalivedProcess(std::string path) : path_(std::move(path)) {}

    std::expected<std::optional<std::string>, SystemError> read() override {
        auto text = read_file(path_, largest_file);
        if (text)
            return std::move(*text);
        if (text.error() == ENOENT)
            return std::nullopt;
        return std::unexpected(SystemError{text.error() == EACCES ? Kind::permission : Kind::failed, text.error(),
                                           fmt::format("cannot read {}: {}", path_, read_error(text.error()))});
    }

    bool is_readable_by_others() override {
        struct stat there{};
        return ::stat(path_.c_str(), &there) == 0 && (there.st_mode & (S_IRGRP | S_IROTH)) != 0;
    }

    std::expected<void, SystemError> write(std::optional<std::string> const& text) override {
        if (!text) {
            if (::unlink(path_.c_str()) != 0 && errno != ENOENT)
                return failed(fmt::format("remove {}", path_), errno);
            return {};
        }
        return write_file(path_, *text, Readers::owner); // it may hold VRRP's secret
    }

    std::expected<void, SystemError> test(std::string const& text) override {
        auto ended = test_once(text);
        if (ended && WIFSIGNALED(ended->status) && WTERMSIG(ended->status) == SIGTERM)
            ended = test_once(without_users(text));
        if (!ended)
            return std::unexpected(std::move(ended.error()));
        if (ended->good())
            return {};
        auto said = ended->err + ended->out;
        if (ended->too_slow)
            said += "it did not end";
        for (std::string_view const name = "/proc/self/fd/3"; said.find(name) != std::string::npos;)
            said.replace(said.find(name), name.size(), path_);
        while (said.ends_with('\n'))
            said.pop_back();
        return std::unexpected(
            SystemError{Kind::failed, 0, fmt::format("keepalived refuses its new configuration:\n{}", said)});
    }

    std::expected<bool, SystemError> is_running() override {
        auto const pids = running_keepaliveds();
        if (pids.empty())
            return false;
        if (find_ours(pids) != 0)
            return true;
        return std::unexpected(SystemError{
            Kind::failed, 0,
            fmt::format("the keepalived that runs here, process {}, has the file {}, not {}; name that with "
                        "--keepalived-config",
                        pids.front(), file_of(pids.front()), path_)});
    }

    std::expected<void, SystemError> reload() override {
        auto const pid = find_ours(running_keepaliveds());
        if (pid == 0 || ::kill(pid, SIGHUP) != 0)
            return failed("tell keepalived to read its file again", pid == 0 ? ESRCH : errno);
        return {};
    }

private:
    static std::expected<Ended, SystemError> test_once(std::string const& text) {
        return run_program({.words = {program, "-t", "-f", file_argument},
                            .limit = longest_words,
                            .file = text,
                            .patience = test_patience});
    }

    [[nodiscard]] pid_t find_ours(std::vector<pid_t> const& pids) const {
        auto const found = std::ranges::find_if(pids, [&](pid_t pid) { return is_same_file(file_of(pid), path_); });
        return found == pids.end() ? 0 : *found;
    }

    std::string path_;
};

} // namespace

std::unique_ptr<KeepalivedDaemon> open_keepalived_process(std::string path) {
    return std::make_unique<KeepalivedProcess>(std::move(path));
}

} // namespace lbc
