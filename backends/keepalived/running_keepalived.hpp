// The keepaliveds that run on this box. Anybody can call a process keepalived: one counts where it runs as root, or as
// this process's user, from a program of that name that belongs to root or to that user, in this network namespace.
#pragma once

#include "backends/descriptor.hpp"
#include "backends/system_error.hpp"

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

namespace lbc {

struct RunningKeepalived {
    pid_t pid = 0;
    pid_t parent = 0;
    Descriptor folder; // /proc/PID: stands for this very process, also when its number is given to another one
    std::string file;  // that it was started with, by the names of its own root folder

    /// Whether `path`, by the names of this process, is the file that it reads. Neither needs to exist.
    [[nodiscard]] bool reads(std::string const& path) const;

    /// Whether it was there to get the signal.
    [[nodiscard]] std::expected<bool, SystemError> send(int signal) const;
};

/// Those that are no other's child. An error where a process may be one, and this process has no right to look at it.
[[nodiscard]] std::expected<std::vector<RunningKeepalived>, SystemError> running_keepaliveds();

/// The file behind `-f`, else the default, in the words of a command line, each ended by a NUL.
[[nodiscard]] std::string file_in_words(std::string const& words);

} // namespace lbc
