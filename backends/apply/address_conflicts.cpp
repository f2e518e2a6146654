#include "backends/apply/address_conflicts.hpp"

namespace lbc {

std::vector<AddressConflict> address_conflicts(Site const& site, Plan const& plan,
                                               std::span<IpvsAddress const> services) {
    std::vector<AddressConflict> conflicts;
    for (auto const& mark_class : plan.marks.classes)
        for (auto const& service : services)
            if (mark_class.destination.contains(service.address) &&
                mark_class.takes(service.protocol,
                                 service.port == Port{} ? PortRange::all() : PortRange{service.port, service.port}))
                conflicts.push_back({site.services[mark_class.service].name.value, service});
    return conflicts;
}

} // namespace lbc
