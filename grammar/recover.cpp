#include "grammar/recover.hpp"

#include "grammar/grammar.hpp"
#include "grammar/utf8.hpp"

#include <algorithm>
#include <array>

namespace lbc::recovery {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// The end of the token that begins at `at`, for underlining it.
char const* token_end(char const* at, char const* end) {
    constexpr std::string_view single = "{};,=\n";
    if (at == end || single.contains(*at))
        return at == end ? at : at + 1;
    return std::find_if(at + 1, end, [&](char c) { return is_blank(c) || single.contains(c) || c == '"'; });
}

constexpr std::size_t longest_shown = 80; // bytes

/// The token at `at`, as messages name it.
std::string describe(char const* at, char const* end) {
    if (at == end)
        return "the end of the file";
    if (*at == '\n')
        return "the end of the line";
    std::string_view const token(at, token_end(at, end));
    auto const shown = cut_text(token, longest_shown);
    return fmt::format("`{}{}`", shown, shown.size() < token.size() ? "…" : "");
}

/// The end of the string or comment that begins at `at`, else `at`.
char const* skip_quoted(char const* at, char const* end) {
    if (*at == '#')
        return std::find(at, end, '\n');
    if (*at != '"')
        return at;
    for (++at; at != end && *at != '\n'; ++at) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\' && at + 1 != end && at[1] != '\n')
            ++at;
    }
    return at;
}

std::size_t column_of(std::string_view text, std::size_t offset) {
    auto const line_break = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
    return line_break == std::string_view::npos ? offset : offset - line_break - 1;
}

} // namespace

void report_stray(State& state, std::size_t from) {
    auto const text = state.tree.text();
    auto is_utf8 = true; // one message is enough for a file in another encoding
    std::size_t said = 0;
    for (auto at = find_stray(text, from); at < text.size() && said < max_syntax_errors; at = find_stray(text, at)) {
        auto const length = utf8_length(text, at);
        auto const* const begin = text.data() + at;
        at += std::max<std::size_t>(1, length);
        if (length == 0 && !std::exchange(is_utf8, false))
            continue;
        auto const here = state.tree.span(begin, begin + std::max<std::size_t>(1, length));
        ++said;
        if (length == 0)
            state.diagnostics.report(DiagId::stray_character, here,
                                     "the byte 0x{:02x} is not UTF-8; save the file as UTF-8",
                                     static_cast<unsigned>(static_cast<unsigned char>(*begin)));
        else
            state.diagnostics.report(DiagId::stray_character, here,
                                     "the character U+{:04X}, which is not seen, cannot stand here; delete it",
                                     static_cast<std::uint32_t>(code_point({begin, length})));
    }
}

void check_word(State& state, ast::Word::Kind kind, std::string_view text) {
    if (find_stray(text) != text.size())
        state.tree.mark_broken();
    if (text.size() <= longest_word)
        return;
    auto const is_string = kind == ast::Word::Kind::string;
    auto const size = is_string ? unescape(text.substr(1, text.size() - 2)).size() : text.size();
    if (size <= longest_word)
        return;
    state.tree.mark_broken();
    auto const here = state.tree.span(text.data(), text.data() + text.size());
    state.diagnostics.report(is_string ? DiagId::bad_string : DiagId::bad_name, here,
                             "a {} has {} bytes at most, this one {}; shorten it", is_string ? "string" : "word",
                             longest_word, size);
}

void report(State& state, std::string_view expected, char const* where, char const* end) {
    auto& tree = state.tree;
    auto const here = tree.span(where, token_end(where, end));
    auto& out = state.diagnostics;
    tree.mark_broken();
    if (++state.errors > max_syntax_errors)
        return;
    if (expected == expected_brace) {
        // All blocks around this one lack their `}` too; one message reports that.
        if (where == end && std::exchange(state.unclosed_reported, true))
            return;
        auto& message = out.report(DiagId::unclosed_block, tree.brace(), "this block is never closed; expected `}}`");
        if (where != end)
            message.note(here, "it would have to be closed before this");
    } else if (auto const at = static_cast<std::size_t>(where - tree.text().data());
               where != end && find_stray(tree.text(), at) == at) {
        return; // `report_stray` has reported it
    } else if (expected == expected_statement && where != end && *where == '}') {
        out.report(DiagId::misplaced_block, here, "`}}` closes no block");
    } else if (expected == expected_end && where != end && *where == '{') {
        out.report(DiagId::misplaced_block, here, "no block can stand this deep in others");
    } else {
        out.report(DiagId::syntax, here, "expected {}, found {}", expected, describe(where, end));
    }
}

char const* next_statement(State const& state, std::string_view expected, char const* where, char const* end) {
    if (state.errors > max_syntax_errors)
        return end;
    if (expected == expected_brace)
        return where;
    if (expected == expected_statement && where != end && *where == '}')
        return where + 1;
    std::size_t depth = 0;
    while (where != end) {
        if (auto const behind = skip_quoted(where, end); behind != where) {
            where = behind;
            continue;
        }
        if (depth == 0 && (*where == '\n' || *where == ';' || *where == '}'))
            return where;
        if (*where == '{')
            ++depth;
        if (*where == '}')
            --depth;
        ++where;
    }
    return end;
}

bool begins_declaration(State const& state, char const* at) {
    // Words that begin a statement of a file and none of a block.
    static constexpr std::array<std::string_view, 10> words{"director", "service", "vrrp",  "defaults", "include",
                                                            "let",      "marks",   "guard", "ipvs",     "sync"};
    auto const text = state.tree.text();
    auto const* const end = text.data() + text.size();
    auto const stands_here = [&](std::string_view word) {
        return *at == word.front() && std::string_view(at, end).starts_with(word) &&
               token_end(at, end) == at + word.size();
    };
    if (at == end || std::ranges::none_of(words, stands_here))
        return false;
    auto const offset = static_cast<std::size_t>(at - text.data());
    auto const column = column_of(text, offset);
    if (text.substr(offset - column, column).find_first_not_of(" \t") != std::string_view::npos)
        return false; // not the first word on its line
    return column <= column_of(text, state.tree.statement_span().begin);
}

} // namespace lbc::recovery
