// Services by address in a kernel's IPVS that are in the way of a site's.
#pragma once

#include "cli/verify_report.hpp"
#include "compiler/plan.hpp"

#include <span>
#include <vector>

namespace lbc {

/// One for each class of packets and service that takes some of it.
[[nodiscard]] std::vector<AddressConflict> address_conflicts(Site const& site, Plan const& plan,
                                                             std::span<IpvsAddress const> services);

} // namespace lbc
