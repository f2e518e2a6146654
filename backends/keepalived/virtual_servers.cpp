#include "backends/keepalived/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace lbc::keepalived {
namespace {

using Lines = std::vector<Statement>;

std::string method(Forwarding const& forwarding) {
    if (forwarding.method != Forwarding::Method::tun)
        return forwarding.method == Forwarding::Method::dr ? "DR" : "NAT";
    std::string out = "TUN";
    switch (forwarding.tunnel) {
    case Forwarding::Tunnel::ipip: return out;
    case Forwarding::Tunnel::gre: out += " type gre"; break;
    case Forwarding::Tunnel::gue: out += fmt::format(" type gue port {}", forwarding.gue_port.value); break;
    }
    switch (forwarding.checksum) {
    case Forwarding::Checksum::none: break;
    case Forwarding::Checksum::csum: out += " csum"; break;
    case Forwarding::Checksum::remcsum: out += " remcsum"; break;
    }
    return out;
}

/// The real servers of a plan's service, in its order.
std::vector<RealServer const*> reals_of(Service const& service, VirtualService const& planned) {
    std::vector<RealServer const*> reals;
    for (auto const index : service.reals_for(planned.family))
        reals.push_back(&service.reals[index]);
    return reals;
}

void add_persistence(Lines& lines, VirtualService const& planned) {
    auto const& persistence = planned.persistence;
    if (!persistence)
        return;
    lines.emplace_back(fmt::format("persistence_timeout {}", persistence->timeout.count()));
    if (persistence->netmask >= 0)
        lines.emplace_back(planned.family == Family::ipv6
                               ? fmt::format("persistence_granularity {}", persistence->netmask)
                               : fmt::format("persistence_granularity {}", ipv4_netmask(persistence->netmask).str()));
    if (!persistence->engine.empty())
        lines.emplace_back(fmt::format("persistence_engine {}", persistence->engine));
}

void add_quorum(Lines& lines, Service const& service) {
    for (auto const& [set, word] : {std::pair{service.alpha, "alpha"},
                                    {service.omega, "omega"},
                                    {service.inhibit_on_failure, "inhibit_on_failure"}})
        if (set)
            lines.emplace_back(word);
    if (!service.quorum)
        return;
    lines.emplace_back(fmt::format("quorum {}", service.quorum->count));
    if (service.quorum->hysteresis > 0)
        lines.emplace_back(fmt::format("hysteresis {}", service.quorum->hysteresis));
    if (!service.quorum->up.empty())
        lines.emplace_back(fmt::format("quorum_up {}", command(service.quorum->up.text)));
    if (!service.quorum->down.empty())
        lines.emplace_back(fmt::format("quorum_down {}", command(service.quorum->down.text)));
}

/// Orders statements, to find equal ones.
struct Before {
    bool operator()(Statement const& a, Statement const& b) const {
        if (auto const order = a.text <=> b.text; order != 0)
            return order < 0;
        if (a.is_block != b.is_block)
            return b.is_block;
        return std::ranges::lexicographical_compare(a.block, b.block, *this);
    }
};

Statement real_server(Checked const& checked) {
    auto const& service = checked.service;
    auto const& real = checked.real;
    Lines lines{fmt::format("weight {}", real.weight)};
    if (real.forwarding != service.forwarding)
        lines.emplace_back(fmt::format("lvs_method {}", method(real.forwarding)));
    if (real.connections_max > 0)
        lines.emplace_back(fmt::format("uthreshold {}", real.connections_max));
    if (real.connections_min > 0)
        lines.emplace_back(fmt::format("lthreshold {}", real.connections_min));
    if (!real.notify_up.empty())
        lines.emplace_back(fmt::format("notify_up {}", command(real.notify_up.get().text)));
    if (!real.notify_down.empty())
        lines.emplace_back(fmt::format("notify_down {}", command(real.notify_down.get().text)));
    if (real.inhibit_on_failure)
        lines.emplace_back("inhibit_on_failure");
    std::set<Statement, Before> checkers;
    for (auto const* checks : {&service.checks, &real.checks})
        for (auto const& check : *checks)
            if (auto const [made, fresh] = checkers.insert(checker(checked, check)); fresh)
                lines.push_back(*made);
    // Without a port: packets of a mark keep their own.
    return {fmt::format("real_server {}", real.address.str()), std::move(lines)};
}

Statement virtual_server(Site const& site, DirectorId director, VirtualService const& planned,
                         BfdSessions const& sessions) {
    auto const& service = site.services[planned.service];
    auto const reals = reals_of(service, planned);
    auto const* sorry = service.sorry_for(planned.family);
    Lines lines{fmt::format("lvs_sched {}", planned.scheduler.name)};
    for (auto const& flag : planned.scheduler.flags)
        lines.emplace_back(flag);
    if (planned.one_packet)
        lines.emplace_back("ops");
    lines.emplace_back(fmt::format("lvs_method {}", method(service.forwarding)));
    // keepalived infers the family only from servers that are no tunnel's end.
    if (planned.family == Family::ipv6)
        lines.emplace_back("ip_family inet6");
    add_persistence(lines, planned);
    add_quorum(lines, service);
    if (sorry != nullptr) {
        lines.emplace_back(sorry->port == Port{}
                               ? fmt::format("sorry_server {}", sorry->address.str())
                               : fmt::format("sorry_server {} {}", sorry->address.str(), sorry->port.value));
        // keepalived has one such setting for a server that is both a real server and the sorry server.
        auto const both = std::ranges::find(reals, sorry->address, &RealServer::address);
        if (both != reals.end() && (service.inhibit_on_failure || (*both)->inhibit_on_failure))
            lines.emplace_back("sorry_server_inhibit");
        if (sorry->forwarding != service.forwarding)
            lines.emplace_back(fmt::format("sorry_server_lvs_method {}", method(sorry->forwarding)));
    }
    for (auto const* real : reals)
        lines.push_back(real_server({site, director, service, planned.family, *real, sessions}));
    Statement made(fmt::format("virtual_server fwmark {}", planned.mark.value), std::move(lines));
    made.comment = fmt::format("{}, {}{}{}", service.name.value, title(planned.family),
                               service.description.empty() ? "" : ": ", service.description.get());
    return made;
}

/// The virtual service for checks through a VIP: it leads to one real server, whatever that server's state.
Statement check_server(VirtualService const& check) {
    auto const& real = check.reals.front();
    Lines lines{fmt::format("lvs_sched {}", check.scheduler.name),
                fmt::format("lvs_method {}", method(real.forwarding))};
    if (check.family == Family::ipv6)
        lines.emplace_back("ip_family inet6");
    lines.emplace_back(fmt::format("real_server {}", real.address.str()), Lines{std::string("weight 1")});
    Statement made(fmt::format("virtual_server fwmark {}", check.mark.value), std::move(lines));
    made.comment = fmt::format("checks of {} through the VIP", real.address.str());
    return made;
}

/// Calls `visit` with each real server of a plan and each of its checks.
template <typename Visit>
void for_each_check(Site const& site, Plan const& plan, Visit visit) {
    for (auto const& planned : plan.services) {
        auto const& service = site.services[planned.service];
        for (auto const* real : reals_of(service, planned))
            for (auto const* checks : {&service.checks, &real->checks})
                for (auto const& check : *checks)
                    visit(*real, check);
    }
}

} // namespace

