// All tables of nftables in this network namespace, as proofs and traces walk them.
#pragma once

#include "backends/system_error.hpp"
#include "compiler/ruleset.hpp"

#include <array>
#include <expected>
#include <vector>

namespace lbc {

using NftRulesets = std::array<std::vector<Ruleset>, families.size()>;

/// Those that packets come to before IPVS. Of a table that iptables-nft keeps, the rules are taken from what
/// iptables-nft-save prints, where it is installed: it knows what nftables has no words for. Loads no module.
[[nodiscard]] std::expected<NftRulesets, SystemError> read_nft_netfilter();

} // namespace lbc
