// Generates rules with which a director's firewall lets the pair's own traffic through: VRRP, the IPVS sync daemon and
// BFD. If a firewall drops VRRP, both boxes of the pair have the VIP.
#pragma once

#include "compiler/plan/plan.hpp"

#include <string>

namespace lbc {

/// Input for `iptables-restore --noflush`, or ip6tables-restore, that recreates the chains LBC-FIREWALL and
/// LBC-FIREWALL-OUT of the filter table. The operator adds the jumps to them, and knows what drops packets where.
[[nodiscard]] std::string firewall_text(Site const& site, Plan const& plan, Family family);

/// Whether there is anything to let through.
[[nodiscard]] bool needs_firewall(Site const& site, Plan const& plan, Family family);

} // namespace lbc
