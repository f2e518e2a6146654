// What targets of xtables do to a packet. The kernel's entries, iptables-save text and rules of iptables-nft name the
// same targets, so every reader of rules asks here.
#pragma once

#include "compiler/rules/ruleset.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

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

/// Those of them that may leave the packet without a connection.
[[nodiscard]] constexpr bool is_untracking_target(std::string_view name) { return name == "CT" || name == "NOTRACK"; }

/// Targets that send the packet to another destination and leave skb->mark alone (xt_nat.c, xt_REDIRECT.c,
/// xt_NETMAP.c). They exist only in the table nat.
[[nodiscard]] constexpr bool is_readdressing_target(std::string_view name) {
    return name == "DNAT" || name == "REDIRECT" || name == "NETMAP";
}

/// The masks of CONNMARK: `--nfmask` of the packet's mark, `--ctmask` of the connection's.
struct ConnmarkMasks {
    std::uint32_t packet = whole_mark;
    std::uint32_t connection = whole_mark;
};
/// `--restore-mark` (XT_CONNMARK_RESTORE in xt_connmark.c): clears bits of the packet's mark, and flips those that the
/// connection's mark has.
[[nodiscard]] inline RestoreMark restoring_mark(std::string words, ConnmarkMasks const& masks) {
    return {.name = std::move(words), .cleared = masks.packet, .restored = masks.connection};
}
/// `--save-mark`: the same the other way round.
[[nodiscard]] inline SetConnectionMark saving_mark(std::string words, ConnmarkMasks const& masks) {
    return {.name = std::move(words), .cleared = masks.connection, .saved = masks.packet};
}

} // namespace lbc
