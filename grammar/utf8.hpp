// UTF-8 as RFC 3629 has it, without overlong forms and surrogates.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lbc {

/// How many bytes the character at `at` has; 0 where no character begins there. `at` must be below `text.size()`.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);

/// The first byte that is no part of a character, or `text.size()`.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);

/// The text for a terminal: control characters (C0 but tab, DEL, C1) and bytes that are no UTF-8 become `?` each, so
/// that a hostile file can neither drive the terminal nor break a log. The number of characters stays.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace lbc
