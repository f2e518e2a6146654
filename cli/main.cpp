#include "backends/apply/system_kernel.hpp"
#include "backends/os/disk_files.hpp"
#include "cli/commands/run.hpp"
#include "cli/program/heap.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

namespace {

/// Of a terminal; none for anything else.
std::optional<std::size_t> width_of(int stream) {
    winsize size{};
    if (::ioctl(stream, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return std::nullopt;
    return size.ws_col;
}

} // namespace

int main(int argc, char** argv) {
    lbc::use_huge_pages();
    lbc::DiskFiles files;
    auto const host = lbc::this_host();
    auto const no_colour = std::getenv("NO_COLOR");
    auto const plain = no_colour != nullptr && *no_colour != '\0';
    lbc::Environment const environment{
        .files = files,
        .host = *host,
        .kernel = lbc::make_system_kernel,
        .out = std::cout,
        .err = std::cerr,
        .colour_out = !plain && ::isatty(STDOUT_FILENO) == 1,
        .colour_err = !plain && ::isatty(STDERR_FILENO) == 1,
        .width_out = width_of(STDOUT_FILENO),
        .width_err = width_of(STDERR_FILENO),
        .keep_rights = lbc::keep_rights,
    };
    return static_cast<int>(lbc::run(std::vector<std::string>(argv + 1, argv + argc), environment));
}
