// Converts a plan to the services that IPVS is to hold, and computes the writes that lead from one IPVS state to
// another. Reads and writes no kernel.
#pragma once

#include "backends/ipvs/ipvs.hpp"

namespace lbc {

/// A virtual service as IPVS reads it back.
[[nodiscard]] IpvsService ipvs_service(VirtualService const& service);

/// A plan's virtual services as IPVS reads them back, in the order of the source.
[[nodiscard]] std::vector<IpvsService> ipvs_services(Plan const& plan);

/// An IPVS service as a plan has one, for output that compares both. It belongs to no service of a site.
[[nodiscard]] VirtualService virtual_service(IpvsService const& service);

/// The daemons of both roles; none if the roles follow a VRRP instance, because keepalived then starts them.
[[nodiscard]] std::vector<SyncDaemon> sync_daemons(Site const& site);

/// The writes that lead from one state to another. They keep every connection that both states can hold: services and
/// real servers that are in both are changed in place, and equal ones are not written.
struct IpvsDifference {
    std::vector<IpvsChange> grow;   // additions and changes, before marks lead to them
    std::vector<IpvsChange> shrink; // removals, once no mark leads to what they remove

    [[nodiscard]] bool empty() const { return grow.empty() && shrink.empty(); }
};
[[nodiscard]] IpvsDifference ipvs_difference(std::span<IpvsService const> from, std::span<IpvsService const> to);

/// Replaces `difference.shrink` by a drain: a real server that leaves gets weight 0 instead of its removal, and a
/// service that leaves stays unchanged. A real server that has weight 0 already needs no write.
[[nodiscard]] std::vector<IpvsChange> drained(IpvsDifference const& difference);

} // namespace lbc
