// UTF-8 (RFC 3629, without overlong forms and surrogates), and which characters a reader cannot see. Such characters
// control terminals, reverse a line or hide in a word, so that a text is not what it seems. A site may not contain
// them, and no output prints them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lbc {

/// The number of bytes of the character at `at`; 0 if no character begins there. `at` must be below `text.size()`.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);

[[nodiscard]] bool is_utf8(std::string_view text);

/// The code point of a character, which must be complete and valid.
[[nodiscard]] char32_t code_point(std::string_view character);

/// The offset, from `at` on, of the first stray byte or character, or `text.size()`. Stray are bytes that are not UTF-8
/// and characters that are not seen: control characters (C0, DEL, C1) except tab, LF and CR LF, those that change the
/// direction, separators of lines and paragraphs, and format characters without a shape. Joiners (U+200C, U+200D) may
/// stand between letters of scripts that use them, and U+200D between emoji, because there they change what is seen.
[[nodiscard]] std::size_t find_stray(std::string_view text, std::size_t at = 0);

/// The offset of the first joiner, or `text.size()`. A text that is not for people may not have one.
[[nodiscard]] std::size_t find_joiner(std::string_view text);

/// The offset of the first character that looks like a space but is not one, or `text.size()`: programs do not split
/// words there.
[[nodiscard]] std::size_t find_false_space(std::string_view text);

/// The text for a terminal or a log: each stray byte or character becomes `?`, or `instead`, so the number of
/// characters is unchanged. Only `printable_lines` keeps line breaks; elsewhere a hostile text must not start a new
/// line.
[[nodiscard]] std::string printable(std::string_view text);
[[nodiscard]] std::string printable_lines(std::string_view text, char instead = '?');

/// The longest beginning of the text that has at most `most` bytes and does not split a character.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t most);

} // namespace lbc
