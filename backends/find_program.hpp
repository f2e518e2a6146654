// Where a program is: in the folders of PATH, then in those of a system. A folder that is not named from the root, or
// that for root others than root can write in, is passed over, so that nobody else's program is run.
#pragma once

#include <optional>
#include <string>

namespace lbc {

/// Its path; nothing where it is not installed. `name` holds no `/`.
[[nodiscard]] std::optional<std::string> find_program(std::string const& name);

} // namespace lbc
