// A site file as the canonical printer sees it: words, braces and comments in one row, each with its line. Commas,
// semicolons and line breaks are left out: the syntax tree has what they say. Private to the printer.
#pragma once

#include "grammar/ast.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lbc::printer {

struct Token {
    enum class Kind : std::uint8_t { word, open, close, comment };

    std::string text;     // canonical; a word's with the comma behind it, a comment's without blanks at its end
    std::size_t line = 0; // of the source, from 0
    Kind kind = Kind::word;
    bool starts_statement = false;
    bool after_comma = false; // a list goes on with it; also a comment within the list

    /// Whether `other` says the same: all but the line.
    [[nodiscard]] bool same_as(Token const& other) const {
        return text == other.text && kind == other.kind && starts_statement == other.starts_statement &&
               after_comma == other.after_comma;
    }
};

/// The tokens of a file without syntax errors.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view text, ast::File const& file);

/// The tokens as canonical text. They are those of a whole file.
[[nodiscard]] std::string lay_out(std::vector<Token> const& tokens);

} // namespace lbc::printer
