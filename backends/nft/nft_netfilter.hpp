// Reads all nftables tables of this network namespace in the form that proofs and traces walk.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/rules/ruleset.hpp"

#include <array>
#include <expected>
#include <vector>

namespace lbc {

using NftRulesets = std::array<std::vector<Ruleset>, families.size()>;

/// The tables that packets reach before IPVS. For a table of iptables-nft, the rules come from iptables-nft-save, if it
/// is installed: it represents rules that nftables cannot. Loads no module.
[[nodiscard]] std::expected<NftRulesets, SystemError> read_nft_netfilter();

} // namespace lbc
