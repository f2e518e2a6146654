// Which of its two kinds this box's `iptables` is.
#pragma once

namespace lbc {

/// Whether the `iptables` that `find_program` finds is the one that keeps its rules in nftables: a link to
/// xtables-nft-multi, by Debian's alternatives or otherwise. Runs nothing.
[[nodiscard]] bool is_iptables_nft();

} // namespace lbc
