// Strings in the form in which keepalived reads them. Its escapes can make a string longer than it is in the site file,
// so the check that a string fits into a line of keepalived measures this form, which the backend also writes.
#pragma once

#include <string>
#include <string_view>

namespace lbc::keepalived {

/// A regular expression, which keepalived reads with the escapes of the shell's $'…'. A quote is escaped as its octal
/// number, because an earlier pass over the line counts quotes and knows no escapes. `$` and `~` are escaped if that
/// pass would read a parameter or a sequence.
[[nodiscard]] std::string pattern(std::string_view text);

/// A command with its arguments, which keepalived splits at spaces outside quotes. It undoes the escapes of a command
/// twice.
[[nodiscard]] std::string command(std::string_view text);

} // namespace lbc::keepalived
