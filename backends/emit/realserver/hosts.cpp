#include "backends/emit/realserver/realserver.hpp"

#include <algorithm>

namespace lbc {
namespace {

using Kind = RealServerTunnel::Kind;

template <typename T>
void add_unique(std::vector<T>& all, T const& one) {
    if (std::ranges::find(all, one) == all.end())
        all.push_back(one);
}

Kind kind_of(Forwarding::Tunnel tunnel, Family outer, Family inner) {
    if (tunnel == Forwarding::Tunnel::gre)
        return outer == Family::ipv4 ? Kind::gre : Kind::ip6gre;
    if (outer == Family::ipv6)
        return Kind::ip6tnl;
    return inner == Family::ipv4 ? Kind::ipip : Kind::sit;
}

/// If one end has two forms of checksum, the first in the source holds; `report_unsupported` warns of the other.
void add_tunnel(std::vector<RealServerTunnel>& tunnels, RealServerTunnel const& tunnel) {
    auto const found = std::ranges::find_if(tunnels, [&](RealServerTunnel const& other) {
        return other.kind == tunnel.kind && other.local == tunnel.local;
    });
    if (found == tunnels.end())
        tunnels.push_back(tunnel);
    else if (!found->inner)
        found->inner = tunnel.inner;
}

/// Adds what a service's VIPs of one family require of a host that they reach at `address`.
void add_service(RealServerHost& host, Service const& service, Family family, IpAddress const& address,
                 Forwarding const& forwarding) {
    std::optional<IpAddress> inner;
    for (auto const& vip : service.vips) {
        if (vip.value.family() != family)
            continue;
        add_unique(host.vips, vip.value);
        if (family == Family::ipv4 && !inner)
            inner = vip.value.address;
    }
    if (forwarding.method != Forwarding::Method::tun)
        return;
    bool const checksum =
        forwarding.tunnel == Forwarding::Tunnel::gre && forwarding.checksum == Forwarding::Checksum::csum;
    add_tunnel(host.tunnels, {kind_of(forwarding.tunnel, address.family(), family), address, checksum, inner});
    if (forwarding.tunnel == Forwarding::Tunnel::gue)
        add_unique(host.gue_ports, {address.family(), forwarding.gue_port});
}

class Hosts {
public:
    explicit Hosts(Site const& site) : site_(site) {}

    /// A real or sorry server, for the VIPs of one family.
    template <typename Server>
    void add(Service const& service, Family family, Server const& server) {
        if (server.forwarding.method != Forwarding::Method::nat)
            add_service(host_of(server.address, server.director), service, family, server.address, server.forwarding);
    }

    std::vector<RealServerHost> take() { return std::move(hosts_); }

private:
    RealServerHost& host_of(IpAddress const& address, std::optional<DirectorId> director) {
        if (!director)
            director = director_at(site_, address);
        auto const name = director ? site_[*director].name.value : address.str();
        auto const found = std::ranges::find(hosts_, name, &RealServerHost::name);
        if (found != hosts_.end())
            return *found;
        auto& host = hosts_.emplace_back();
        host.name = name;
        if (!director)
            host.addresses = {address};
        else
            for (auto const& own : site_[*director].addresses)
                add_unique(host.addresses, own.value);
        return host;
    }

    Site const& site_;
    std::vector<RealServerHost> hosts_;
};

} // namespace

std::string_view to_string(Kind kind) {
    switch (kind) {
    case Kind::ipip: return "ipip";
    case Kind::sit: return "sit";
    case Kind::ip6tnl: return "ip6tnl";
    case Kind::gre: return "gre";
    case Kind::ip6gre: return "ip6gre";
    }
    return {};
}

bool RealServerHost::has_vip(Family family) const {
    return std::ranges::any_of(vips, [family](Prefix const& vip) { return vip.family() == family; });
}

std::vector<RealServerHost> real_server_hosts(Site const& site) {
    Hosts hosts(site);
    for (auto const& service : site.services) {
        for (auto const family : families) {
            if (!service.has_vip(family))
                continue;
            for (auto const index : service.reals_for(family))
                hosts.add(service, family, service.reals[index]);
            if (auto const* sorry = service.sorry_for(family); sorry != nullptr)
                hosts.add(service, family, *sorry);
        }
    }
    return hosts.take();
}

RealServerHost merge(std::span<RealServerHost const> hosts) {
    RealServerHost all;
    for (auto const& host : hosts) {
        if (all.name.empty())
            all.name = host.name;
        for (auto const& address : host.addresses)
            add_unique(all.addresses, address);
        for (auto const& vip : host.vips)
            add_unique(all.vips, vip);
        for (auto const& port : host.gue_ports)
            add_unique(all.gue_ports, port);
        for (auto const& tunnel : host.tunnels)
            add_tunnel(all.tunnels, tunnel);
    }
    return all;
}

std::string device_name(std::span<RealServerTunnel const> tunnels, std::size_t index) {
    auto const kind = tunnels[index].kind;
    auto const number = 1 + std::ranges::count(tunnels.first(index), kind, &RealServerTunnel::kind);
    return "lbc-" + std::string(to_string(kind)) + (number == 1 ? "" : std::to_string(number));
}

} // namespace lbc
