#include "grammar/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace lbc {
namespace {

std::size_t length_by_lead(unsigned lead) {
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

struct Characters {
    char32_t first;
    char32_t last;
};

/// Characters that are not seen, in ascending order: Unicode's control and format characters, and letters without a
/// shape. Variation selectors that belong to emoji change what is seen, so they are not listed.
constexpr std::array unseen{
    Characters{0x00, 0x1F},       // C0
    Characters{0x7F, 0x9F},       // DEL, C1
    Characters{0xAD, 0xAD},       // soft hyphen
    Characters{0x34F, 0x34F},     // grapheme joiner
    Characters{0x61C, 0x61C},     // Arabic letter mark
    Characters{0x115F, 0x1160},   // fillers of Hangul
    Characters{0x17B4, 0x17B5},   // Khmer vowels that are not written
    Characters{0x180B, 0x180F},   // Mongolian selectors
    Characters{0x200B, 0x200F},   // zero-width space, joiners, left-to-right and right-to-left mark
    Characters{0x2028, 0x202E},   // line and paragraph separator, embeddings and overrides
    Characters{0x2060, 0x206F},   // word joiner, invisible operators, isolates
    Characters{0x3164, 0x3164},   // filler of Hangul
    Characters{0xFEFF, 0xFEFF},   // byte order mark
    Characters{0xFFA0, 0xFFA0},   // filler of Hangul
    Characters{0xFFF0, 0xFFFB},   // annotations
    Characters{0x13430, 0x1345F}, // hieroglyph joiners
    Characters{0x1BCA0, 0x1BCA3}, // shorthand format controls
    Characters{0x1D173, 0x1D17A}, // musical format controls
    Characters{0xE0000, 0xE0FFF}, // tags, further selectors
};

/// Letters and signs of scripts in which joiners shape words, in ascending order.
constexpr std::array joined_letters{
    Characters{0x620, 0x8FF},   // Arabic, Syriac, Thaana, N'Ko, Mandaic
    Characters{0x900, 0xDFF},   // Devanagari to Sinhala
    Characters{0x1000, 0x109F}, // Myanmar
    Characters{0x1780, 0x17FF}, // Khmer
    Characters{0xFB50, 0xFDFF}, // forms of Arabic
    Characters{0xFE70, 0xFEFE},
};

/// Emoji and their variation selector, in ascending order: U+200D joins several into one.
constexpr std::array joined_emoji{
    Characters{0x2190, 0x2BFF},
    Characters{0xFE0F, 0xFE0F},
    Characters{0x1F000, 0x1FAFF},
};

/// Unicode blanks and characters that look like one, in ascending order.
constexpr std::array false_spaces{
    Characters{0xA0, 0xA0},     Characters{0x1680, 0x1680}, Characters{0x2000, 0x200A}, Characters{0x202F, 0x202F},
    Characters{0x205F, 0x205F}, Characters{0x2800, 0x2800}, Characters{0x3000, 0x3000},
};

template <std::size_t size>
bool is_one_of(std::array<Characters, size> const& list, char32_t point) {
    auto const* const found = std::ranges::lower_bound(list, point, {}, &Characters::last);
    return found != list.end() && found->first <= point;
}

bool is_joiner(char32_t point) { return point == 0x200C || point == 0x200D; }

/// The characters before and after the one that begins at `at`; 0 if there is none.
std::pair<char32_t, char32_t> neighbours(std::string_view text, std::size_t at) {
    auto start = at == 0 ? at : at - 1;
    for (int i = 0; i < 3 && start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U; ++i)
        --start;
    auto const before =
        start < at && utf8_length(text, start) == at - start ? code_point(text.substr(start, at - start)) : U'\0';
    auto const next = at + utf8_length(text, at);
    auto const length = next < text.size() ? utf8_length(text, next) : 0;
    return {before, length == 0 ? U'\0' : code_point(text.substr(next, length))};
}

/// Whether the joiner at `at` joins its neighbours.
bool joins(std::string_view text, std::size_t at) {
    auto const [before, after] = neighbours(text, at);
    if (is_one_of(joined_letters, before) && is_one_of(joined_letters, after))
        return true;
    return code_point(text.substr(at, utf8_length(text, at))) == 0x200D && is_one_of(joined_emoji, before) &&
           is_one_of(joined_emoji, after);
}

/// The offset of the first character for which `is` holds, or `text.size()`; skips ASCII.
template <typename Is>
std::size_t find_character(std::string_view text, Is const& is) {
    for (std::size_t at = 0; at < text.size();) {
        auto const length = utf8_length(text, at);
        if (length > 1 && is(code_point(text.substr(at, length))))
            return at;
        at += std::max<std::size_t>(1, length);
    }
    return text.size();
}

/// The number of bytes from `at` on that are visible ASCII or a blank.
std::size_t plain_bytes(std::string_view text, std::size_t at) {
    auto const start = at;
    // Eight bytes at once: no top bit, none below a blank, no DEL.
    constexpr std::uint64_t tops = 0x8080808080808080U;
    constexpr std::uint64_t ones = 0x0101010101010101U;
    for (std::uint64_t eight = 0; text.size() - at >= sizeof eight; at += sizeof eight) {
        std::memcpy(&eight, text.data() + at, sizeof eight);
        auto const below_blank = (eight - ones * 0x20U) & ~eight;
        auto const deletes = ((eight ^ ones * 0x7FU) - ones) & ~(eight ^ ones * 0x7FU);
        if (((eight | below_blank | deletes) & tops) != 0)
            break;
    }
    while (at < text.size() && text[at] >= 0x20 && text[at] < 0x7F)
        ++at;
    return at - start;
}

/// A variation selector, U+FE00 to U+FE0F. It chooses the look of an emoji before it; behind a plain letter nothing is
/// seen of it.
bool is_selector(std::string_view character) {
    return character.size() == 3 && character.starts_with("\xEF\xB8") &&
           static_cast<unsigned char>(character[2]) <= 0x8F;
}

} // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
    auto const byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
    };
    auto const lead = byte(0);
    auto const length = length_by_lead(lead);
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0U) != 0x80U)
            return 0;
    auto const second = byte(1);
    auto const overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    auto const surrogate = lead == 0xED && second > 0x9F;
    auto const too_high = lead == 0xF4 && second > 0x8F;
    return overlong || surrogate || too_high ? 0 : length;
}

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0, length = 0; at < text.size(); at += length) {
        length = utf8_length(text, at);
        if (length == 0)
            return false;
    }
    return true;
}

