// Strings as keepalived reads them. Its escapes make some longer than the site has them, so the check of a site that
// its lines have room for them goes by what the back end writes.
#pragma once

#include <string>
#include <string_view>

namespace lbc::keepalived {

/// A regular expression, which keepalived reads with escapes as the shell's $'…' has them. A quote is escaped by its
/// number, since an earlier pass over the line counts quotes and knows no escapes; `$` and `~` are where that pass
/// would see a parameter or a sequence.
[[nodiscard]] std::string pattern(std::string_view text);

/// A command with its arguments, which are split at spaces that no quotes enclose. Its escapes are read twice.
[[nodiscard]] std::string command(std::string_view text);

} // namespace lbc::keepalived
