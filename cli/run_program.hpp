// Another program, run without a shell.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

/// What a program printed and how it ended.
struct Ended {
    std::string out;
    std::string err;       // its beginning
    bool too_long = false; // it printed more than was allowed, and was killed
    int status = 0;        // as waitpid(2) has it

    [[nodiscard]] bool good() const;
};

/// Runs a program of PATH with an empty standard input, and waits for its end. `variables` are added to this process's
/// environment. `limit` is for its standard output, in bytes. The error says why it could not be run.
[[nodiscard]] std::expected<Ended, std::string>
run_program(std::vector<std::string> const& words, std::vector<std::pair<std::string, std::string>> const& variables,
            std::size_t limit);

} // namespace lbc
