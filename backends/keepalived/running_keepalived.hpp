// Finds the keepaliveds that run on this box. Anybody can call a process keepalived. One counts if it runs as root, or
// as this process's user, from a program of that name that root or that user owns, in this network namespace.
#pragma once

#include "backends/os/descriptor.hpp"
#include "backends/os/system_error.hpp"

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

namespace lbc {

struct RunningKeepalived {
    pid_t pid = 0;
    pid_t parent = 0;
    Descriptor folder; // /proc/PID: refers to this very process, even if another one gets its number
    std::string file;  // with which it was started, as a path below its own root folder

    /// Whether it reads the file `path`, a path of this process. The file does not need to exist.
    [[nodiscard]] bool reads(std::string const& path) const;

    /// Sends a signal; false if the process has ended.
    [[nodiscard]] std::expected<bool, SystemError> send(int signal) const;
};

/// The keepaliveds without another one as parent. An error if a process may be one, and this process has no right to
/// look at it.
[[nodiscard]] std::expected<std::vector<RunningKeepalived>, SystemError> running_keepaliveds();

/// The file behind `-f` in a command line, else the default. `words` are the command line, each word ended by a NUL.
[[nodiscard]] std::string file_in_words(std::string const& words);

} // namespace lbc
