#include "backends/os/run_program.hpp"

#include "backends/os/descriptor.hpp"
#include "backends/os/find_program.hpp"
#include "backends/os/system_error.hpp"
#include "backends/os/write_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern char** environ; // NOLINT(readability-redundant-declaration): posix_spawn(3) wants it, not every header has it

namespace lbc {
namespace {

constexpr std::size_t most_kept = 65536; // kept of standard error
constexpr std::chrono::seconds dying{5}; // time for a killed program to end

struct Pipe {
    Descriptor from;
    Descriptor to;
};

std::unexpected<SystemError> failed(std::string_view what, int code) {
    return std::unexpected(
        SystemError{SystemError::Kind::failed, code, fmt::format("cannot {}: {}", what, errno_text(code))});
}

std::expected<Pipe, SystemError> make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return failed("make a pipe", errno);
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

/// The words as a C array, valid as long as `words`.
std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (auto& word : words)
        list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environment_of(Invocation const& program) {
    auto const& variables = program.variables;
    std::vector<std::string> all;
    for (auto** entry = program.with_environment ? environ : nullptr; entry != nullptr && *entry != nullptr; ++entry) {
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

/// Reads what is available; false at the end.
bool take(int pipe, std::string& text) {
    std::array<char, 65536> part{};
    auto const count = ::read(pipe, part.data(), part.size());
    if (count > 0)
        text.append(part.data(), static_cast<std::size_t>(count));
    return count > 0 || (count < 0 && errno == EINTR);
}

using Clock = std::chrono::steady_clock;

/// The end of the patience; none: never.
using End = std::optional<Clock::time_point>;

/// For poll(2).
int milliseconds_until(End end) {
    if (!end)
        return -1;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
}

/// Reads both pipes until they end, the output exceeds `limit`, or time is over.
void read_all(std::size_t limit, End end, Pipe const& out, Pipe const& err, Ended& ended) {
    std::array<pollfd, 2> waiting{pollfd{out.from.get(), POLLIN, 0}, pollfd{err.from.get(), POLLIN, 0}};
    while (!ended.too_long && !ended.too_slow && (waiting[0].fd >= 0 || waiting[1].fd >= 0)) {
        auto const ready = ::poll(waiting.data(), waiting.size(), milliseconds_until(end));
        if (ready < 0)
            continue;
        if (ready > 0 && waiting[0].revents != 0 && !take(waiting[0].fd, ended.out))
            waiting[0].fd = -1;
        if (ready > 0 && waiting[1].revents != 0 && !take(waiting[1].fd, ended.err))
            waiting[1].fd = -1;
        ended.err.resize(std::min(ended.err.size(), most_kept));
        ended.too_long = ended.out.size() > limit;
        ended.too_slow = ready == 0;
    }
}

/// Whether a child ends in time; true if the kernel has no descriptors for processes.
bool ends_until(pid_t pid, End end) {
#ifdef SYS_pidfd_open
    Descriptor const process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    pollfd waiting{.fd = process.get(), .events = POLLIN, .revents = 0};
    int ready = 1;
    while (process && (ready = ::poll(&waiting, 1, milliseconds_until(end))) < 0 && errno == EINTR) {
    }
    return ready > 0;
#else
    return true;
#endif
}

Ended wait_for(pid_t pid, Invocation const& program, Pipe& out, Pipe& err) {
    out.to = Descriptor();
    err.to = Descriptor();
    End const end = program.patience ? End(Clock::now() + *program.patience) : std::nullopt;
    Ended ended;
    read_all(program.limit, end, out, err, ended);
    ended.too_slow = ended.too_slow || (!ended.too_long && !ends_until(pid, end));
    if (ended.too_long || ended.too_slow) {
        // Waits neither for its children, which may hold the pipes open, nor for a process that the kernel keeps.
        ::kill(pid, SIGKILL);
        if (!ends_until(pid, Clock::now() + dying))
            return ended;
    }
    while (::waitpid(pid, &ended.status, 0) < 0 && errno == EINTR) {
    }
    return ended;
}

/// Makes a file in memory. It is not executable, because keepalived skips executable ones.
std::expected<Descriptor, SystemError> make_file(std::string_view text) {
    Descriptor file(::memfd_create("input", MFD_CLOEXEC));
    if (!file || ::fchmod(file.get(), 0600) != 0)
        return failed("make a file in memory", errno);
    if (!write_all(file.get(), text))
        return failed("write a file in memory", errno);
    return file;
}

/// The actions and attributes for posix_spawn(3).
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
    auto const& name = program.words.front();
    auto const path = name.starts_with('/') ? std::optional(name) : find_program(name);
    if (!path)
        return std::unexpected(SystemError{SystemError::Kind::unsupported, ENOENT, no_program(name)});
    auto out = make_pipe();
    auto err = make_pipe();
    if (!out || !err)
        return std::unexpected(out ? err.error() : out.error());
    std::expected<Descriptor, SystemError> const file = program.file ? make_file(*program.file) : Descriptor();
    if (!file)
        return std::unexpected(file.error());
    auto arguments = program.words;
    auto environment = environment_of(program);
    auto const words = pointers(arguments);
    auto const variables = pointers(environment);
    pid_t pid = 0;
    {
        Preparation const with(*file, *out, *err);
        int const code =
            ::posix_spawn(&pid, path->c_str(), &with.actions, &with.attributes, words.data(), variables.data());
        if (code != 0)
            return failed("run " + name, code);
    }
    return wait_for(pid, program, *out, *err);
}

} // namespace lbc
