// What a director's firewall must let through for the pair itself: VRRP, the IPVS sync daemon and BFD. A pair whose
// firewall eats VRRP has the VIP on both boxes.
#pragma once

#include "compiler/plan.hpp"

#include <string>

namespace lbc {

/// The input of `iptables-restore --noflush`, or of ip6tables-restore, that makes the chains LBC-FIREWALL and
/// LBC-FIREWALL-OUT of the filter table anew. The jumps to them are the operator's, who knows what drops packets where.
[[nodiscard]] std::string firewall_text(Site const& site, Plan const& plan, Family family);

/// Whether there is anything to let through.
[[nodiscard]] bool needs_firewall(Site const& site, Plan const& plan, Family family);

} // namespace lbc
