// Checks of a whole site. Each function reports the breaches of one group of rules and changes nothing. Private to the
// compiler.
#pragma once

#include "compiler/site/resolve.hpp"
#include "grammar/diagnostic.hpp"

namespace lbc {

/// The work and output that the site causes on its directors are bounded, even where lists multiply. Returns false if
/// not; then the other checks must not run, because they would take as long as what is refused.
[[nodiscard]] bool check_sizes(Site const& site, Diagnostics& diagnostics);
/// No packet belongs to two services of a director.
void check_claims(Site const& site, Diagnostics& diagnostics);
/// No mark belongs to two services of a director, and no pinned mark looks like another program's.
void check_marks(Site const& site, Diagnostics& diagnostics);
/// Peers can recognise each other's packets: the MACs they need are listed, and each belongs to one director.
void check_directors(Site const& site, Diagnostics& diagnostics);
/// Every VIP has real servers of its family. None of them is the VIP itself, and not all have weight 0.
void check_reals(Site const& site, Diagnostics& diagnostics);
/// VRRP instances, the sync daemon and the guard fit together.
void check_roles(Site const& site, Diagnostics& diagnostics);
/// keepalived can represent the parts of the site that are written for it.
void check_keepalived(Site const& site, Diagnostics& diagnostics);
/// Warns of what is legal but probably not intended.
void check_habits(Site const& site, Diagnostics& diagnostics);
/// No packet is balanced twice. This is proved for every packet of a site without errors.
void check_loops(Site const& site, Diagnostics& diagnostics);

} // namespace lbc
