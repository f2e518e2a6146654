// What elements differ between two states of lbc's table that have the same sets and rules.
#pragma once

#include "backends/nft/nft_elements.hpp"
#include "backends/nft/nft_state.hpp"

#include <optional>
#include <vector>

namespace lbc {

/// The changes from one to the other, which refer to `wanted`; one transaction that makes them all leaves no packet
/// without a mark that both give one. Nothing where that cannot be said: sets or rules differ, or packets go from one
/// map to another, since maps do not all change at one moment.
[[nodiscard]] std::optional<std::vector<NftElementChange>> element_changes(NftState const& now, NftState const& wanted);

/// All elements of a state, for sets that are empty.
[[nodiscard]] std::vector<NftElementChange> all_elements(NftState const& state);

} // namespace lbc
