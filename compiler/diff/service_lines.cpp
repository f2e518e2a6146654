#include "compiler/diff/lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tuple>

namespace lbc {
namespace {

constexpr std::string_view go_on = "established connections go on";

std::string to_string(std::optional<Persistence> const& persistence) {
    if (!persistence)
        return "off";
    auto text = fmt::format("{}s", persistence->timeout.count());
    if (persistence->netmask >= 0)
        text += fmt::format(" netmask {}", persistence->netmask);
    if (!persistence->engine.empty())
        text += " engine " + persistence->engine;
    return text;
}

/// The part of the persistence that the kernel has: a netmask of an address's whole length counts as none.
auto kernel_part(std::optional<Persistence> const& persistence, Family family) {
    auto const bits = family == Family::ipv4 ? 32 : 128;
    auto part = persistence.value_or(Persistence{std::chrono::seconds{0}, -1, {}, false});
    return std::tuple(part.timeout, part.netmask == bits ? -1 : part.netmask, part.engine);
}

/// Flags as the kernel knows them, whose names depend on the scheduler (linux/ip_vs.h: IP_VS_SVC_F_SCHED_SH_FALLBACK).
std::set<std::string> kernel_flags(Scheduler const& scheduler) {
    std::set<std::string> flags;
    for (auto const& flag : scheduler.flags)
        flags.insert(flag.ends_with("-fallback") ? "flag-1" : flag.ends_with("-port") ? "flag-2" : flag);
    return flags;
}

std::string limits_of(Destination const& real) {
    return real.connections_max == 0 ? "none" : fmt::format("{}-{}", real.connections_min, real.connections_max);
}

/// The settings of a new real server beside its weight that are not the default.
std::string settings_of(Destination const& real, std::string_view comma) {
    std::string text;
    if (real.forwarding != Forwarding{})
        text += fmt::format("{} forward {}", comma, lbc::to_string(real.forwarding));
    if (real.connections_max != 0)
        text += fmt::format("{} connections {}", comma, limits_of(real));
    return text;
}

class ServiceLines {
public:
    ServiceLines(Comparison const& all, DirectorPair const& director, std::set<ServiceKey> const& told, ChangeList& out)
        : all_(all), director_(director), told_(told), out_(out) {}

    void add(ServicePair const& pair) {
        subject_ = "service " + (pair.after != nullptr ? pair.after->name : pair.before->name);
        if (pair.before == nullptr)
            add_new(*pair.after);
        else if (pair.after == nullptr)
            add_removed(*pair.before);
        else
            compare(pair);
    }

private:
    void add_new(NamedService const& service) {
        auto const& added = service.service;
        std::vector<std::string> reals;
        for (auto const& real : added.reals)
            reals.push_back(name_of(real) + (real.weight == 1 ? "" : fmt::format(" weight {}", real.weight)) +
                            settings_of(real, ""));
        std::string text = added.scheduler.name;
        if (!added.scheduler.flags.empty())
            text += " " + words(added.scheduler.flags);
        if (added.persistence)
            text += ", persistence " + to_string(added.persistence);
        if (added.one_packet)
            text += ", one-packet scheduling";
        line(
            Change::Kind::service_added,
            fmt::format("new virtual service {}, {}, real servers {}", added.key().str(), text, fmt::join(reals, ", ")),
            "no connection is touched");
    }

    void add_removed(NamedService const& service) {
        if (told_.contains(service.key()))
            return;
        auto const fate = fate_of(service, *director_.after);
        line(Change::Kind::service_removed, fmt::format("virtual service {} removed", service.key().str()), fate.text,
             fate.breaks);
    }

    void compare(ServicePair const& pair) {
        auto const& before = pair.before->service;
        auto const& after = pair.after->service;
        // For a recreated service, the sentence about its mark states the fate of connections.
        auto const kept = pair.in_place() ? std::string(go_on) : std::string();
        auto const place = pair.in_place() ? ", in place" : "";
        auto const changed = [&](std::string const& text, std::string const& connections) {
            line(Change::Kind::service_changed, text + place, connections);
        };
        if (before.scheduler.name != after.scheduler.name)
            changed(fmt::format("scheduler {} to {}", before.scheduler.name, after.scheduler.name), kept);
        if (kernel_flags(before.scheduler) != kernel_flags(after.scheduler))
            changed(
                fmt::format("scheduler flags {} to {}", words(before.scheduler.flags), words(after.scheduler.flags)),
                kept);
        add_persistence(before, after, changed, kept);
        if (before.one_packet != after.one_packet)
            changed(after.one_packet ? "one-packet scheduling: every packet is scheduled anew"
                                     : "one-packet scheduling off: a flow stays at its server",
                    kept);
        for (auto const& real : after.reals) {
            auto const* old = before.find(real);
            if (old == nullptr)
                line(Change::Kind::real_added,
                     fmt::format("real server {} added, {}{}", name_of(real), share_of(real, after),
                                 settings_of(real, ",")),
                     kept);
            else
                compare(*old, real, after, pair.in_place());
        }
        for (auto const& real : before.reals)
            if (after.find(real) == nullptr)
                remove(real, pair);
        auto const takes_none = [](VirtualService const& service) {
            return std::ranges::all_of(service.reals, [](Destination const& real) { return real.weight == 0; });
        };
        if (takes_none(after) && !takes_none(before))
            line(Change::Kind::service_changed, "no real server takes new connections", kept, true);
    }

