// The commands in a keepalived.conf that lbc made, whoever has changed it since, and how they differ from those in
// another. Of a file that lbc has not made, the blocks that stand as lbc writes them are read.
#pragma once

#include "compiler/diff/diff.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// What keepalived does with the value of a statement: "misc_path" is a check's script. None: it runs nothing.
[[nodiscard]] std::optional<SiteCommand::Kind> command_kind(std::string_view word);

/// What `director` runs from now on, or no longer, once `after` is in the place of `before`. Commands are as they stand
/// in the file, with its quotes and escapes.
[[nodiscard]] std::vector<RunChange> run_changes(std::string_view before, std::string_view after,
                                                 std::string const& director);

} // namespace lbc
