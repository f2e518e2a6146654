// Finds the commands in a keepalived.conf that lbc made, even if somebody changed it since, and compares them with
// those of another one. In a file that lbc did not make, it reads the blocks that look as lbc writes them.
#pragma once

#include "compiler/diff/diff.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// The kind of command that a statement's value is: "misc_path" is a check's script. None: keepalived runs nothing.
[[nodiscard]] std::optional<SiteCommand::Kind> command_kind(std::string_view word);

/// The commands that `director` begins or stops to run once `after` replaces `before`. Commands are as the file has
/// them, with its quotes and escapes.
[[nodiscard]] std::vector<RunChange> run_changes(std::string_view before, std::string_view after,
                                                 std::string const& director);

} // namespace lbc
