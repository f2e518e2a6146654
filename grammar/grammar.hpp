// From text to tree: the grammar of `.lb` files, in Spirit X3, whose types stay in `grammar.cpp`. A syntax error is
// reported at its place, the statement it stands in is marked broken, and parsing goes on behind it, so that one run
// reports every mistake. Any bytes give a tree and messages, in time linear in their number.
#pragma once

#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"

#include <string>

namespace lbc {

/// How deep blocks can stand in each other: `service { real { check { … } } }`.
inline constexpr int max_block_depth = 3;

/// So many bytes a word has at most, and a string behind its escapes. Whoever reads what is made of a site has room for
/// that on a line, comments apart, which are cut where they are written.
inline constexpr std::size_t longest_word = 512;

/// Parses a file that `sources` holds.
[[nodiscard]] ast::File parse(Sources const& sources, FileId id, Diagnostics& diagnostics);

/// A string's value: `\"`, `\\`, `\n` and `\t` undone. The grammar lets no other escape pass.
[[nodiscard]] std::string unescape(std::string_view text);

} // namespace lbc
