// The kernel of this machine, in this network namespace: the legacy mangle tables by libiptc, IPVS by netlink, and
// lbc's record under /run/lbc.
#pragma once

#include "backends/kernel.hpp"

namespace lbc {

[[nodiscard]] std::unique_ptr<Kernel> make_system_kernel();

} // namespace lbc
