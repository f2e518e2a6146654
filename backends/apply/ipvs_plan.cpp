#include "backends/apply/ipvs_plan.hpp"

#include <fmt/format.h>

#include <linux/ip_vs.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace lbc {
namespace {

using Action = IpvsChange::Action;

std::pair<IpAddress, Port> key_of(IpvsReal const& real) { return {real.server.address, real.server.port}; }
ServiceKey key_of(IpvsService const& service) { return service.key; }

/// Finds items by their keys, which are unique.
template <typename T>
class ByKey {
public:
    explicit ByKey(std::span<T const> items) {
        sorted_.reserve(items.size());
        for (T const& item : items)
            sorted_.push_back(&item);
        std::ranges::sort(sorted_, {}, [](T const* item) { return key_of(*item); });
    }

    /// Null if there is none.
    [[nodiscard]] T const* find(T const& like) const {
        auto const key = key_of(like);
        auto const found = std::ranges::lower_bound(sorted_, key, {}, [](T const* item) { return key_of(*item); });
        return found != sorted_.end() && key_of(**found) == key ? *found : nullptr;
    }

private:
    std::vector<T const*> sorted_;
};

/// The flag of a scheduler's option, identified by the end of its name (linux/ip_vs.h).
std::uint32_t flag_of(std::string const& name) {
    if (name == "flag-1" || name.ends_with("-fallback"))
        return IP_VS_SVC_F_SCHED1;
    return name == "flag-2" || name.ends_with("-port") ? IP_VS_SVC_F_SCHED2 : IP_VS_SVC_F_SCHED3;
}

IpvsParameters parameters_of(VirtualService const& service) {
    IpvsParameters parameters{.scheduler = service.scheduler.name};
    int const bits = service.family == Family::ipv4 ? 32 : 128;
    parameters.netmask = bits;
    if (service.persistence) {
        parameters.flags |= IP_VS_SVC_F_PERSISTENT;
        parameters.timeout = static_cast<std::uint32_t>(service.persistence->timeout.count());
        parameters.engine = service.persistence->engine;
        if (service.persistence->netmask >= 0)
            parameters.netmask = service.persistence->netmask;
    }
    for (auto const& flag : service.scheduler.flags)
        parameters.flags |= flag_of(flag);
    if (service.one_packet)
        parameters.flags |= IP_VS_SVC_F_ONEPACKET;
    return parameters;
}

IpvsChange service_change(Action action, IpvsService const& service) {
    return {action, service.key, service.parameters, {}, service.span};
}

IpvsChange real_change(Action action, ServiceKey key, Destination const& real, bool from_source) {
    return {action, key, {}, real, from_source ? std::optional(real.span) : std::nullopt};
}

/// Adds the changes of a service's real servers.
void compare_reals(IpvsService const& from, IpvsService const& to, IpvsDifference& difference) {
    ByKey<IpvsReal> const old(from.reals);
    ByKey<IpvsReal> const wanted(to.reals);
    for (IpvsReal const& real : to.reals) {
        IpvsReal const* before = old.find(real);
        if (before == nullptr)
            difference.grow.push_back(real_change(Action::add_real, to.key, real.server, to.span.has_value()));
        else if (!before->same_settings(real))
            difference.grow.push_back(real_change(Action::edit_real, to.key, real.server, to.span.has_value()));
    }
    for (IpvsReal const& real : from.reals)
        if (wanted.find(real) == nullptr)
            difference.shrink.push_back(real_change(Action::delete_real, to.key, real.server, false));
}

std::string settings_of(Destination const& real) {
    std::string out = fmt::format("weight {}, {}", real.weight, to_string(real.forwarding));
    if (real.connections_max > 0)
        out += fmt::format(", connections {}-{}", real.connections_min, real.connections_max);
    return out;
}

} // namespace

bool IpvsReal::same_settings(IpvsReal const& other) const {
    Destination mine = server;
    if (local || other.local)
        mine.forwarding = other.server.forwarding;
    return mine == other.server;
}

std::string IpvsChange::str() const {
    switch (action) {
    case Action::add_service: return fmt::format("add service {}, {}", key.str(), parameters.scheduler);
    case Action::edit_service: return fmt::format("change service {}, {}", key.str(), parameters.scheduler);
    case Action::delete_service: return fmt::format("remove service {}", key.str());
    case Action::add_real:
        return fmt::format("add real server {} to {}: {}", real.name(), key.str(), settings_of(real));
    case Action::edit_real:
        return fmt::format("change real server {} of {}: {}", real.name(), key.str(), settings_of(real));
    case Action::delete_real: return fmt::format("remove real server {} from {}", real.name(), key.str());
    }
    return {};
}

