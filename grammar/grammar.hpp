// The parser of `.lb` files: from text to tree. The grammar uses Spirit X3, whose types stay in `grammar.cpp`. A syntax
// error is reported at its place, its statement is marked broken, and parsing continues behind it, so one run reports
// every mistake. Any input gives a tree and messages, in time linear in its size.
#pragma once

#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"

#include <string>

namespace lbc {

/// The deepest nesting of blocks: `service { real { check { … } } }`.
inline constexpr int max_block_depth = 3;

/// The longest word in bytes; a string is measured with its escapes undone. Every reader of a generated file has room
/// for that much on a line. Comments can be longer: they are cut when they are written.
inline constexpr std::size_t longest_word = 512;

/// Parses a file that `sources` holds.
[[nodiscard]] ast::File parse(Sources const& sources, FileId id, Diagnostics& diagnostics);

/// A string's value: `\"`, `\\`, `\n` and `\t` undone. The grammar lets no other escape pass.
[[nodiscard]] std::string unescape(std::string_view text);

} // namespace lbc
