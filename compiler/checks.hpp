// Rules about a whole site. Each function reports the breaches of one group of rules and changes nothing. Private to
// the compiler.
#pragma once

#include "compiler/resolve.hpp"
#include "grammar/diagnostic.hpp"

namespace lbc {

/// What directors have for it is bounded, whatever lists multiply. False where it is not: the other rules would take as
/// long as what has been refused.
[[nodiscard]] bool check_sizes(Site const& site, Diagnostics& diagnostics);
/// No packet belongs to two services of a director.
void check_claims(Site const& site, Diagnostics& diagnostics);
/// No mark belongs to two services of a director; none looks like another program's.
void check_marks(Site const& site, Diagnostics& diagnostics);
/// Peers can tell each other's packets: MACs are there, and each is one director's.
void check_directors(Site const& site, Diagnostics& diagnostics);
/// Every VIP has real servers of its family, none of them the VIP itself, not all without weight.
void check_reals(Site const& site, Diagnostics& diagnostics);
/// VRRP instances, the sync daemon and the guard fit each other.
void check_roles(Site const& site, Diagnostics& diagnostics);
/// keepalived takes what the site has for it as it stands.
void check_keepalived(Site const& site, Diagnostics& diagnostics);
/// What is legal and probably not meant.
void check_habits(Site const& site, Diagnostics& diagnostics);
/// No packet is balanced twice: proved for every packet, of a site without errors.
void check_loops(Site const& site, Diagnostics& diagnostics);

} // namespace lbc