BfdSessions bfd_sessions(Site const& site, Plan const& plan) {
    BfdSessions sessions;
    for_each_check(site, plan, [&](RealServer const& real, Check const& check) {
        if (check.kind == Check::Kind::bfd)
            sessions.emplace(check.instance, real.address);
    });
    return sessions;
}

std::vector<Statement> virtual_servers(Site const& site, Plan const& plan) {
    Lines out;
    auto const sessions = bfd_sessions(site, plan);
    for (auto const& [name, neighbour] : sessions) {
        Lines lines{fmt::format("neighbor_ip {}", neighbour.str())};
        if (auto const own = site[plan.director].address(neighbour.family()))
            lines.emplace_back(fmt::format("source_ip {}", own->str()));
        lines.emplace_back("checker");
        out.emplace_back(fmt::format("bfd_instance {}", session_name(sessions, name, neighbour)), std::move(lines));
    }
    std::map<std::string, std::string> tracked;
    for_each_check(site, plan, [&](RealServer const& /*real*/, Check const& check) {
        if (check.kind == Check::Kind::file)
            tracked.emplace(check.track, check.tracked_path());
    });
    for (auto const& [name, path] : tracked)
        out.emplace_back(fmt::format("track_file {}", name), Lines{fmt::format("file {}", in_quotes(path))});
    for (auto const& planned : plan.services)
        out.push_back(virtual_server(site, plan.director, planned, sessions));
    for (auto const& check : plan.checks)
        out.push_back(check_server(check));
    return out;
}

} // namespace lbc::keepalived
