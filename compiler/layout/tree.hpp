// The layout `tree` for the entries that another layout leaves over, and with other bounds than the default, so that
// tests make deep trees of few services.
#pragma once

#include "compiler/layout/layout.hpp"

#include <cstddef>

namespace lbc {

struct Parts;

struct TreeShape {
    std::size_t fan_out = 8;  // most chains that one leads to with one kind of match; at least 2
    std::size_t leaf = 8;     // so many rules need no further chain
    std::size_t networks = 8; // most networks that a packet is compared with before a MAC
};

[[nodiscard]] Ruleset layout_tree(Site const& site, MarkTable const& table, Family family, TreeShape shape);

/// `parts` must be those of the table, and refer to it.
[[nodiscard]] Ruleset layout_tree(Site const& site, MarkTable const& table, Family family, Parts parts,
                                  TreeShape shape);

} // namespace lbc
