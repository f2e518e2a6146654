// A site file as the canonical printer sees it: one sequence of words, braces and comments, each with its line. Commas,
// semicolons and line breaks are left out, because the syntax tree holds their meaning. Private to the printer.
#pragma once

#include "grammar/ast.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lbc::printer {

struct Token {
    enum class Kind : std::uint8_t { word, open, close, comment };

    std::string text;     // canonical; a word with the comma behind it, a comment without trailing blanks
    std::size_t line = 0; // of the source, from 0
    Kind kind = Kind::word;
    bool starts_statement = false;
    bool after_comma = false; // it continues a list; also true for a comment within the list

    /// Whether all but the line is equal.
    [[nodiscard]] bool same_as(Token const& other) const {
        return text == other.text && kind == other.kind && starts_statement == other.starts_statement &&
               after_comma == other.after_comma;
    }
};

/// The tokens of a file without syntax errors.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view text, ast::File const& file);

/// The canonical text of the tokens, which must be those of a whole file.
[[nodiscard]] std::string lay_out(std::vector<Token> const& tokens);

} // namespace lbc::printer
