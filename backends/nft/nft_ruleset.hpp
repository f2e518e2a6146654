// Translates an nftables table into rules in the shape of xtables, which proofs and traces walk. A rule that looks up a
// map or a set becomes one rule per element. The part of a rule behind its first effect becomes a chain of its own.
// Both forms give packets the same marks.
#pragma once

#include "backends/nft/nft_rule.hpp"
#include "compiler/rules/ruleset.hpp"

#include <cstddef>
#include <optional>

namespace lbc {

/// Nothing if no packet of the family reaches the table before IPVS.
[[nodiscard]] std::optional<Ruleset> ruleset_of(NftState const& table, Family family);

/// The number of rules that the tables of one listing may become together. A table that exceeds the rest is unknown.
struct RuleBudget {
    std::size_t left = 2'000'000;
};
[[nodiscard]] std::optional<Ruleset> ruleset_of(NftState const& table, Family family, RuleBudget& budget);

} // namespace lbc
