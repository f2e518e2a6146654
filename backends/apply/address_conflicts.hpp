// Finds the services by address in a kernel's IPVS that conflict with services of a site.
#pragma once

#include "backends/ipvs/ipvs.hpp"
#include "compiler/plan/plan.hpp"

#include <span>
#include <string>
#include <vector>

namespace lbc {

/// A service by address for packets of a service of the site. It takes those that the site leaves without a mark.
struct AddressConflict {
    std::string service;
    IpvsAddress by_address;
};

/// One for each class of the mark table and each service by address that takes some of its packets.
[[nodiscard]] std::vector<AddressConflict> address_conflicts(Site const& site, Plan const& plan,
                                                             std::span<IpvsAddress const> services);

} // namespace lbc
