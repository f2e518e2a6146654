// Merges chain entries, so that the same packets need fewer rules. Private to this folder.
#pragma once

#include "compiler/layout/chain_entries.hpp"

#include <vector>

namespace lbc {

/// The fewest prefixes that contain exactly these addresses, sorted. All must be of one family.
[[nodiscard]] std::vector<Prefix> aggregate(std::vector<Prefix> prefixes);

/// Merges neighbouring networks with equal rules into one. In a list of entries with the guard's mark, also merges the
/// ports of one destination; `ports` owns the merged lists. A merged entry stands where the first of its parts was.
[[nodiscard]] std::vector<ChainEntry> merge_neighbours(std::vector<ChainEntry> items, PortLists& ports);

} // namespace lbc
