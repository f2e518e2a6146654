#include "backends/apply/compare_services.hpp"

#include "backends/apply/ipvs_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace lbc {
namespace {

/// What a write is for: a service, or one of its real servers.
using Place = std::tuple<ServiceKey, IpAddress, Port>;
using Differences = std::map<Place, Presence>;

Place place_of(ServiceKey key) { return {key, {}, {}}; }
Place place_of(ServiceKey key, Destination const& real) { return {key, real.address, real.port}; }

Presence presence_of(IpvsChange::Action action) {
    using Action = IpvsChange::Action;
    if (action == Action::add_service || action == Action::add_real)
        return Presence::missing;
    return action == Action::delete_service || action == Action::delete_real ? Presence::extra : Presence::differs;
}

Differences differences_of(std::vector<IpvsService> const& now, std::vector<IpvsService> const& wanted) {
    Differences differences;
    auto const writes = ipvs_difference(now, wanted);
    for (auto const* part : {&writes.grow, &writes.shrink})
        for (auto const& write : *part)
            differences[write.action < IpvsChange::Action::add_real ? place_of(write.key)
                                                                    : place_of(write.key, write.real)] =
                presence_of(write.action);
    return differences;
}

/// What the writes make of it; `otherwise`: none is for it.
Presence find(Differences const& differences, Place const& place, Presence otherwise) {
    auto const found = differences.find(place);
    return found == differences.end() ? otherwise : found->second;
}

IpvsReal const* find(std::vector<IpvsReal> const& reals, Destination const& like) {
    auto const found =
        std::ranges::find_if(reals, [&](IpvsReal const& real) { return real.server.is_same_server(like); });
    return found == reals.end() ? nullptr : &*found;
}

IpvsService const* find(std::vector<IpvsService> const& services, ServiceKey key) {
    auto const found = std::ranges::lower_bound(services, key, {}, &IpvsService::key);
    return found != services.end() && found->key == key ? &*found : nullptr;
}

/// `now` is null if the kernel lacks it. What only health checks have done is no write.
ComparedService compare_service(std::string name, IpvsService const& wanted, IpvsService const* now,
                                Differences const& differences) {
    auto const key = wanted.key;
    ComparedService compared{std::move(name), now == nullptr ? wanted : *now};
    compared.presence = find(differences, place_of(key), Presence::as_site);
    for (auto const& meant : wanted.reals) {
        auto const* real = now == nullptr ? nullptr : find(now->reals, meant.server);
        bool const is_down = real == nullptr || (real->server.weight == 0 && meant.server.weight != 0);
        compared.reals.push_back(
            {real == nullptr ? meant : *real, meant.server.weight,
             find(differences, place_of(key, meant.server), is_down ? Presence::down : Presence::as_site),
             real != nullptr});
    }
    for (auto const& real : compared.service.reals)
        if (find(wanted.reals, real.server) == nullptr)
            compared.reals.push_back(
                {real, std::nullopt, find(differences, place_of(key, real.server), Presence::sorry)});
    return compared;
}

std::string director_name(Site const& site, IpAddress const& address) {
    for (auto const& director : site.directors)
        for (auto const& own : director.addresses)
            if (own.value == address)
                return director.name.value;
    return {};
}

} // namespace

std::string_view to_string(Presence presence) {
    switch (presence) {
    case Presence::as_site: return "ok";
    case Presence::differs: return "differs";
    case Presence::missing: return "missing";
    case Presence::extra: return "extra";
    case Presence::down: return "down";
    case Presence::sorry: break;
    }
    return "sorry";
}

bool ComparedService::is_down() const {
    auto const takes_any = [](ComparedReal const& one) { return one.is_there && one.real.server.weight > 0; };
    return std::ranges::find(reals, Presence::down, &ComparedReal::presence) != reals.end() &&
           std::ranges::none_of(reals, takes_any);
}

bool is_difference(Presence presence) {
    return presence != Presence::as_site && presence != Presence::down && presence != Presence::sorry;
}

IpvsService as_if_checked(IpvsService now, KeepalivedService const& wanted) {
    std::erase_if(now.reals, [&](IpvsReal const& real) {
        return wanted.sorry == real.server.address && find(wanted.service.reals, real.server) == nullptr;
    });
    for (auto const& meant : wanted.service.reals) {
        auto const real = std::ranges::find_if(
            now.reals, [&](IpvsReal const& other) { return other.server.is_same_server(meant.server); });
        if (real == now.reals.end())
            now.reals.push_back(meant);
        else if (wanted.dynamic || real->server.weight == 0)
            real->server.weight = meant.server.weight;
    }
    return now;
}

std::vector<ComparedService> compare_services(Site const& site, Plan const& plan,
                                              std::vector<IpvsService> const& kernel) {
    auto const services = keepalived_services(site, plan);
    std::vector<IpvsService> wanted;
    std::ranges::transform(services, std::back_inserter(wanted), &KeepalivedService::service);
    auto passed = kernel;
    if (site.ipvs == IpvsOwner::keepalived)
        for (auto const& service : services)
            if (auto const* now = find(kernel, service.service.key))
                passed[static_cast<std::size_t>(now - kernel.data())] = as_if_checked(*now, service);
    auto const differences = differences_of(passed, wanted);
    std::vector<ComparedService> compared;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        compared.push_back(compare_service(
            i < plan.services.size() ? site.services[plan.services[i].service].name.value
                                     : fmt::format("checks of {}", wanted[i].reals.front().server.address.str()),
            wanted[i], find(kernel, wanted[i].key), differences));
    for (auto const& service : kernel)
        if (std::ranges::find(wanted, service.key, &IpvsService::key) == wanted.end())
            compared.push_back(compare_service({}, service, &service, differences));
    for (auto& service : compared)
        for (auto& real : service.reals)
            real.director = director_name(site, real.real.server.address);
    return compared;
}

} // namespace lbc
