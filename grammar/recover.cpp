#include "grammar/recover.hpp"

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

bool is_control(char c) {
    auto const byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

/// What stands at `at`, for people.
std::string describe(char const* at, char const* end) {
    if (at == end)
        return "the end of the file";
    if (*at == '\n')
        return "the end of the line";
    if (is_control(*at))
        return fmt::format("the control character 0x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(*at)));
    return fmt::format("`{}`", std::string_view(at, token_end(at, end)));
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

void report(State& state, std::string_view expected, char const* where, char const* end) {
    auto& tree = state.tree;
    auto const here = tree.span(where, token_end(where, end));
    auto& out = state.diagnostics;
    tree.mark_broken();
    if (++state.errors > max_syntax_errors)
        return;
    if (expected == expected_brace) {
        // Every block around this one lacks its `}` too; one message says so.
        if (where == end && std::exchange(state.unclosed_reported, true))
            return;
        auto& message = out.report(DiagId::unclosed_block, tree.brace(), "this block is never closed; expected `}}`");
        if (where != end)
            message.note(here, "it would have to be closed before this");
    } else if (where != end && is_control(*where) && *where != '\n') {
        out.report(DiagId::stray_character, here, "{} cannot stand here", describe(where, end));
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
    static constexpr std::array<std::string_view, 8> words{"director", "service", "vrrp",  "defaults",
                                                           "include",  "let",     "marks", "guard"};
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
        return false; // not the first on its line
    return column <= column_of(text, state.tree.statement_span().begin);
}

} // namespace lbc::recovery
