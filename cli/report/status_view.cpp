#include "cli/report/status_view.hpp"

#include "backends/apply/keepalived_step.hpp"
#include "cli/report/write_lines.hpp"

#include <fmt/format.h>

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
    auto const found =
        std::ranges::find_if(reals, [&](IpvsReal const& real) { return real.server.is_same_server(wanted); });
    return found == reals.end() ? nullptr : &*found;
}

/// `now` is null if the kernel lacks it. `checks` is null if only lbc changes it.
RealView compare_real(IpvsReal const& wanted, IpvsReal const* now, KeepalivedService const* checks) {
    RealView view{.real = now == nullptr ? wanted : *now, .director = {}, .site_weight = wanted.server.weight};
    view.is_there = now != nullptr;
    if (now == nullptr) {
        view.presence = checks != nullptr ? Presence::down : Presence::missing;
        return view;
    }
    auto meant = wanted;
    if (checks != nullptr && checks->dynamic)
        meant.server.weight = now->server.weight;
    if (checks != nullptr && now->server.weight == 0 && wanted.server.weight != 0)
        view.presence = Presence::down;
    else if (!now->same_settings(meant))
        view.presence = Presence::differs;
    return view;
}

bool is_sorry(KeepalivedService const* checks, IpvsReal const& real) {
    return checks != nullptr && std::ranges::any_of(checks->sorry, [&](IpvsReal const& sorry) {
               return sorry.server.address == real.server.address;
           });
}

/// `now` is null if the kernel lacks it.
ServiceView compare_service(std::string name, IpvsService const& wanted, IpvsService const* now,
                            KeepalivedService const* checks) {
    ServiceView view{.name = std::move(name), .service = now == nullptr ? wanted : *now, .reals = {}};
    if (now == nullptr)
        view.presence = Presence::missing;
    else if (now->parameters != wanted.parameters)
        view.presence = Presence::differs;
    for (auto const& real : wanted.reals)
        view.reals.push_back(now == nullptr ? compare_real(real, nullptr, nullptr)
                                            : compare_real(real, find(now->reals, real.server), checks));
    for (auto const& real : view.service.reals)
        if (now != nullptr && find(wanted.reals, real.server) == nullptr)
            view.reals.push_back({.real = real,
                                  .director = {},
                                  .site_weight = {},
                                  .presence = is_sorry(checks, real) ? Presence::sorry : Presence::extra});
    return view;
}

bool is_difference(Presence presence) {
    return presence != Presence::as_site && presence != Presence::down && presence != Presence::sorry;
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

std::size_t StatusView::reals() const {
    std::size_t count = 0;
    for (auto const& service : services)
        count += service.reals.size();
    return count;
}

std::size_t StatusView::rules_that_differ() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(marks, [](auto const& table) { return is_difference(table.presence); }));
}

std::size_t StatusView::services_that_differ() const {
    std::size_t count = 0;
    for (auto const& service : services) {
        count += is_difference(service.presence) ? 1 : 0;
        // The real servers of a missing or extra service are no further differences.
        if (service.presence == Presence::as_site || service.presence == Presence::differs)
            count += static_cast<std::size_t>(
                std::ranges::count_if(service.reals, [](auto const& real) { return is_difference(real.presence); }));
    }
    return count;
}

bool StatusView::mends_services() const {
    return !around.keepalived || (around.keepalived->runs && !around.keepalived->has_site_file);
}

std::size_t StatusView::differences() const {
    auto count = rules_that_differ() + (daemons_differ ? 1 : 0);
    count += static_cast<std::size_t>(
        std::ranges::count_if(settings, [](auto const& setting) { return setting.value != setting.site_value; }));
    if (around.keepalived)
        count += around.keepalived->has_site_file ? 0 : 1;
    return count + (mends_services() ? services_that_differ() : 0);
}

std::size_t StatusView::problems() const {
    return around.problems(rules_that_differ() > 0) + (mends_services() ? 0 : services_that_differ());
}

StatusView compare_status(Site const& site, Plan const& plan, std::vector<IpvsService> const& kernel) {
    StatusView view;
    view.director = site[plan.director].name.value;
    bool const checked = site.ipvs == IpvsOwner::keepalived;
    auto const wanted = keepalived_services(site, plan);
    std::vector<ServiceKey> keys;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto const& service = wanted[i].service;
        keys.push_back(service.key);
        auto const now = std::ranges::lower_bound(kernel, service.key, {}, &IpvsService::key);
        bool const found = now != kernel.end() && now->key == service.key;
        auto name = i < plan.services.size()
                        ? site.services[plan.services[i].service].name.value
                        : fmt::format("(checks of {})", plan.checks[i - plan.services.size()].real.address.str());
        view.services.push_back(
            compare_service(std::move(name), service, found ? &*now : nullptr, checked ? &wanted[i] : nullptr));
    }
    std::ranges::sort(keys);
    for (auto const& service : kernel) {
        if (std::ranges::binary_search(keys, service.key))
            continue;
        auto& extra = view.services.emplace_back(compare_service({}, service, &service, nullptr));
        extra.presence = Presence::extra;
    }
    for (auto& service : view.services)
        for (auto& real : service.reals)
            real.director = director_name(site, real.real.server.address);
    return view;
}

std::vector<MarksView> compare_status(std::vector<FamilyChange> const& tables, std::optional<NftChange> const& nft) {
    std::vector<MarksView> views;
    auto const add = [&](auto const& change, bool is_as_site) -> MarksView& {
        auto const& now = change.before;
        auto& view = views.emplace_back(MarksView{title_of(change), table_of(change), {}, 0, {}});
        if (!is_as_site)
            view.presence = now.empty()            ? Presence::missing
                            : change.after.empty() ? Presence::extra
                                                   : Presence::differs;
        return view;
    };
    for (auto const& table : tables) {
        if (table.before.empty() && table.after.empty())
            continue;
        auto& view = add(table, table.before == table.after);
        view.family = table.family;
        view.rules = rule_count(table.before);
    }
    if (nft && !(nft->before.empty() && nft->after.empty()))
        add(*nft, is_same(nft->before, nft->after)).rules = rule_count(nft->before);
    return views;
}

} // namespace lbc
