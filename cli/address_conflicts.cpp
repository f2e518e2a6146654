#include "cli/address_conflicts.hpp"

#include <algorithm>

namespace lbc {
namespace {

bool takes(MarkClass const& mark_class, IpvsAddress const& service) {
    if (!mark_class.destination.contains(service.address))
        return false;
    if (mark_class.protocol != Protocol::any && static_cast<std::uint8_t>(mark_class.protocol) != service.protocol)
        return false;
    return service.port == Port{} || std::ranges::any_of(mark_class.ports, [&](PortRange const& range) {
               return range.first <= service.port && service.port <= range.last;
           });
}

} // namespace

std::vector<AddressConflict> address_conflicts(Site const& site, Plan const& plan,
                                               std::span<IpvsAddress const> services) {
    std::vector<AddressConflict> conflicts;
    for (auto const& mark_class : plan.marks.classes)
        for (auto const& service : services)
            if (takes(mark_class, service))
                conflicts.push_back({site.services[mark_class.service].name.value, service});
    return conflicts;
}

} // namespace lbc
