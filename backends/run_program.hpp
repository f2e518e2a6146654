// Another program, run without a shell.
#pragma once

#include "backends/system_error.hpp"

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

/// What to run. Its standard input is empty, and it holds no signals back, whatever its caller does.
struct Invocation {
    std::vector<std::string> words; // the first is a path from the root, or looked for by `find_program`
    std::vector<std::pair<std::string, std::string>> variables{}; // added to this process's environment
    bool with_environment = true;                                 // else it gets `variables` alone
    std::size_t limit = 0;                                        // of its standard output, in bytes
    std::optional<std::string> file{};                            // what it can read, as `file_argument`
    /// It is killed when this is over, also where its output has ended before; none: no limit.
    std::optional<std::chrono::milliseconds> patience{};
};

/// The name under which a program that is run reads its file.
inline constexpr char const* file_argument = "/proc/self/fd/3";

/// What a program printed and how it ended.
struct Ended {
    std::string out;
    std::string err;       // its beginning, 64 KiB at most
    bool too_long = false; // it printed more than was allowed, and was killed
    bool too_slow = false; // likewise
    int status = 0;        // as waitpid(2) has it

    [[nodiscard]] bool good() const;
};

/// Waits for its end. The error says why it could not be run: `unsupported` where it is not installed.
[[nodiscard]] std::expected<Ended, SystemError> run_program(Invocation const& program);

} // namespace lbc
