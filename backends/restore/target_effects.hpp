// What targets of xtables do to a packet. The kernel's entries, iptables-save text and rules of iptables-nft name the
// same targets, so every reader of rules asks here.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace lbc {

/// Targets that leave skb->mark alone, whatever their options, and behind which the packet goes on with the next rule
/// (each returns XT_CONTINUE, see xt_*.c; some drop a packet whose header is broken). CT and NOTRACK choose how the
/// connection is followed; TEE sends a copy. Sorted.
inline constexpr std::array<std::string_view, 22> continuing_targets{
    "AUDIT", "CHECKSUM", "CLASSIFY", "CONNSECMARK", "CT",     "DSCP",        "ECN", "HL",  "IDLETIMER", "LED", "LOG",
    "NFLOG", "NOTRACK",  "RATEEST",  "SECMARK",     "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE",     "TTL", "ULOG"};
static_assert(std::ranges::is_sorted(continuing_targets));

[[nodiscard]] constexpr bool is_continuing_target(std::string_view name) {
    return std::ranges::binary_search(continuing_targets, name);
}

/// Targets that send the packet to another destination and leave skb->mark alone (xt_nat.c, xt_REDIRECT.c,
/// xt_NETMAP.c). They exist only in the table nat.
[[nodiscard]] constexpr bool is_readdressing_target(std::string_view name) {
    return name == "DNAT" || name == "REDIRECT" || name == "NETMAP";
}

} // namespace lbc
