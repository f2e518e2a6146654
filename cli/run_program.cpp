#include "cli/run_program.hpp"

#include "backends/descriptor.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

extern char** environ; // NOLINT(readability-redundant-declaration): posix_spawn(3) wants it, not every header has it

namespace lbc {
namespace {

constexpr std::size_t longest_words = 4096; // of what is kept of standard error

struct Pipe {
    Descriptor from;
    Descriptor to;
};

std::expected<Pipe, std::string> make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return std::unexpected(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
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

/// Reads both until they end.
void read_all(pid_t pid, Pipe const& out, Pipe const& err, std::size_t limit, Ended& ended) {
    std::array<pollfd, 2> waiting{pollfd{out.from.get(), POLLIN, 0}, pollfd{err.from.get(), POLLIN, 0}};
    while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
        if (::poll(waiting.data(), waiting.size(), -1) < 0)
            continue;
        if (waiting[0].revents != 0 && !take(waiting[0].fd, ended.out))
            waiting[0].fd = -1;
        if (waiting[1].revents != 0 && !take(waiting[1].fd, ended.err))
            waiting[1].fd = -1;
        ended.err.resize(std::min(ended.err.size(), longest_words));
        if (ended.out.size() > limit && !ended.too_long) {
            ended.too_long = true;
            ::kill(pid, SIGKILL);
            waiting[0].fd = -1;
        }
    }
}

} // namespace

bool Ended::good() const { return !too_long && WIFEXITED(status) && WEXITSTATUS(status) == 0; }

std::expected<Ended, std::string> run_program(std::vector<std::string> const& words,
                                              std::vector<std::pair<std::string, std::string>> const& variables,
                                              std::size_t limit) {
    auto out = make_pipe();
    auto err = make_pipe();
    if (!out || !err)
        return std::unexpected(out ? err.error() : out.error());
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out->to.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err->to.get(), STDERR_FILENO);
    auto arguments = words;
    auto environment = environment_with(variables);
    pid_t pid = 0;
    int const code = ::posix_spawnp(&pid, arguments.front().c_str(), &actions, nullptr, pointers(arguments).data(),
                                    pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (code == ENOENT)
        return std::unexpected(fmt::format("{} is not installed on this box", words.front()));
    if (code != 0)
        return std::unexpected(fmt::format("cannot run {}: {}", words.front(), std::strerror(code)));
    out->to = Descriptor();
    err->to = Descriptor();
    Ended ended;
    read_all(pid, *out, *err, limit, ended);
    while (::waitpid(pid, &ended.status, 0) < 0 && errno == EINTR) {
    }
    return ended;
}

} // namespace lbc
