#include "compiler/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace lbc {
namespace {

/// IP protocol numbers of the payload of a tunnel's outer packet (IANA).
constexpr std::uint8_t ipv4_in_ip = 4;
constexpr std::uint8_t ipv6_in_ip = 41;
constexpr std::uint8_t gre = 47;
constexpr std::uint8_t udp = 17;

std::vector<MacAddress> peers_of(Site const& site, DirectorId self) {
    std::set<MacAddress> macs;
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        if (DirectorId{i} != self)
            for (auto const& mac : site.directors[i].macs)
                macs.insert(mac.value);
    return {macs.begin(), macs.end()};
}

template <typename T>
std::vector<T> values_of(std::vector<Located<T>> const& list) {
    std::vector<T> values;
    for (auto const& item : list)
        values.push_back(item.value);
    return values;
}

bool is_by_tunnel(RealServer const& real) { return real.forwarding.method == Forwarding::Method::tun; }

bool is_tunnel_end(Site const& site, Service const& service, DirectorId self) {
    return std::ranges::any_of(
        service.reals, [&](RealServer const& real) { return is_by_tunnel(real) && director_of(site, real) == self; });
}

void add_classes(Site const& site, std::size_t index, ServiceOn const& on, MarkTable& table) {
    auto const& service = site.services[index];
    auto const& interfaces = service.interfaces.empty() ? site[on.director].interfaces : service.interfaces.get();
    for (auto const& vip : service.vips)
        for (auto const& claim : service.ports)
            table.classes.push_back({
                .service = index,
                .destination = vip.value,
                .protocol = claim.protocol,
                .ports = claim.ports,
                .interfaces = values_of(interfaces),
                .bypass = values_of(service.bypass.get()),
                .ethernet_only = is_tunnel_end(site, service, on.director),
                .from_director = service.local,
                .mark = on.mark,
            });
}

/// Adds the outer packets of the tunnels through which a service reaches its real servers.
void add_tunnels(Service const& service, std::set<TunnelEnd>& ends) {
    if (std::ranges::none_of(service.reals, is_by_tunnel))
        return;
    for (auto const family : families)
        for (auto const index : service.has_vip(family) ? service.reals_for(family) : std::vector<std::size_t>{}) {
            auto const& real = service.reals[index];
            if (!is_by_tunnel(real))
                continue;
            switch (real.forwarding.tunnel) {
            case Forwarding::Tunnel::ipip:
                ends.insert({real.address, family == Family::ipv4 ? ipv4_in_ip : ipv6_in_ip, std::nullopt});
                break;
            case Forwarding::Tunnel::gre: ends.insert({real.address, gre, std::nullopt}); break;
            case Forwarding::Tunnel::gue: ends.insert({real.address, udp, real.forwarding.gue_port}); break;
            }
        }
}

void add_virtual_services(Site const& site, std::size_t index, ServiceOn const& on, Plan& plan) {
    auto const& service = site.services[index];
    for (auto const family : families) {
        if (!service.has_vip(family))
            continue;
        auto& virtual_service = plan.services.emplace_back();
        virtual_service.service = index;
        virtual_service.mark = on.mark;
        virtual_service.family = family;
        virtual_service.scheduler = service.scheduler;
        virtual_service.persistence = service.persistence;
        if (family == Family::ipv6 && service.persistence && service.persistence->netmask_ipv4_only)
            virtual_service.persistence->netmask = -1;
        virtual_service.one_packet = service.one_packet;
        virtual_service.span = service.name.span;
        virtual_service.reals.reserve(service.reals.size());
        for (auto const real_index : service.reals_for(family)) {
            auto const& real = service.reals[real_index];
            virtual_service.reals.push_back({real.address, real.port, real.weight, real.forwarding,
                                             real.connections_min, real.connections_max, real.span});
        }
    }
}

/// `given` holds the marks of the checks that the plan has already.
void add_checks(Site const& site, Service const& service, std::set<Fwmark>& given, Plan& plan) {
    if (site.check_marks.empty())
        return;
    for (auto const family : families)
        for (auto const index : service.has_vip(family) ? service.reals_for(family) : std::vector<std::size_t>{}) {
            auto const& real = service.reals[index];
            auto const mark = is_checked_through_vip(service, real) ? site.check_mark(family, real) : std::nullopt;
            if (!mark || !given.insert(*mark).second)
                continue;
            auto& added = plan.checks.emplace_back();
            added.mark = *mark;
            added.family = family;
            added.scheduler.name = "rr";
            added.reals.push_back(
                {.address = real.address, .port = {}, .forwarding = real.forwarding, .span = real.span});
        }
}

/// Answers of `nat` real servers pass through the director. Those of the sorry server count only under keepalived,
/// which puts it into service.
void add_forwarding(Site const& site, Service const& service, Plan& plan) {
    auto const add = [&](IpAddress const& address, Forwarding const& forwarding) {
        if (forwarding.method == Forwarding::Method::nat)
            plan.forwards[index_of(address.family())] = true;
    };
    for (auto const& real : service.reals)
        add(real.address, real.forwarding);
    if (site.ipvs == IpvsOwner::keepalived)
        for (auto const& sorry : service.sorry.get())
            add(sorry.address, sorry.forwarding);
}

} // namespace

