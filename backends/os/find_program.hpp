// Finds programs in the folders of PATH, then in /usr/sbin and /sbin. Skips relative folders. For root it also skips
// folders that belong to another user or that everybody may write in, so that root runs no foreign program.
#pragma once

#include <optional>
#include <string>

namespace lbc {

/// The path of a program; none if it is not installed. `name` holds no `/`.
[[nodiscard]] std::optional<std::string> find_program(std::string const& name);

/// Why `find_program` finds none: the program is not installed, or only in a folder that is skipped.
[[nodiscard]] std::string no_program(std::string const& name);

} // namespace lbc
