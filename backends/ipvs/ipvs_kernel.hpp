// The IPVS of this network namespace by generic netlink.
#pragma once

#include "backends/ipvs/ipvs.hpp"

#include <memory>

namespace lbc {

/// Loads the module `ip_vs` where it is missing. `unsupported` where the kernel has no IPVS.
[[nodiscard]] std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs_netlink();

} // namespace lbc
