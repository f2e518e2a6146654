// Runs another program, without a shell. Bounds its output and, on request, its time.
#pragma once

#include "backends/os/system_error.hpp"

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

/// What to run. The program's standard input is empty, and it starts with no signal blocked, whatever its caller
/// blocks.
struct Invocation {
    std::vector<std::string> words; // the first is an absolute path, or a name for `find_program`
    std::vector<std::pair<std::string, std::string>> variables{}; // added to this process's environment
    bool with_environment = true;                                 // else it gets only `variables`
    std::size_t limit = 0;                                        // of its standard output, in bytes
    std::optional<std::string> file{};                            // a text that it can read as `file_argument`
    /// The program is killed after this time, even if its output has ended before; none: no limit.
    std::optional<std::chrono::milliseconds> patience{};
};

/// The path at which the program reads `Invocation::file`.
inline constexpr char const* file_argument = "/proc/self/fd/3";

/// What a program printed and how it ended.
struct Ended {
    std::string out;
    std::string err;       // at most its first 64 KiB
    bool too_long = false; // it printed more than `limit`, and was killed
    bool too_slow = false; // it ran longer than `patience`, and was killed
    int status = 0;        // of waitpid(2)

    [[nodiscard]] bool good() const;
};

/// Runs the program and waits for its end. The error states why it could not run: `unsupported` if it is not installed.
[[nodiscard]] std::expected<Ended, SystemError> run_program(Invocation const& program);

} // namespace lbc