bool SyncDaemon::is_met_by(SyncDaemon const& running) const {
    return role == running.role && interface == running.interface && id == running.id &&
           (maxlen == 0 || maxlen == running.maxlen) && (!group || group == running.group) &&
           (port == 0 || port == running.port) && (ttl == 0 || ttl == running.ttl);
}

IpvsService ipvs_service(VirtualService const& service) {
    IpvsService made{.key = service.key(), .parameters = parameters_of(service)};
    // If the kernel refuses a service, the cause is mostly its scheduler.
    made.span = service.scheduler.span == Span{} ? service.span : service.scheduler.span;
    made.reals.reserve(service.reals.size());
    for (Destination const& real : service.reals)
        made.reals.push_back({.server = real});
    return made;
}

std::vector<IpvsService> ipvs_services(Plan const& plan) {
    std::vector<IpvsService> services;
    std::ranges::transform(plan.services, std::back_inserter(services), ipvs_service);
    return services;
}

VirtualService virtual_service(IpvsService const& service) {
    IpvsParameters const& parameters = service.parameters;
    VirtualService out;
    out.mark = service.key.mark;
    out.family = service.key.family;
    out.scheduler.name = parameters.scheduler;
    bool const hashes = parameters.scheduler == "sh" || parameters.scheduler == "mh";
    for (auto const& [flag, plain, hashing] :
         {std::tuple(IP_VS_SVC_F_SCHED1, "flag-1", "-fallback"), std::tuple(IP_VS_SVC_F_SCHED2, "flag-2", "-port"),
          std::tuple(IP_VS_SVC_F_SCHED3, "flag-3", "")}) {
        if ((parameters.flags & static_cast<unsigned>(flag)) != 0)
            out.scheduler.flags.edit().push_back(hashes && *hashing != 0 ? parameters.scheduler + hashing : plain);
    }
    if ((parameters.flags & IP_VS_SVC_F_PERSISTENT) != 0) {
        int const bits = service.key.family == Family::ipv4 ? 32 : 128;
        out.persistence = Persistence{std::chrono::seconds(parameters.timeout),
                                      parameters.netmask == bits ? -1 : parameters.netmask, parameters.engine, false};
    }
    out.one_packet = (parameters.flags & IP_VS_SVC_F_ONEPACKET) != 0;
    for (IpvsReal const& real : service.reals)
        out.reals.push_back(real.server);
    return out;
}

std::vector<SyncDaemon> sync_daemons(Site const& site) {
    std::vector<SyncDaemon> daemons;
    if (!site.sync || site.sync->instance)
        return daemons;
    Sync const& sync = *site.sync;
    for (auto const role : {SyncDaemon::Role::master, SyncDaemon::Role::backup}) {
        daemons.push_back({role, sync.interface, sync.id, sync.maxlen.value_or(0), sync.group,
                           sync.port.value_or(Port{}).value, sync.ttl.value_or(0), sync.span});
    }
    return daemons;
}

IpvsDifference ipvs_difference(std::span<IpvsService const> from, std::span<IpvsService const> to) {
    IpvsDifference difference;
    ByKey<IpvsService> const old(from);
    ByKey<IpvsService> const wanted(to);
    for (IpvsService const& service : to) {
        IpvsService const* before = old.find(service);
        if (before == nullptr)
            difference.grow.push_back(service_change(Action::add_service, service));
        else if (before->parameters != service.parameters)
            difference.grow.push_back(service_change(Action::edit_service, service));
        IpvsService const nothing{.key = service.key};
        compare_reals(before == nullptr ? nothing : *before, service, difference);
    }
    for (IpvsService const& service : from)
        if (wanted.find(service) == nullptr)
            difference.shrink.push_back({Action::delete_service, service.key, {}, {}, std::nullopt});
    return difference;
}

std::vector<IpvsChange> drained(IpvsDifference const& difference) {
    std::vector<IpvsChange> changes;
    for (IpvsChange const& change : difference.shrink) {
        if (change.action != Action::delete_real || change.real.weight == 0)
            continue;
        changes.push_back(change);
        changes.back().action = Action::edit_real;
        changes.back().real.weight = 0;
    }
    return changes;
}

} // namespace lbc
