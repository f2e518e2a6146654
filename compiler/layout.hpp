// Ways to arrange a MarkTable as rules. Each is a function from a table to the Ruleset of one family; all give every
// packet the same mark, and differ in how many rules a packet walks.
//
// `linear` is the recipe as people write it by hand, one rule a class, made safe for several peers and devices:
//
//     PREROUTING -j LBC
//     LBC  -i lo -j RETURN                                   what the director sends to itself
//     LBC  -m mac --mac-source PEER -g LBC-PEER              once for each MAC of each peer
//     LBC  -i eth0 -d VIP -p tcp --dport 80 -j MARK 0x3      once for each class
//     LBC-PEER  -d VIP -p tcp --dport 80 -j MARK G           with a guard: what a peer has balanced already, which may
//                                                            come in by another network than clients do
//     OUTPUT -j LBC-OUT
//     LBC-OUT   -m mark --mark G -g LBC-GUARD                what IPVS would forward a second time
//     LBC-GUARD -d VIP -j MARK 0                             a changed mark routes anew: the VIP is local
#pragma once

#include "compiler/plan.hpp"
#include "compiler/ruleset.hpp"

namespace lbc {

/// The rules of one family; empty where the table has no class of that family.
[[nodiscard]] Ruleset layout_linear(Site const& site, MarkTable const& table, Family family);

} // namespace lbc
