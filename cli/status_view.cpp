#include "cli/status_view.hpp"

#include "backends/ipvs/ipvs_plan.hpp"

#include <algorithm>
#include <ranges>

namespace lbc {
namespace {

std::string director_name(Site const& site, IpAddress const& address) {
    for (auto const& director : site.directors)
        for (auto const& own : director.addresses)
            if (own.value == address)
                return director.name.value;
    return {};
}

IpvsReal const* find(std::vector<IpvsReal> const& reals, Destination const& wanted) {
    auto const found = std::ranges::find_if(reals, [&](IpvsReal const& real) {
        return real.server.address == wanted.address && real.server.port == wanted.port;
    });
    return found == reals.end() ? nullptr : &*found;
}

/// `now` is null where the kernel lacks it.
RealView compare_real(IpvsReal const& wanted, IpvsReal const* now, bool keepalived) {
    RealView view{.real = now == nullptr ? wanted : *now, .director = {}, .site_weight = wanted.server.weight};
    if (now == nullptr)
        view.presence = keepalived ? Presence::down : Presence::missing;
    else if (keepalived && now->server.weight == 0 && wanted.server.weight != 0)
        view.presence = Presence::down;
    else if (!now->same_settings(wanted))
        view.presence = Presence::differs;
    return view;
}

ServiceView compare_service(std::string name, IpvsService const& wanted, IpvsService const* now, bool keepalived) {
    ServiceView view{.name = std::move(name), .service = now == nullptr ? wanted : *now, .reals = {}};
    if (now == nullptr)
        view.presence = Presence::missing;
    else if (now->parameters != wanted.parameters)
        view.presence = Presence::differs;
    for (auto const& real : wanted.reals)
        view.reals.push_back(
            compare_real(real, now == nullptr ? nullptr : find(now->reals, real.server), keepalived && now != nullptr));
    for (auto const& real : view.service.reals)
        if (now != nullptr && find(wanted.reals, real.server) == nullptr)
            view.reals.push_back({.real = real, .director = {}, .site_weight = {}, .presence = Presence::extra});
    return view;
}

bool is_difference(Presence presence) { return presence != Presence::as_site && presence != Presence::down; }

} // namespace

std::string_view to_string(Presence presence) {
    switch (presence) {
    case Presence::as_site: return "ok";
    case Presence::differs: return "differs";
    case Presence::missing: return "missing";
    case Presence::extra: return "extra";
    case Presence::down: break;
    }
    return "down";
}

std::size_t StatusView::reals() const {
    std::size_t count = 0;
    for (auto const& service : services)
        count += service.reals.size();
    return count;
}

std::size_t StatusView::differences() const {
    std::size_t count = 0;
    for (auto const& service : services) {
        count += is_difference(service.presence) ? 1 : 0;
        // Of a service that is missing or extra, its real servers are no further difference.
        if (service.presence == Presence::as_site || service.presence == Presence::differs)
            count += static_cast<std::size_t>(
                std::ranges::count_if(service.reals, [](auto const& real) { return is_difference(real.presence); }));
    }
    return count;
}

StatusView compare_status(Site const& site, Plan const& plan, std::vector<IpvsService> const& kernel, bool keepalived) {
    StatusView view;
    view.director = site[plan.director].name.value;
    auto const wanted = ipvs_services(plan);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto const now = std::ranges::lower_bound(kernel, wanted[i].key, {}, &IpvsService::key);
        bool const found = now != kernel.end() && now->key == wanted[i].key;
        view.services.push_back(compare_service(site.services[plan.services[i].service].name.value, wanted[i],
                                                found ? &*now : nullptr, keepalived));
    }
    std::vector<IpvsKey> keys;
    std::ranges::transform(wanted, std::back_inserter(keys), &IpvsService::key);
    std::ranges::sort(keys);
    for (auto const& service : kernel) {
        if (std::ranges::binary_search(keys, service.key))
            continue;
        auto& extra = view.services.emplace_back(compare_service({}, service, &service, false));
        extra.presence = Presence::extra;
    }
    for (auto& service : view.services)
        for (auto& real : service.reals)
            real.director = director_name(site, real.real.server.address);
    return view;
}

} // namespace lbc
