// The commands, one file each. Each function declares the options of a command and returns what runs when the user
// chose it.
#pragma once

#include "cli/program/options.hpp"

#include <functional>

namespace lbc {

using Command = std::function<Status(Environment const&)>;

[[nodiscard]] Command add_check(CommandOptions command);
[[nodiscard]] Command add_fmt(CommandOptions command);
[[nodiscard]] Command add_compile(CommandOptions command);
[[nodiscard]] Command add_diff(CommandOptions command);
[[nodiscard]] Command add_apply(CommandOptions command);
[[nodiscard]] Command add_remove(CommandOptions command);
[[nodiscard]] Command add_status(CommandOptions command);
[[nodiscard]] Command add_verify(CommandOptions command);
[[nodiscard]] Command add_trace(CommandOptions command);
[[nodiscard]] Command add_confirm(CommandOptions command);
[[nodiscard]] Command add_rollback(CommandOptions command);
[[nodiscard]] Command add_explain(CommandOptions command);

} // namespace lbc
