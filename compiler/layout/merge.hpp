// Fewer rules for the same packets. Private to this folder.
#pragma once

#include "compiler/layout/items.hpp"

#include <vector>

namespace lbc {

/// The fewest prefixes that hold just the addresses of these, sorted. They are of one family.
[[nodiscard]] std::vector<Prefix> aggregate(std::vector<Prefix> prefixes);

/// Neighbouring networks of which the same is said become one, as do the ports of one destination that all get the
/// guard's mark; `ports` gets the lists of those. What comes of several stands where the first of them was.
[[nodiscard]] std::vector<Item> merge_neighbours(std::vector<Item> items, PortLists& ports);

} // namespace lbc
