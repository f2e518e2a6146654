#include "compiler/checks/checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace lbc {
namespace {

std::string joined(std::vector<IpAddress> const& addresses) {
    std::vector<std::string> texts;
    for (auto const& address : addresses)
        texts.push_back(address.str());
    return fmt::format("{}", fmt::join(texts, ", "));
}

/// Each director sends unicast adverts from exactly one address of the right family.
void check_unicast(Site const& site, Vrrp const& vrrp, Diagnostics& diagnostics) {
    auto const takes_part = [&](DirectorId director) {
        return std::ranges::any_of(vrrp.priorities, [&](auto const& entry) { return entry.first == director; });
    };
    for (auto const& [id, address] : vrrp.unicast_addresses)
        if (address.value.family() != vrrp.family())
            diagnostics.report(DiagId::unicast_address, address.span,
                               "`{}` is no {} address, which the first VIP of `{}` wants", address.value.str(),
                               title(vrrp.family()), vrrp.name.value);
        else if (!takes_part(id))
            diagnostics.report(DiagId::unicast_address, address.span, "director `{}` has no `priority` in `{}`",
                               site[id].name.value, vrrp.name.value);
    for (auto const& [id, priority] : vrrp.priorities) {
        auto const& director = site[id];
        auto const candidates = unicast_candidates(site, vrrp, id);
        if (candidates.size() == 1 || director.incomplete)
            continue;
        if (!director.address(vrrp.family())) {
            diagnostics
                .report(DiagId::missing_address, vrrp.name.span, "`unicast` needs an {} `address` of director `{}`",
                        title(vrrp.family()), director.name.value)
                .note(director.span, "the director");
            continue;
        }
        auto const example = candidates.empty() ? *director.address(vrrp.family()) : candidates.front();
        diagnostics
            .report(DiagId::unicast_address, vrrp.name.span,
                    "`{}` does not say which address of director `{}` is on `{}`: {}; write `unicast {} {}`, if that "
                    "is the one",
                    vrrp.name.value, director.name.value, vrrp.interface,
                    candidates.empty() ? "it has several, and none is in the network of a VIP"
                                       : fmt::format("{} are in the network of a VIP", joined(candidates)),
                    director.name.value, example.str())
            .note(director.span, "the director");
    }
}

void check_instances(Site const& site, Diagnostics& diagnostics) {
    std::map<std::tuple<std::string, std::uint8_t, Family>, Vrrp const*> routers;
    std::map<IpAddress, std::pair<Vrrp const*, Span>> carriers;
    for (auto const& vrrp : site.vrrps) {
        for (auto const& vip : vrrp.vips) {
            auto const [router, first] =
                routers.try_emplace({vrrp.interface, vrrp.router_id, vip.address.family()}, &vrrp);
            if (!first && router->second != &vrrp)
                diagnostics
                    .report(DiagId::duplicate_router_id, vrrp.name.span,
                            "`{}` has router-id {} on `{}`, which is `{}`'s already", vrrp.name.value, vrrp.router_id,
                            vrrp.interface, router->second->name.value)
                    .note(router->second->name.span, "first used here");
            auto const [carrier, fresh] = carriers.try_emplace(vip.address, &vrrp, vip.span);
            if (!fresh)
                diagnostics
                    .report(DiagId::duplicate_vip, vip.span, "`{}` is carried by `{}` already", vip.address.str(),
                            carrier->second.first->name.value)
                    .note(carrier->second.second, "first given here");
        }
        if (vrrp.unicast)
            check_unicast(site, vrrp, diagnostics);
    }
}

void check_guard(Site const& site, Diagnostics& diagnostics) {
    if (site.guard != GuardMode::backup_only)
        return;
    constexpr std::string_view reason = "`guard backup-only` follows the sync daemon, so it needs";
    if (!site.sync || site.vrrps.size() != 1) {
        diagnostics.report(DiagId::guard_requires, site.guard_span,
                           "{} `sync` and exactly one `vrrp`; this site has {} and {}", reason,
                           site.sync ? "`sync`" : "no `sync`", site.vrrps.size());
    } else if (!site.sync->instance) {
        diagnostics.report(DiagId::guard_requires, site.sync->span,
                           "{} `instance {}` in `sync`: without it every director runs both roles, which switches IPVS "
                           "off everywhere",
                           reason, site.vrrps.front().name.value);
    }
}

} // namespace

void check_roles(Site const& site, Diagnostics& diagnostics) {
    check_instances(site, diagnostics);
    check_guard(site, diagnostics);
}

} // namespace lbc
