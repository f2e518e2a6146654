#include "compiler/checks/checks.hpp"

#include <algorithm>
#include <set>

namespace lbc {
namespace {

/// A director that is a real server of a service, with a forwarding method that `wanted` accepts, while another
/// director balances the service.
template <typename Wanted>
std::optional<DirectorId> peer_real_server(Site const& site, Service const& service, Wanted wanted) {
    for (auto const& real : service.reals) {
        if (!wanted(real.forwarding.method))
            continue;
        auto const id = director_of(site, real);
        if (id && std::ranges::any_of(service.on, [&](ServiceOn const& on) { return on.director != *id; }))
            return id;
    }
    return std::nullopt;
}

void check_carried(Site const& site, Diagnostics& diagnostics) {
    std::set<IpAddress> carried;
    for (auto const& vrrp : site.vrrps)
        for (auto const& vip : vrrp.vips)
            carried.insert(vip.address);
    if (carried.empty())
        return;
    for (auto const& service : site.services)
        for (auto const& vip : service.vips)
            if (vip.value.is_host() && !carried.contains(vip.value.address))
                diagnostics.report(DiagId::vip_not_carried, vip.span,
                                   "no `vrrp` carries `{}`, while others are carried: it does not move when a director "
                                   "fails",
                                   vip.value.str());
}

void check_checks(Site const& site, Diagnostics& diagnostics) {
    if (site.ipvs != IpvsOwner::lbc)
        return;
    std::set<Span> spans;
    for (auto const& service : site.services) {
        for (auto const& check : service.checks)
            spans.insert(check.span);
        for (auto const& real : service.reals)
            for (auto const& check : real.checks)
                spans.insert(check.span);
    }
    if (!spans.empty())
        diagnostics.report(DiagId::check_not_run, *spans.begin(),
                           "nothing runs checks under `ipvs lbc` ({} in this site); write `ipvs keepalived` to have "
                           "keepalived run them",
                           spans.size());
}

void check_virtual_macs(Site const& site, Diagnostics& diagnostics) {
    for (auto const& vrrp : site.vrrps) {
        if (!vrrp.virtual_mac)
            continue;
        for (auto const& vip : vrrp.vips) {
            // RFC 5798, 7.3.
            std::uint8_t const family = vip.address.family() == Family::ipv4 ? 1 : 2;
            MacAddress const mac{{0x00, 0x00, 0x5e, 0x00, family, vrrp.router_id}};
            auto const lacks = std::ranges::find_if(vrrp.priorities, [&](auto const& member) {
                return std::ranges::find(site[member.first].macs, mac, &Located<MacAddress>::value) ==
                       site[member.first].macs.end();
            });
            if (lacks != vrrp.priorities.end()) {
                diagnostics.report(DiagId::virtual_mac_unlisted, vrrp.name.span,
                                   "director `{}` does not list `{}`, the virtual MAC of `{}`; add it to `mac` if "
                                   "forwarded packets can carry it",
                                   site[lacks->first].name.value, mac.str(), vrrp.name.value);
                break;
            }
        }
    }
}

void check_unused_directors(Site const& site, Diagnostics& diagnostics) {
    if (site.incomplete || std::ranges::any_of(site.services, &Service::incomplete))
        return; // the mistake may hide the use of a director
    for (std::size_t i = 0; i < site.directors.size(); ++i) {
        DirectorId const id{i};
        auto const used = std::ranges::any_of(site.services, [&](Service const& service) {
            return service.on_director(id) != nullptr ||
                   std::ranges::any_of(service.reals, [&](auto const& real) { return director_of(site, real) == id; });
        });
        if (!used)
            diagnostics.report(DiagId::unused, site[id].name.span, "director `{}` balances nothing and serves nothing",
                               site[id].name.value);
    }
}

std::string_view cost_of_switch(GuardMode guard) {
    switch (guard) {
    case GuardMode::local: return "flows that the other remembers are then served where they arrive";
    case GuardMode::drop: return "flows that the other remembers are then dropped for as long as their clients go on";
    case GuardMode::backup_only: return "flows are then served where they arrive";
    case GuardMode::off: break;
    }
    return "flows that the other remembers then go round until their TTL is gone";
}

void check_udp(Site const& site, Service const& service, Diagnostics& diagnostics) {
    auto const udp = std::ranges::find_if(service.ports, [](PortClaim const& claim) {
        return claim.protocol == Protocol::udp || claim.protocol == Protocol::any;
    });
    if (udp == service.ports.end() || service.one_packet)
        return;
    auto const direct = [](Forwarding::Method method) { return method != Forwarding::Method::nat; };
    if (auto const id = peer_real_server(site, service, direct))
        diagnostics.report(DiagId::udp_failover, udp->span,
                           "`{}` balances UDP on directors that are its real servers, such as `{}`; when they switch "
                           "roles, {}; `one-packet` remembers none",
                           service.name.value, site[*id].name.value, cost_of_switch(site.guard));
}

void check_tunnels(Site const& site, Service const& service, Diagnostics& diagnostics) {
    if (site.guard != GuardMode::local && site.guard != GuardMode::drop)
        return;
    auto const tunnel = [](Forwarding::Method method) { return method == Forwarding::Method::tun; };
    if (auto const id = peer_real_server(site, service, tunnel))
        diagnostics.report(
            DiagId::tunnel_guard, service.name.span,
            "`{}` reaches director `{}` through a tunnel: what comes out of it has no source MAC, so the "
            "guard does not see flows that `{}` remembers from an earlier role",
            service.name.value, site[*id].name.value, site[*id].name.value);
}

void check_sync_marks(Site const& site, Service const& service, Diagnostics& diagnostics) {
    if (!site.sync || service.on.empty())
        return;
    for (auto const& on : service.on)
        if (on.mark != service.on.front().mark) {
            diagnostics.report(DiagId::sync_marks_differ, on.span,
                               "the marks of `{}` differ between directors: a synchronised connection finds its real "
                               "server by mark; use one mark everywhere",
                               service.name.value);
            return;
        }
}

} // namespace

void check_habits(Site const& site, Diagnostics& diagnostics) {
    check_carried(site, diagnostics);
    check_checks(site, diagnostics);
    check_virtual_macs(site, diagnostics);
    check_unused_directors(site, diagnostics);
    for (auto const& service : site.services) {
        check_udp(site, service, diagnostics);
        check_tunnels(site, service, diagnostics);
        check_sync_marks(site, service, diagnostics);
    }
}

void check(Site const& site, Diagnostics& diagnostics) {
    if (!check_sizes(site, diagnostics))
        return;
    check_claims(site, diagnostics);
    check_marks(site, diagnostics);
    check_directors(site, diagnostics);
    check_reals(site, diagnostics);
    check_roles(site, diagnostics);
    check_keepalived(site, diagnostics);
    check_habits(site, diagnostics);
    check_loops(site, diagnostics);
}

} // namespace lbc
