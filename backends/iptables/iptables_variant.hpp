// Tells which variant this box's `iptables` is: legacy or nf_tables.
#pragma once

namespace lbc {

/// Whether the `iptables` that `find_program` finds is the variant that keeps its rules in nftables: a link to
/// xtables-nft-multi, through Debian's alternatives or otherwise. Runs nothing.
[[nodiscard]] bool is_iptables_nft();

} // namespace lbc
