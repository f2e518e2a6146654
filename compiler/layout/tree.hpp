// The layout `tree` of what another layout leaves to say, and with other bounds than lbc's own, so that tests make deep
// trees of few services.
#pragma once

#include "compiler/layout/layout.hpp"

#include <cstddef>

namespace lbc {

struct Parts;

struct TreeShape {
    std::size_t fan_out = 8;  // chains that one leads on to by one kind of test; at least 2
    std::size_t leaf = 8;     // rules that are not worth a chain more
    std::size_t networks = 8; // that a packet is compared with before it meets a MAC
};

[[nodiscard]] Ruleset layout_tree(Site const& site, MarkTable const& table, Family family, TreeShape shape);

/// Refers to the table, of which `parts` are.
[[nodiscard]] Ruleset layout_tree(Site const& site, MarkTable const& table, Family family, Parts parts,
                                  TreeShape shape);

} // namespace lbc
