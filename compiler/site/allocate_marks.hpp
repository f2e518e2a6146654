// Mark allocation: a service without a `mark` gets one that depends on its name alone, so adding or removing another
// service does not change it.
#pragma once

#include "compiler/site/site.hpp"
#include "grammar/diagnostic.hpp"

namespace lbc {

/// Gives every service its mark on every director, and the guard its own if there is one. The guard gets the highest
/// mark of the range that no service has pinned. A service gets the hash of its name (FNV-1a, 32 bits) reduced to the
/// range; if that mark is taken, the next free one, in source order, with a warning. Under `ipvs keepalived`, each
/// CheckWay also gets a mark.
void allocate_marks(Site& site, Diagnostics& diagnostics);

} // namespace lbc
