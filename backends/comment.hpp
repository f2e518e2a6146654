// What a site says in its own words, as a comment of an output.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lbc {

/// A comment has so many bytes at most. keepalived takes what is behind the 1,023rd byte of a line for a line of its
/// own (parser.c), iptables-restore what is behind the 10,239th (iptables-restore.c): a comment must stay one.
inline constexpr std::size_t longest_comment = 200;

/// Text as the rest of a `#` line: what is not seen, line breaks among it, becomes spaces, and a long text is cut.
[[nodiscard]] std::string comment_text(std::string_view text);

} // namespace lbc
