// What a director's kernel holds of what is lbc's, read without a write, for commands that compare it with the site.
#pragma once

#include "backends/apply.hpp"
#include "compiler/diff/state.hpp"

namespace lbc {

struct KernelView {
    Record record;
    std::vector<FamilyChange> tables;  // of each family that there is: now, and what the site wants
    std::shared_ptr<Ipvs> ipvs;        // null where it was not asked
    std::vector<IpvsService> services; // that the site, the rules or the record make lbc's; sorted by key
};

/// Without services, IPVS is not asked, and need not be there.
[[nodiscard]] std::expected<KernelView, SystemError> read_kernel(Site const& site, Plan const& plan, Kernel& kernel,
                                                                 bool with_services = true);

/// The same as the state of a director, to be compared with what the site wants of it. What health checks have done to
/// real servers under `ipvs keepalived` is left out: it is as if all were well.
[[nodiscard]] DirectorState state_of(KernelView const& view, Site const& site, Plan const& plan,
                                     DirectorState const& wanted);

} // namespace lbc
