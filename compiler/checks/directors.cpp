#include "compiler/checks/checks.hpp"

#include <algorithm>
#include <map>

namespace lbc {
namespace {

/// Whether a director can receive packets of a service that another director has balanced.
bool is_real_server(Site const& site, Service const& service, DirectorId id) {
    return std::ranges::any_of(service.reals, [&](RealServer const& real) {
        return real.forwarding.method != Forwarding::Method::nat && director_of(site, real) == id;
    });
}

Span real_span(Site const& site, Service const& service, DirectorId id) {
    for (auto const& real : service.reals)
        if (director_of(site, real) == id)
            return real.span;
    return service.name.span;
}

bool share_port(PortClaim const& a, PortClaim const& b) {
    if (a.protocol != b.protocol)
        return a.protocol == Protocol::any || b.protocol == Protocol::any;
    return std::ranges::any_of(a.ports, [&](PortRange const& mine) {
        return std::ranges::any_of(b.ports, [&](PortRange const& other) { return mine.overlaps(other); });
    });
}

/// Whether a packet of one service could be taken for a packet of the other.
bool share_packets(Service const& a, Service const& b) {
    auto const share_vip = std::ranges::any_of(a.vips, [&](auto const& mine) {
        return std::ranges::any_of(b.vips, [&](auto const& other) {
            return mine.value.contains(other.value) || other.value.contains(mine.value);
        });
    });
    return share_vip && std::ranges::any_of(a.ports, [&](PortClaim const& mine) {
               return std::ranges::any_of(b.ports, [&](PortClaim const& other) { return share_port(mine, other); });
           });
}

/// Whether a director would balance packets of `service`, as this or as another service.
bool takes(Site const& site, Service const& service, DirectorId id) {
    return std::ranges::any_of(site.services, [&](Service const& other) {
        return other.on_director(id) != nullptr && (&other == &service || share_packets(service, other));
    });
}

void check_mac(Site const& site, Service const& service, DirectorId id, Diagnostics& diagnostics) {
    auto const& director = site[id];
    auto const others_balance = std::ranges::any_of(service.on, [&](ServiceOn const& on) { return on.director != id; });
    if (others_balance && is_real_server(site, service, id)) {
        diagnostics
            .report(DiagId::missing_mac, director.name.span,
                    "director `{}` has no `mac` and is a real server of `{}`: the other directors could not tell its "
                    "packets, which would loop",
                    director.name.value, service.name.value)
            .note(real_span(site, service, id), "real server here");
        return;
    }
    if (service.on_director(id) == nullptr)
        return;
    for (std::size_t i = 0; i < site.directors.size(); ++i) {
        DirectorId const peer{i};
        if (peer != id && is_real_server(site, service, peer) && takes(site, service, peer))
            diagnostics
                .report(DiagId::missing_mac, director.name.span,
                        "director `{}` has no `mac`: `{}`, a real server of `{}`, could not tell its packets and would "
                        "balance them again",
                        director.name.value, site[peer].name.value, service.name.value)
                .note(real_span(site, service, peer), "real server here");
    }
}

void check_host_names(Site const& site, Diagnostics& diagnostics) {
    std::map<std::string_view, Director const*> owners;
    for (auto const& director : site.directors) {
        auto const [at, fresh] = owners.try_emplace(director.hostname, &director);
        if (!fresh)
            diagnostics
                .report(DiagId::duplicate_name, director.name.span, "`{}` is the host name of director `{}` already",
                        director.hostname, at->second->name.value)
                .note(at->second->name.span, "the first one");
    }
}

} // namespace

void check_directors(Site const& site, Diagnostics& diagnostics) {
    std::map<MacAddress, std::pair<Director const*, Span>> owners;
    std::map<IpAddress, std::pair<Director const*, Span>> addresses;
    for (auto const& director : site.directors) {
        for (auto const& mac : director.macs) {
            auto const [at, fresh] = owners.try_emplace(mac.value, &director, mac.span);
            if (!fresh && !mac.value.is_vrrp()) // a VRRP MAC moves between directors
                diagnostics
                    .report(DiagId::duplicate_mac, mac.span, "`{}` is director `{}`'s MAC already", mac.value.str(),
                            at->second.first->name.value)
                    .note(at->second.second, "first given here");
        }
        for (auto const& address : director.addresses) {
            auto const [at, fresh] = addresses.try_emplace(address.value, &director, address.span);
            if (!fresh)
                diagnostics
                    .report(DiagId::duplicate_address, address.span, "`{}` is director `{}`'s address already",
                            address.value.str(), at->second.first->name.value)
                    .note(at->second.second, "first given here");
        }
    }
    check_host_names(site, diagnostics);
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        if (site.directors[i].macs.empty() && !site.directors[i].incomplete)
            for (auto const& service : site.services)
                check_mac(site, service, DirectorId{i}, diagnostics);
}

} // namespace lbc
