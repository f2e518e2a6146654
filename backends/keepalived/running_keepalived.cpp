#include "backends/keepalived/running_keepalived.hpp"

#include "backends/os/system_error.hpp"
#include "backends/os/trusted_owner.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace lbc {
namespace {

constexpr std::string_view program = "keepalived";
constexpr char const* default_path = "/etc/keepalived/keepalived.conf";
constexpr std::size_t longest_command_line = 65536; // of a command line

/// The first bytes of a file of /proc/PID; empty if it cannot be read.
std::string small_file(Descriptor const& folder, char const* name) {
    Descriptor const file(::openat(folder.get(), name, O_RDONLY | O_CLOEXEC));
    std::string text(longest_command_line, '\0');
    auto const count = file ? ::read(file.get(), text.data(), text.size()) : ssize_t{-1};
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

/// The words behind `NAME:` in /proc/PID/status.
std::istringstream words_of(std::string const& status, std::string_view name) {
    auto const line = status.find(fmt::format("\n{}:\t", name));
    return std::istringstream(line == std::string::npos ? "" : status.substr(line + name.size() + 3));
}

/// Checks the real, effective and saved user: a set-uid program has its caller as the real one.
bool runs_as_trusted(std::string const& status) {
    auto words = words_of(status, "Uid");
    std::array<uid_t, 3> users{};
    for (auto& user : users)
        words >> user;
    return words && (users.front() == 0 || users.front() == ::geteuid()) &&
           std::ranges::all_of(users, [&](uid_t user) { return user == users.front(); });
}

/// Nothing if this process has no right to look; `errno` is set then.
std::optional<bool> is_in_this_namespace(Descriptor const& folder) {
    struct stat own{};
    struct stat other{};
    if (::stat("/proc/self/ns/net", &own) != 0 || ::fstatat(folder.get(), "ns/net", &other, 0) != 0)
        return errno == EACCES || errno == EPERM ? std::nullopt : std::optional(false);
    return own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

/// Checks the file that runs, even if a package's upgrade has replaced it.
bool runs_keepalived(Descriptor const& folder) {
    std::array<char, PATH_MAX> buffer{};
    auto const size = ::readlinkat(folder.get(), "exe", buffer.data(), buffer.size());
    std::string_view path(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    constexpr std::string_view replaced = " (deleted)";
    if (path.ends_with(replaced))
        path.remove_suffix(replaced.size());
    struct stat file{};
    return path.substr(path.rfind('/') + 1) == program && ::fstatat(folder.get(), "exe", &file, 0) == 0 &&
           is_trusted_owner(file.st_uid);
}

/// Nothing if the process is no keepalived of this box.
std::expected<std::optional<RunningKeepalived>, SystemError> look_at(pid_t pid) {
    RunningKeepalived found{.pid = pid, .parent = 0, .folder = {}, .file = {}};
    found.folder = Descriptor(::open(fmt::format("/proc/{}", pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!found.folder || small_file(found.folder, "comm") != fmt::format("{}\n", program))
        return std::nullopt;
    auto const status = small_file(found.folder, "status");
    if (!runs_as_trusted(status))
        return std::nullopt;
    auto const is_here = is_in_this_namespace(found.folder);
    if (!is_here)
        return std::unexpected(
            SystemError{SystemError::Kind::permission, EACCES,
                        fmt::format("cannot look at process {}, which may be this box's keepalived: {}; lbc needs "
                                    "CAP_SYS_PTRACE for that",
                                    pid, errno_text(EACCES))});
    if (!*is_here || !runs_keepalived(found.folder))
        return std::nullopt;
    words_of(status, "PPid") >> found.parent;
    found.file = file_in_words(small_file(found.folder, "cmdline"));
    return found;
}

/// The text behind `f` among bundled short options, as in `-nlf`; nothing if there is no `f`. The letters of
/// `with_value` take a value themselves (keepalived(8)).
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

bool is_same(int one_at, std::string const& one, std::string const& other) {
    struct stat a{};
    struct stat b{};
    return ::fstatat(one_at, one.c_str(), &a, 0) == 0 && ::stat(other.c_str(), &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

} // namespace

std::string file_in_words(std::string const& words) {
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
    return path;
}

bool RunningKeepalived::reads(std::string const& path) const {
    // A relative path begins at the process's working folder, any other at its root, which differs in a container.
    std::filesystem::path const its = file.starts_with('/') ? "root" + file : "cwd/" + file;
    std::filesystem::path const ours = path;
    auto const our_folder = ours.has_parent_path() ? ours.parent_path().string() : ".";
    return is_same(folder.get(), its.string(), path) ||
           (its.filename() == ours.filename() && is_same(folder.get(), its.parent_path().string(), our_folder));
}

std::expected<bool, SystemError> RunningKeepalived::send(int signal) const {
    long sent = -1;
    errno = ENOSYS;
#ifdef SYS_pidfd_send_signal
    sent = ::syscall(SYS_pidfd_send_signal, folder.get(), signal, nullptr, 0);
#endif
    // Linux before 5.1: signal its number, if it is still the same process.
    if (sent != 0 && errno == ENOSYS && !small_file(folder, "comm").empty())
        sent = ::kill(pid, signal);
    if (sent == 0)
        return true;
    if (errno == ESRCH || errno == ENOSYS)
        return false;
    int const code = errno;
    return std::unexpected(SystemError{
        code == EPERM ? SystemError::Kind::permission : SystemError::Kind::failed, code,
        fmt::format("cannot tell keepalived, process {}, to read its file again: {}", pid, errno_text(code))});
}

std::expected<std::vector<RunningKeepalived>, SystemError> running_keepaliveds() {
    std::vector<RunningKeepalived> found;
    std::error_code error;
    for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
         entry.increment(error)) {
        auto const name = entry->path().filename().string();
        if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
            continue;
        auto one = look_at(static_cast<pid_t>(std::stol(name)));
        if (!one)
            return std::unexpected(std::move(one.error()));
        if (*one)
            found.push_back(std::move(**one));
    }
    std::vector<pid_t> all;
    std::ranges::transform(found, std::back_inserter(all), &RunningKeepalived::pid);
    std::erase_if(found, [&](auto const& process) { return std::ranges::find(all, process.parent) != all.end(); });
    return found;
}

} // namespace lbc
