#include "compiler/checks/checks.hpp"

#include <algorithm>

namespace lbc {
namespace {

/// Warns of real servers that no virtual service uses, because no VIP is of their family.
void report_unusable(Service const& service, Diagnostics& diagnostics) {
    if (std::ranges::all_of(service.reals, [&](auto const& real) { return service.has_vip(real.address.family()); }))
        return;
    std::vector<bool> used(service.reals.size(), service.vips.empty());
    for (auto const family : families)
        if (service.has_vip(family))
            for (auto const index : service.reals_for(family))
                used[index] = true;
    for (std::size_t i = 0; i < used.size(); ++i)
        if (!used[i] && !service.incomplete)
            diagnostics.report(DiagId::unused, service.reals[i].span, "no VIP of `{}` can lead to `{}`: none is {}",
                               service.name.value, service.reals[i].address.str(),
                               title(service.reals[i].address.family()));
}

} // namespace

void check_reals(Site const& site, Diagnostics& diagnostics) {
    for (auto const& service : site.services) {
        for (auto const family : families) {
            auto const vip =
                std::ranges::find_if(service.vips, [&](auto const& v) { return v.value.family() == family; });
            if (vip != service.vips.end() && !service.has_reals_for(family) && !service.incomplete)
                diagnostics.report(DiagId::no_real_server, vip->span, "`{}` has no {} real server for this address",
                                   service.name.value, title(family));
        }
        report_unusable(service, diagnostics);
        for (auto const& real : service.reals)
            for (auto const& vip : service.vips)
                if (vip.value == Prefix::host(real.address))
                    diagnostics
                        .report(DiagId::real_is_vip, real.span, "`{}` is a VIP of `{}`: what goes there is balanced",
                                real.address.str(), service.name.value)
                        .note(vip.span, "the VIP");
        if (!service.reals.empty() && !service.incomplete &&
            std::ranges::all_of(service.reals, [](auto const& r) { return r.weight == 0; }))
            diagnostics.report(DiagId::all_drained, service.name.span,
                               "every real server of `{}` has weight 0: no new connection is served",
                               service.name.value);
    }
}

} // namespace lbc
