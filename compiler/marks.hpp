// Marks by allocation: a service without a `mark` gets one that depends on its name alone, so that adding or removing
// another service leaves it as it is.
#pragma once

#include "compiler/site.hpp"
#include "grammar/diagnostic.hpp"

namespace lbc {

/// Gives every service on every director its mark, and the guard its own where there is one. The guard's is the
/// highest mark of the range that no service has pinned. A service's is its name's hash (FNV-1a, 32 bits) into the
/// range; where that is taken, the next free one, in the order of the source, with a warning.
void allocate_marks(Site& site, Diagnostics& diagnostics);

} // namespace lbc
