// From a plan to what IPVS is to hold, and from what it holds to the writes that bring it there.
#pragma once

#include "backends/ipvs/ipvs.hpp"

namespace lbc {

/// A plan's virtual services as IPVS reads them back, in the order of the source.
[[nodiscard]] std::vector<IpvsService> ipvs_services(Plan const& plan);

/// A service that IPVS holds in a plan's words, for people to compare; it belongs to no service of a site.
[[nodiscard]] VirtualService virtual_service(IpvsService const& service);

/// The daemons of both roles; none where the roles follow a VRRP instance, which starts them itself.
[[nodiscard]] std::vector<SyncDaemon> sync_daemons(Site const& site);

/// What leads from one state to another without losing a connection that both can hold: services and real servers that
/// are in both are changed in place, and what is equal is not written.
struct IpvsDifference {
    std::vector<IpvsChange> grow;   // what is new or changes, before marks lead to it
    std::vector<IpvsChange> shrink; // what leaves, once no mark leads to it

    [[nodiscard]] bool empty() const { return grow.empty() && shrink.empty(); }
};
[[nodiscard]] IpvsDifference ipvs_difference(std::span<IpvsService const> from, std::span<IpvsService const> to);

/// The same with every real server that leaves at weight 0 in place of its removal, and every service that leaves kept.
[[nodiscard]] std::vector<IpvsChange> drained(IpvsDifference const& difference);

} // namespace lbc
