// A MarkTable as input for `nft -f`: a table `inet lbc` of its own, at the priority of the mangle tables. A load makes
// what is missing, empties what is there and fills it again; hooks that stay are never taken away. No other table is
// named. Equal tables give equal bytes.
//
//     web: 192.168.23.253 tcp 80, 443 → 0x3        map services4 { 192.168.23.253 . tcp . 80 : 0x3, … }
//     other directors' MACs                        set peers { 08:00:27:46:c7:d4 }
//     chain prerouting                             iifname "lo" return
//                                                  ether saddr @peers goto peers
//                                                  meta mark set ip daddr . meta l4proto . th dport map @services4
//                                                  return
//
// In which map a class stands follows from the class alone, not from its neighbours: a transaction changes all rules at
// one moment and elements of maps of intervals at a later one, so an element must not change its map where nothing of
// its service has changed. For the same reason no rule has a map in place.
#pragma once

#include "backends/nft/nft_state.hpp"
#include "compiler/plan.hpp"
#include "grammar/diagnostic.hpp"

#include <string>
#include <string_view>

namespace lbc {

[[nodiscard]] NftState nft_state(Site const& site, MarkTable const& table);
[[nodiscard]] NftParts nft_parts(Site const& site, MarkTable const& table);

/// Both as one transaction, with a heading.
[[nodiscard]] std::string nft_text(Site const& site, MarkTable const& table, std::string_view director);

/// Reports interfaces that nft has no words for: those with `\` before the `+`.
void report_nft_limits(Site const& site, Diagnostics& diagnostics);

} // namespace lbc
