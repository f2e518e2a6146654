// Ways to arrange a MarkTable as rules. Each is a function from a table to the Ruleset of one family. All give every
// packet the same mark; they differ in how many rules a packet walks.
//
// `linear` is what people write by hand, one rule for each class, made safe for several peers and devices:
//
//     PREROUTING -j LBC
//     LBC  -i lo -j RETURN                                   what the director sends to itself
//     LBC  -m mac --mac-source PEER -g LBC-PEER              once for each MAC of each peer
//     LBC  -i eth0 -d VIP -p tcp --dport 80 -j MARK 0x3      once for each class
//     LBC-PEER  -d VIP -p tcp --dport 80 -j MARK G           with a guard: what a peer has balanced already, which may
//                                                            arrive from another network than clients do
//     OUTPUT -j LBC-OUT
//     LBC-OUT   -m mark --mark G -g LBC-GUARD                what IPVS would forward a second time
//     LBC-GUARD -d VIP -j MARK 0                             a changed mark routes anew: the VIP is local
//
// `tree` has the same chains. If one of them would be long, its rules lead to further chains by destination, then by
// protocol, then by port. A packet for none of the VIPs' networks leaves before it is compared with a MAC:
//
//     PREROUTING -d NETWORK -j LBC
//     LBC    -i lo, MACs of peers, as above
//     LBC    -d PART -g LBC-0                                up to 8 parts, each in its own chain
//     LBC-0  -d VIP -p tcp --dport 80 -j MARK 0x3            a leaf of up to 8 rules
//
// `ipset` looks up the mark of each VIP's ports in a kernel set. A tree handles what such a set cannot represent:
// prefixes, long ranges of ports, any port, MACs that bypass a service, and the chains of the guard.
//
//     LBC    -i lo, MACs of peers, as above
//     LBC    -j SET --map-set LBC-4-… dst,dst --map-mark
//     LBC    -d PREFIX -p tcp --dport 80 -j MARK 0x3         the rest
#pragma once

#include "compiler/plan/layout_function.hpp"

#include <array>
#include <string_view>

namespace lbc {

[[nodiscard]] Ruleset layout_linear(Site const& site, MarkTable const& table, Family family);
[[nodiscard]] Ruleset layout_tree(Site const& site, MarkTable const& table, Family family);
[[nodiscard]] Ruleset layout_ipset(Site const& site, MarkTable const& table, Family family);
/// `linear`, or `tree` if that saves a packet much time according to `layout_cost`. Never `ipset`, which needs modules
/// that not every kernel has.
[[nodiscard]] Ruleset layout_auto(Site const& site, MarkTable const& table, Family family);

struct NamedLayout {
    std::string_view name;
    Layout layout;
};
inline constexpr std::array layouts{NamedLayout{"auto", layout_auto}, NamedLayout{"linear", layout_linear},
                                    NamedLayout{"tree", layout_tree}, NamedLayout{"ipset", layout_ipset}};

} // namespace lbc
