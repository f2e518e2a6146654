#include "backends/run_program.hpp"

#include "backends/descriptor.hpp"
#include "backends/write_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <system_error>

extern char** environ; // NOLINT(readability-redundant-declaration): posix_spawn(3) wants it, not every header has it

namespace lbc {
namespace {

using Patience = std::optional<std::chrono::milliseconds>;

constexpr std::size_t longest_words = 65536; // of what is kept of standard error

struct Pipe {
    Descriptor from;
    Descriptor to;
};

std::unexpected<SystemError> failed(std::string_view what, int code) {
    return std::unexpected(SystemError{SystemError::Kind::failed, code,
                                       fmt::format("cannot {}: {}", what, std::generic_category().message(code))});
}

std::expected<Pipe, SystemError> make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return failed("make a pipe", errno);
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

/// As an array of C; it lasts as long as `words`.
std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (auto& word : words)
        list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environment_with(std::vector<std::pair<std::string, std::string>> const& variables) {
    std::vector<std::string> all;
    for (auto** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        std::string_view const text = *entry;
        auto const name = text.substr(0, text.find('='));
        if (std::ranges::find(variables, name, [](auto const& variable) { return std::string_view(variable.first); }) ==
            variables.end())
            all.emplace_back(text);
    }
    for (auto const& [name, value] : variables)
        all.push_back(fmt::format("{}={}", name, value));
    return all;
}

/// Takes what is there; false at the end.
bool take(int pipe, std::string& text) {
    std::array<char, 65536> part{};
    auto const count = ::read(pipe, part.data(), part.size());
    if (count > 0)
        text.append(part.data(), static_cast<std::size_t>(count));
    return count > 0 || (count < 0 && errno == EINTR);
}

/// Reads both until they end, or the program is killed.
void read_all(pid_t pid, std::size_t limit, Patience patience, Pipe const& out, Pipe const& err, Ended& ended) {
    using Clock = std::chrono::steady_clock;
    auto const end = Clock::now() + patience.value_or(std::chrono::milliseconds(0));
    std::array<pollfd, 2> waiting{pollfd{out.from.get(), POLLIN, 0}, pollfd{err.from.get(), POLLIN, 0}};
    while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
        int left = -1;
        if (patience)
            left = static_cast<int>(std::max<std::int64_t>(
                std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count(), 0));
        auto const ready = ::poll(waiting.data(), waiting.size(), left);
        if (ready < 0)
            continue;
        if (ready > 0 && waiting[0].revents != 0 && !take(waiting[0].fd, ended.out))
            waiting[0].fd = -1;
        if (ready > 0 && waiting[1].revents != 0 && !take(waiting[1].fd, ended.err))
            waiting[1].fd = -1;
        ended.err.resize(std::min(ended.err.size(), longest_words));
        ended.too_long = ended.out.size() > limit;
        ended.too_slow = ready == 0;
        if (ended.too_long || ended.too_slow) {
            // Its children may hold the pipes open: they are not waited for.
            ::kill(pid, SIGKILL);
            return;
        }
    }
}

Ended wait_for(pid_t pid, std::size_t limit, Patience patience, Pipe& out, Pipe& err) {
    out.to = Descriptor();
    err.to = Descriptor();
    Ended ended;
    read_all(pid, limit, patience, out, err, ended);
    while (::waitpid(pid, &ended.status, 0) < 0 && errno == EINTR) {
    }
    return ended;
}

/// A file in memory. Programs leave out one that can be executed (keepalived).
std::expected<Descriptor, SystemError> make_file(std::string_view text) {
    Descriptor file(::memfd_create("input", MFD_CLOEXEC));
    if (!file || ::fchmod(file.get(), 0600) != 0)
        return failed("make a file in memory", errno);
    if (!write_all(file.get(), text))
        return failed("write a file in memory", errno);
    return file;
}

/// What posix_spawn(3) gets along with a program.
class Preparation {
public:
    Preparation(Descriptor const& file, Pipe const& out, Pipe const& err) {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions, out.to.get(), STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions, err.to.get(), STDERR_FILENO);
        constexpr int number = 3; // of file_argument
        if (file)
            ::posix_spawn_file_actions_adddup2(&actions, file.get(), number);
        sigset_t none;
        ::sigemptyset(&none);
        ::posix_spawnattr_init(&attributes);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    }
    Preparation(Preparation const&) = delete;
    Preparation& operator=(Preparation const&) = delete;
    ~Preparation() {
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&actions);
    }

    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
};

} // namespace

bool Ended::good() const { return !too_long && !too_slow && WIFEXITED(status) && WEXITSTATUS(status) == 0; }

std::expected<Ended, SystemError> run_program(Invocation const& program) {
    auto out = make_pipe();
    auto err = make_pipe();
    if (!out || !err)
        return std::unexpected(out ? err.error() : out.error());
    std::expected<Descriptor, SystemError> const file = program.file ? make_file(*program.file) : Descriptor();
    if (!file)
        return std::unexpected(file.error());
    auto arguments = program.words;
    auto environment = environment_with(program.variables);
    auto const words = pointers(arguments);
    auto const variables = pointers(environment);
    pid_t pid = 0;
    {
        Preparation const with(*file, *out, *err);
        auto const& name = program.words.front();
        int code = ::posix_spawnp(&pid, name.c_str(), &with.actions, &with.attributes, words.data(), variables.data());
        if (code == ENOENT)
            code = ::posix_spawn(&pid, ("/usr/sbin/" + name).c_str(), &with.actions, &with.attributes, words.data(),
                                 variables.data());
        if (code == ENOENT)
            return std::unexpected(SystemError{SystemError::Kind::unsupported, code,
                                               fmt::format("{} is not installed on this box", name)});
        if (code != 0)
            return failed("run " + name, code);
    }
    return wait_for(pid, program.limit, program.patience, *out, *err);
}

} // namespace lbc
