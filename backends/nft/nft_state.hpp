// The table inet lbc: the texts that create it, and comparison of two states.
#pragma once

#include "backends/nft/nft_rule.hpp"

namespace lbc {

/// Two transactions; only the second changes what packets get. If the sets have staging names, the first touches
/// nothing that rules use.
struct NftParts {
    std::string sets;  // creates missing sets, empties and fills them; empty without marks, and for a listing
    std::string rules; // of all chains; if `sets` is empty, removes the table, and loads the listing if there is one
};
[[nodiscard]] NftParts nft_parts(NftState const& state);
/// The same, with sets that stay empty, for a loader that fills them another way.
[[nodiscard]] NftParts nft_parts_unfilled(NftState const& state);

/// Whether lbc makes a chain of this name.
[[nodiscard]] bool is_own_nft_chain(std::string_view name);

/// A chain of the table inet lbc, with its hook. A load removes a chain without rules.
[[nodiscard]] NftChain nft_chain(std::string_view name, std::vector<NftRule> rules);

/// The state with `b_` before the names of all sets.
[[nodiscard]] NftState with_staging_names(NftState state);
/// Whether the rules use sets with staging names.
[[nodiscard]] bool is_staging(NftState const& state);

/// Whether both have the same sets with the same elements, and the same rules. A state with a listing compares by it.
[[nodiscard]] bool is_same(NftState const& a, NftState const& b);

} // namespace lbc
