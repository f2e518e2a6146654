#include "backends/os/modules.hpp"

#include "backends/os/descriptor.hpp"
#include "backends/os/run_program.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <string>

namespace lbc {
namespace {

constexpr std::size_t most_output = 65536;
constexpr std::chrono::seconds patience{60};

/// Empty if the kernel has no module loader.
std::string modprobe_path() {
    Descriptor const file(::open("/proc/sys/kernel/modprobe", O_RDONLY | O_CLOEXEC));
    std::array<char, PATH_MAX> buffer{};
    auto const size = file ? ::read(file.get(), buffer.data(), buffer.size()) : ssize_t{-1};
    std::string path(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    path.erase(std::min(path.find('\n'), path.size()));
    return path.starts_with('/') ? path : std::string{};
}

} // namespace

void load_module(char const* name) {
    auto const path = modprobe_path();
    if (path.empty())
        return;
    // The caller retries its call, which shows whether it helped.
    static_cast<void>(run_program({.words = {path, "-q", name},
                                   .variables = {{"PATH", "/sbin:/usr/sbin:/bin:/usr/bin"}}, // the kernel's own
                                   .with_environment = false,
                                   .limit = most_output,
                                   .patience = patience}));
}

} // namespace lbc
