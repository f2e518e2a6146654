#include "backends/modules.hpp"

#include "backends/descriptor.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>

namespace lbc {
namespace {

/// Empty where the kernel has no module loader.
std::string modprobe_path() {
    Descriptor const file(::open("/proc/sys/kernel/modprobe", O_RDONLY | O_CLOEXEC));
    std::array<char, PATH_MAX> buffer{};
    auto const size = file ? ::read(file.get(), buffer.data(), buffer.size()) : ssize_t{-1};
    std::string path(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    path.erase(std::min(path.find('\n'), path.size()));
    return path.starts_with('/') ? path : std::string{};
}

class FileActions {
public:
    FileActions() { ::posix_spawn_file_actions_init(&actions_); }
    FileActions(FileActions const&) = delete;
    FileActions& operator=(FileActions const&) = delete;
    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

    void discard(int descriptor) { ::posix_spawn_file_actions_addopen(&actions_, descriptor, "/dev/null", O_RDWR, 0); }
    [[nodiscard]] posix_spawn_file_actions_t const* get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

} // namespace

void load_module(char const* name) {
    std::string path = modprobe_path();
    if (path.empty()) {
        return;
    }
    std::string quiet = "-q";
    std::string module = name;
    std::string search = "PATH=/sbin:/usr/sbin:/bin:/usr/bin"; // what the kernel gives it
    std::array<char*, 4> arguments{path.data(), quiet.data(), module.data(), nullptr};
    std::array<char*, 2> environment{search.data(), nullptr};
    FileActions actions;
    for (int const descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        actions.discard(descriptor);
    }
    pid_t child = -1;
    if (::posix_spawn(&child, path.c_str(), actions.get(), nullptr, arguments.data(), environment.data()) != 0) {
        return;
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

} // namespace lbc
