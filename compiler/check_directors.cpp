#include "compiler/checks.hpp"

#include <algorithm>
#include <map>

namespace lbc {
namespace {

/// Whether a director can be sent packets of a service that others have balanced.
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

void check_mac(Site const& site, Service const& service, DirectorId id, Diagnostics& diagnostics) {
    auto const& director = site[id];
    if (!director.macs.empty() || director.incomplete)
        return;
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
    for (auto const& on : service.on)
        if (on.director != id && is_real_server(site, service, on.director))
            diagnostics
                .report(DiagId::missing_mac, director.name.span,
                        "director `{}` has no `mac`: `{}`, a real server of `{}`, could not tell its packets and would "
                        "balance them again",
                        director.name.value, site[on.director].name.value, service.name.value)
                .note(real_span(site, service, on.director), "real server here");
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
    for (auto const& service : site.services)
        for (std::size_t i = 0; i < site.directors.size(); ++i)
            check_mac(site, service, DirectorId{i}, diagnostics);
}

} // namespace lbc