std::string Destination::name() const { return port == Port{} ? address.str() : endpoint(address, port); }

Destination const* VirtualService::find(Destination const& like) const {
    auto const found = std::ranges::find_if(reals, [&](Destination const& real) { return real.is_same_server(like); });
    return found == reals.end() ? nullptr : &*found;
}

MarkTable make_mark_table(Site const& site, DirectorId director) {
    MarkTable table;
    table.peers = peers_of(site, director);
    table.classes.reserve(site.services.size());
    std::set<TunnelEnd> tunnels;
    for (std::size_t i = 0; i < site.services.size(); ++i)
        if (auto const* on = site.services[i].on_director(director)) {
            add_classes(site, i, *on, table);
            add_tunnels(site.services[i], tunnels);
        }
    // Without peers the guard has no packets to stop.
    if (site.guard_mark != Fwmark{} && !table.peers.empty())
        table.guard = Guard{site.guard, site.guard_mark, {tunnels.begin(), tunnels.end()}};
    return table;
}

Plan make_plan(Site const& site, DirectorId director) {
    Plan plan;
    plan.director = director;
    plan.backup_only = site.guard == GuardMode::backup_only;
    plan.marks = make_mark_table(site, director);
    plan.services.reserve(site.services.size());
    std::set<Fwmark> given;
    for (std::size_t i = 0; i < site.services.size(); ++i)
        if (auto const* on = site.services[i].on_director(director)) {
            add_virtual_services(site, i, *on, plan);
            add_checks(site, site.services[i], given, plan);
            add_forwarding(site, site.services[i], plan);
        }
    return plan;
}

std::string ServiceKey::str() const { return fmt::format("fwmark {} ({})", mark.str(), title(family)); }

bool is_unweighted(std::string_view scheduler) {
    static constexpr std::array<std::string_view, 3> names{"rr", "lc", "dh"};
    return std::ranges::find(names, scheduler) != names.end();
}

std::string share_of(Destination const& real, VirtualService const& service) {
    std::uint64_t whole = 0;
    std::size_t count = 0;
    for (auto const& other : service.reals) {
        whole += other.weight;
        count += other.weight > 0 ? 1 : 0;
    }
    if (real.weight == 0 || whole == 0)
        return "weight 0 (no new connections)";
    if (service.scheduler.name == "fo" || service.scheduler.name == "ovf")
        return fmt::format("weight {} ({} fills the highest first)", real.weight, service.scheduler.name);
    if (is_unweighted(service.scheduler.name))
        return fmt::format("1 of {} (each is as good as another to {})", count, service.scheduler.name);
    auto const percent = (100 * std::uint64_t{real.weight} + whole / 2) / whole;
    return fmt::format("weight {} of {} ({}{} % of new connections)", real.weight, whole,
                       100 * std::uint64_t{real.weight} == percent * whole ? "" : "about ", percent);
}

} // namespace lbc
