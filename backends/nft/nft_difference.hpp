// Computes the elements that differ between two states of the table inet lbc with the same sets and rules.
#pragma once

#include "backends/nft/nft_elements.hpp"
#include "backends/nft/nft_state.hpp"

#include <optional>
#include <vector>

namespace lbc {

/// The changes from `now` to `wanted`; they refer to `wanted`. If one transaction makes them all, no packet that both
/// states mark is ever without a mark. Nothing if that is not certain: sets or rules differ, or packets move from one
/// map to another, since maps do not all change at one moment.
[[nodiscard]] std::optional<std::vector<NftElementChange>> element_changes(NftState const& now, NftState const& wanted);

/// The changes that add all elements of a state to empty sets.
[[nodiscard]] std::vector<NftElementChange> all_elements(NftState const& state);

} // namespace lbc
