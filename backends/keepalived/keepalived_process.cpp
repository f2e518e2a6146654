#include "backends/keepalived/keepalived_process.hpp"

#include "backends/keepalived/running_keepalived.hpp"
#include "backends/os/read_file.hpp"
#include "backends/os/run_program.hpp"
#include "backends/os/write_file.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t most_output = std::size_t{1} << 20U;
constexpr std::size_t largest_file = std::size_t{1} << 28U; // of 50,000 services
constexpr std::chrono::seconds test_patience{60};

std::unexpected<SystemError> failed(std::string_view what, int code) {
    auto const kind = code == EACCES || code == EPERM ? SystemError::Kind::permission : SystemError::Kind::failed;
    return std::unexpected(SystemError{kind, code, fmt::format("cannot {}: {}", what, errno_text(code))});
}

/// keepalived 2.2.7 ends its own test with SIGTERM at a script's `user` that is not the caller: it believes that its
/// parent has ended (find_parent in lib/scheduler.c). A second test leaves such lines out.
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
        return std::unexpected(
            SystemError{text.error() == EACCES ? SystemError::Kind::permission : SystemError::Kind::failed,
                        text.error(), fmt::format("cannot read {}: {}", path_, read_error(text.error()))});
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
        return std::unexpected(SystemError{SystemError::Kind::failed, 0,
                                           fmt::format("keepalived refuses its new configuration:\n{}", said)});
    }

    std::expected<bool, SystemError> is_running() override {
        auto const running = running_keepaliveds();
        if (!running)
            return std::unexpected(running.error());
        if (running->empty())
            return false;
        if (std::ranges::any_of(*running, [this](auto const& process) { return process.reads(path_); }))
            return true;
        auto const& first = running->front();
        return std::unexpected(SystemError{
            SystemError::Kind::failed, 0,
            fmt::format("the keepalived that runs here, process {}, has the file {}, not {}; name that with "
                        "--keepalived-config",
                        first.pid, printable(first.file), path_)});
    }

    std::expected<void, SystemError> reload() override {
        auto const running = running_keepaliveds();
        if (!running)
            return std::unexpected(running.error());
        bool told = false;
        for (auto const& process : *running) {
            if (!process.reads(path_))
                continue;
            auto const sent = process.send(SIGHUP);
            if (!sent)
                return std::unexpected(sent.error());
            told = told || *sent;
        }
        if (!told)
            return failed("tell keepalived to read its file again", ESRCH);
        return {};
    }

private:
    static std::expected<Ended, SystemError> test_once(std::string const& text) {
        return run_program({.words = {"keepalived", "-t", "-f", file_argument},
                            .limit = most_output,
                            .file = text,
                            .patience = test_patience});
    }

    std::string path_;
};

} // namespace

std::unique_ptr<KeepalivedDaemon> open_keepalived_process(std::string path) {
    return std::make_unique<KeepalivedProcess>(std::move(path));
}

} // namespace lbc
