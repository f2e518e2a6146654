// The IPVS of this network namespace, through generic netlink.
#pragma once

#include "backends/ipvs/ipvs.hpp"

#include <memory>

namespace lbc {

/// Opens IPVS. Loads the module `ip_vs` if it is missing. `unsupported` if the kernel has no IPVS.
[[nodiscard]] std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs_netlink();

} // namespace lbc
