// A table of nftables as rules in the shape of xtables, which proofs and traces walk. A rule that asks a map or a set
// becomes one for each of its elements; what a rule does behind its first effect, a chain of its own. Packets get the
// same marks by both.
#pragma once

#include "backends/nft/nft_rule.hpp"
#include "compiler/ruleset.hpp"

#include <cstddef>
#include <optional>

namespace lbc {

/// Nothing where no packet of the family comes to the table before IPVS does.
[[nodiscard]] std::optional<Ruleset> ruleset_of(NftState const& table, Family family);

/// Rules that tables of one listing may become together. A table that is too much for what is left is not known.
struct RuleBudget {
    std::size_t left = 2'000'000;
};
[[nodiscard]] std::optional<Ruleset> ruleset_of(NftState const& table, Family family, RuleBudget& budget);

} // namespace lbc
