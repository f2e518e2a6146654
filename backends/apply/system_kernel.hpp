// The kernel of this machine, in this network namespace: the legacy mangle tables through libiptc, IPVS through
// netlink, and lbc's record under /run/lbc.
#pragma once

#include "backends/apply/kernel.hpp"

namespace lbc {

[[nodiscard]] std::unique_ptr<Kernel> make_system_kernel();

} // namespace lbc
