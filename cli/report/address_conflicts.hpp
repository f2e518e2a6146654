// Finds the services by address in a kernel's IPVS that conflict with services of a site.
#pragma once

#include "cli/report/verify_report.hpp"
#include "compiler/plan/plan.hpp"

#include <span>
#include <vector>

namespace lbc {

/// One for each class of the mark table and each service by address that takes some of its packets.
[[nodiscard]] std::vector<AddressConflict> address_conflicts(Site const& site, Plan const& plan,
                                                             std::span<IpvsAddress const> services);

} // namespace lbc
