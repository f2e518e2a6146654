// Where a program is: in the folders of PATH, then in /usr/sbin and /sbin. A folder that is not named from the root is
// passed over, and, for root, one that is another user's or that everybody can write in: nobody else's program is run.
#pragma once

#include <optional>
#include <string>

namespace lbc {

/// Its path; nothing where it is not installed. `name` holds no `/`.
[[nodiscard]] std::optional<std::string> find_program(std::string const& name);

/// Why there is none, in words: it is not installed, or only in a folder that is passed over.
[[nodiscard]] std::string no_program(std::string const& name);

} // namespace lbc
