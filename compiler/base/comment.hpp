// Renders free text of a site file as a comment of an output.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lbc {

/// The most bytes of a comment. keepalived takes the bytes behind the 1,023rd of a line as a new line (parser.c),
/// iptables-restore those behind the 10,239th (iptables-restore.c): a comment must stay one line.
inline constexpr std::size_t longest_comment = 200;

/// Text as the rest of a `#` line: invisible characters, line breaks among them, become spaces, and a long text is cut.
[[nodiscard]] std::string comment_text(std::string_view text);

} // namespace lbc
