// The whole command as one function: arguments in, text and an exit status out.
#pragma once

#include "cli/program/environment.hpp"

#include <string>
#include <vector>

namespace lbc {

/// Runs `lbc` with the arguments behind its name.
[[nodiscard]] Status run(std::vector<std::string> const& arguments, Environment const& environment);

} // namespace lbc
