#include "compiler/base/comment.hpp"

#include "grammar/utf8.hpp"

#include <algorithm>

namespace lbc {

std::string comment_text(std::string_view text) {
    constexpr std::string_view mark_of_cut = "…";
    auto const kept = text.size() <= longest_comment ? text : cut_text(text, longest_comment - mark_of_cut.size());
    auto out = printable_lines(kept, ' ');
    std::ranges::replace_if(out, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    out += kept.size() < text.size() ? mark_of_cut : std::string_view{};
    // For some readers, keepalived among them, a `\` at the end of a line joins the next line to it.
    out += out.ends_with('\\') ? "." : "";
    return out;
}

} // namespace lbc
