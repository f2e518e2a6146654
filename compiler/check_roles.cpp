#include "compiler/checks.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace lbc {
namespace {

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
        for (auto const& [id, priority] : vrrp.priorities)
            if (vrrp.unicast && !site[id].address(vrrp.family()) && !site[id].incomplete)
                diagnostics
                    .report(DiagId::missing_address, vrrp.name.span, "`unicast` needs an {} `address` of director `{}`",
                            title(vrrp.family()), site[id].name.value)
                    .note(site[id].span, "the director");
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