    /// Templates of persistent clients are found by their masked addresses (ip_vs_sched_persist).
    template <typename Changed>
    static void add_persistence(VirtualService const& before, VirtualService const& after, Changed const& changed,
                                std::string const& kept) {
        auto const old = kernel_part(before.persistence, before.family);
        auto const wanted = kernel_part(after.persistence, after.family);
        if (old == wanted)
            return;
        bool const same_clients = std::get<1>(old) == std::get<1>(wanted) && std::get<2>(old) == std::get<2>(wanted);
        bool const stays = kept.empty() || !before.persistence || (after.persistence && same_clients);
        changed(fmt::format("persistence {} to {}", to_string(before.persistence), to_string(after.persistence)),
                stays ? kept : kept + "; a client's next one may come to another server");
    }

    void compare(Destination const& before, Destination const& after, VirtualService const& service, bool in_place) {
        auto const changed = [&](std::string const& text, std::string_view connections) {
            line(Change::Kind::real_changed, fmt::format("real server {}: {}", name_of(after), text),
                 std::string(in_place ? connections : ""));
        };
        if (before.weight != after.weight)
            changed(fmt::format("weight {} to {}{}", before.weight, after.weight,
                                after.weight == 0 ? " (no new connections)" : shared(after, service)),
                    go_on);
        if (before.forwarding != after.forwarding)
            changed(
                fmt::format("forward {} to {}", lbc::to_string(before.forwarding), lbc::to_string(after.forwarding)),
                before.forwarding.method == after.forwarding.method ? "established connections change with it"
                                                                    : "established connections keep the old way");
        if (limits_of(before) != limits_of(after))
            changed(fmt::format("connection limits {} to {}", limits_of(before), limits_of(after)), go_on);
    }

    void remove(Destination const& real, ServicePair const& pair) {
        auto const text =
            fmt::format("real server {} removed, had {}", name_of(real), share_of(real, pair.before->service));
        if (!pair.in_place()) {
            line(Change::Kind::real_removed, text, {});
            return;
        }
        auto const count = pair.before->connections.find({real.address, real.port});
        if (count != pair.before->connections.end() && count->second == 0)
            line(Change::Kind::real_removed, text, "it has no connections");
        else
            line(Change::Kind::real_removed, text,
                 (count == pair.before->connections.end()
                      ? std::string("its established connections break")
                      : fmt::format("its {} connections break", grouped(count->second))) +
                     (all_.after.keepalived ? ", unless it gets weight 0 first and they end"
                                            : ", unless `lbc apply --drain` lets them end"),
                 true);
    }

    void line(Change::Kind kind, std::string text, std::string connections, bool disruptive = false) {
        out_.push_back({kind, subject_, {director_.name}, std::move(text), std::move(connections), disruptive});
    }

    static std::string shared(Destination const& real, VirtualService const& service) {
        return is_unweighted(service.scheduler.name) ? fmt::format(", which {} does not heed", service.scheduler.name)
                                                     : "; now " + share_of(real, service);
    }

    static std::string words(std::vector<std::string> const& list) {
        return list.empty() ? "none" : fmt::format("{}", fmt::join(list, " "));
    }

    [[nodiscard]] std::string name_of(Destination const& real) const { return all_.name_of(real.address, real.port); }

    Comparison const& all_;
    DirectorPair const& director_;
    std::set<ServiceKey> const& told_;
    ChangeList& out_;
    std::string subject_;
};

} // namespace

std::string grouped(std::uint64_t number) {
    auto text = std::to_string(number);
    for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3)
        text.insert(static_cast<std::size_t>(i), 1, ',');
    return text;
}

std::string established(NamedService const& service) {
    return service.connections.empty() ? "its established connections"
                                       : fmt::format("its {} connections", grouped(service.all_connections()));
}

Fate fate_of(NamedService const& before, DirectorState const& after) {
    if (!before.connections.empty() && before.all_connections() == 0)
        return {"it has no connections", false};
    auto const* now = after.find(before.key());
    if (now == nullptr)
        return {established(before) + " break", true};
    // IPVS looks a connection up before any mark, and forwards it as long as its real server is there (ip_vs_in).
    std::vector<std::string> gone;
    for (auto const& real : before.service.reals)
        if (now->service.find(real) == nullptr)
            gone.push_back(real.address.str());
    if (gone.empty())
        return {std::string(go_on), false};
    return {fmt::format("established connections to {} break", fmt::join(gone, ", ")), true};
}

std::string Comparison::name_of(IpAddress const& address, Port port) const {
    auto text = port == Port{} ? address.str() : endpoint(address, port);
    for (auto const* side : {&after, &before})
        for (auto const& director : side->directors)
            if (contains(director.addresses, address))
                return fmt::format("{} ({})", director.name, text);
    return text;
}

void add_service_lines(Comparison const& all, DirectorPair const& director, std::set<ServiceKey> const& told,
                       ChangeList& out) {
    ServiceLines lines(all, director, told, out);
    for (auto const& pair : all.services(director))
        lines.add(pair);
}

} // namespace lbc
