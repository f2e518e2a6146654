// Lowers a MarkTable to input for `nft -f`: the table `inet lbc`, at the priority of the mangle tables. A load creates
// what is missing, empties what exists and fills it again; it never removes a hook that stays. It names no other table.
// Equal mark tables give equal bytes.
//
//     web: 192.168.23.253 tcp 80, 443 → 0x3        map services4 { 192.168.23.253 . tcp . 80 : 0x3, … }
//     other directors' MACs                        set peers { 08:00:27:46:c7:d4 }
//     chain prerouting                             iifname "lo" return
//                                                  ether saddr @peers goto peers
//                                                  meta mark set ip daddr . meta l4proto . th dport map @services4
//                                                  return
//
// The map of a class follows from the class alone, not from its neighbours. A transaction changes all rules at one
// moment, and the elements of interval maps at a later one. So an element must not change its map if its service has
// not changed. For the same reason, no rule contains an anonymous map.
#pragma once

#include "backends/nft/nft_state.hpp"
#include "compiler/plan/plan.hpp"
#include "grammar/diagnostic.hpp"

#include <string>
#include <string_view>

namespace lbc {

[[nodiscard]] NftState nft_state(Site const& site, MarkTable const& table);
[[nodiscard]] NftParts nft_parts(Site const& site, MarkTable const& table);

/// Both parts as one transaction, with a heading.
[[nodiscard]] std::string nft_text(Site const& site, MarkTable const& table, std::string_view director);

/// Reports interfaces that nft cannot represent: those with `\` before the `+`.
void report_nft_limits(Site const& site, Diagnostics& diagnostics);

} // namespace lbc
