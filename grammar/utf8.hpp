// UTF-8 as RFC 3629 has it, without overlong forms and surrogates, and which of its characters a reader does not see.
// Those drive terminals, turn a line around or hide in a word, so that a text is not what it seems: a site has none of
// them, and no output prints one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lbc {

/// How many bytes the character at `at` has; 0 where no character begins there. `at` must be below `text.size()`.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);

[[nodiscard]] bool is_utf8(std::string_view text);

/// The number of a whole character.
[[nodiscard]] char32_t code_point(std::string_view character);

/// The first byte from `at` on of what has no place in a text, or `text.size()`: bytes that are no UTF-8, and what is
/// not seen: control characters but tab, LF and CR LF (C0, DEL, C1), those that change the direction, separators of
/// lines and paragraphs, and format characters that have no shape. Joiners (U+200C, U+200D) have a place between
/// letters of scripts that are written with them, U+200D between emoji too: they are seen by what they change.
[[nodiscard]] std::size_t find_stray(std::string_view text, std::size_t at = 0);

/// The first joiner, or `text.size()`: what is no text for people has none.
[[nodiscard]] std::size_t find_joiner(std::string_view text);

/// The first character that looks like a space and is none, or `text.size()`: programs do not part words there.
[[nodiscard]] std::size_t find_false_space(std::string_view text);

/// The text for a terminal or a log: what has no place in a text becomes `?`, or `instead`. The number of characters
/// stays. Line breaks stay in `printable_lines` alone; elsewhere a hostile text must not make a line of its own.
[[nodiscard]] std::string printable(std::string_view text);
[[nodiscard]] std::string printable_lines(std::string_view text, char instead = '?');

/// As much of the text as `most` bytes hold without a part of a character.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t most);

} // namespace lbc
