// lbc's table of nftables: the texts that make it, and what two of them have in common.
#pragma once

#include "backends/nft/nft_rule.hpp"

namespace lbc {

/// Two transactions, of which the second changes what packets get. Under other names for its sets, the first touches
/// nothing that rules use.
struct NftParts {
    std::string sets;  // made where they are missing, emptied, filled; none where there is nothing to mark
    std::string rules; // of all chains; without sets, they take the table away
};
[[nodiscard]] NftParts nft_parts(NftState const& state);
/// The same with sets that stay empty, for a loader that fills them in its own way.
[[nodiscard]] NftParts nft_parts_unfilled(NftState const& state);

/// Whether lbc makes a chain of this name.
[[nodiscard]] bool is_own_nft_chain(std::string_view name);

/// The chains that lbc's table may have; a load takes away those that have no rules.
[[nodiscard]] NftChain nft_chain(std::string_view name, std::vector<NftRule> rules);

/// The same with `b_` before the names of all sets.
[[nodiscard]] NftState with_second_names(NftState state);
/// Whether the rules are those of second names.
[[nodiscard]] bool is_second(NftState const& state);

/// Whether both have the same sets with the same elements, and the same rules, in whatever words.
[[nodiscard]] bool is_same(NftState const& a, NftState const& b);

} // namespace lbc