char32_t code_point(std::string_view character) {
    auto const lead = static_cast<unsigned char>(character[0]);
    if (character.size() == 1)
        return lead;
    char32_t point = lead & (0xFFU >> (character.size() + 1));
    for (char const c : character.substr(1))
        point = point << 6U | (static_cast<unsigned char>(c) & 0x3FU);
    return point;
}

std::size_t find_stray(std::string_view text, std::size_t at) {
    while (true) {
        at += plain_bytes(text, at);
        if (at >= text.size())
            return text.size();
        auto const length = utf8_length(text, at);
        auto const is_layout = text[at] == '\n' || text[at] == '\t' || text.substr(at).starts_with("\r\n");
        if (length == 0)
            return at;
        auto const point = code_point(text.substr(at, length));
        if (!is_layout && is_one_of(unseen, point) && !(is_joiner(point) && joins(text, at)))
            return at;
        if (is_selector(text.substr(at, length)) && (at == 0 || static_cast<unsigned char>(text[at - 1]) < 0x80))
            return at;
        at += length;
    }
}

std::size_t find_joiner(std::string_view text) { return find_character(text, is_joiner); }

std::size_t find_false_space(std::string_view text) {
    return find_character(text, [](char32_t point) { return is_one_of(false_spaces, point); });
}

std::string printable_lines(std::string_view text, char instead) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        auto const stray = find_stray(text, at);
        out += text.substr(at, stray - at);
        if (stray < text.size())
            out += instead;
        at = stray < text.size() ? stray + std::max<std::size_t>(1, utf8_length(text, stray)) : stray;
    }
    return out;
}

std::string printable(std::string_view text) {
    auto out = printable_lines(text);
    std::ranges::replace(out, '\n', '?');
    std::ranges::replace(out, '\r', '?');
    return out;
}

std::string_view cut_text(std::string_view text, std::size_t most) {
    if (text.size() <= most)
        return text;
    auto const goes_on = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; };
    auto end = most;
    // A character has at most three continuation bytes; more in a row are invalid.
    for (int i = 0; i < 3 && end > 0 && goes_on(end); ++i)
        --end;
    return text.substr(0, goes_on(end) ? most : end);
}

} // namespace lbc
