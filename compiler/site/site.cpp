#include "compiler/site/site.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc {

std::optional<IpAddress> Director::address(Family family) const {
    auto const found = std::ranges::find(addresses, family, [](auto const& address) { return address.value.family(); });
    return found == addresses.end() ? std::nullopt : std::optional(found->value);
}

std::string to_string(Forwarding const& forwarding) {
    if (forwarding.method == Forwarding::Method::dr)
        return "dr";
    if (forwarding.method == Forwarding::Method::nat)
        return "nat";
    std::string text = "tun";
    switch (forwarding.tunnel) {
    case Forwarding::Tunnel::ipip: text += " ipip"; break;
    case Forwarding::Tunnel::gre: text += " gre"; break;
    case Forwarding::Tunnel::gue: text += fmt::format(" gue port {}", forwarding.gue_port.value); break;
    }
    switch (forwarding.checksum) {
    case Forwarding::Checksum::none: break;
    case Forwarding::Checksum::csum: text += " csum"; break;
    case Forwarding::Checksum::remcsum: text += " remcsum"; break;
    }
    return text;
}

std::string_view to_string(Check::Kind kind) {
    switch (kind) {
    case Check::Kind::ping: return "ping";
    case Check::Kind::tcp: return "tcp";
    case Check::Kind::udp: return "udp";
    case Check::Kind::http: return "http";
    case Check::Kind::https: return "https";
    case Check::Kind::smtp: return "smtp";
    case Check::Kind::dns: return "dns";
    case Check::Kind::script: return "script";
    case Check::Kind::bfd: return "bfd";
    case Check::Kind::file: return "file";
    }
    return {};
}

std::string_view to_string(GuardMode mode) {
    switch (mode) {
    case GuardMode::local: return "local";
    case GuardMode::drop: return "drop";
    case GuardMode::backup_only: return "backup-only";
    case GuardMode::off: return "off";
    }
    return {};
}

ServiceOn const* Service::on_director(DirectorId director) const {
    auto const place = [](ServiceOn const& one) { return one.director.index; };
    auto const found = std::ranges::lower_bound(on, director.index, {}, place);
    return found == on.end() || found->director != director ? nullptr : &*found;
}

bool Service::has_vip(Family family) const {
    return std::ranges::any_of(vips, [family](auto const& vip) { return vip.value.family() == family; });
}

std::vector<std::size_t> Service::reals_for(Family family) const {
    auto const is_own = [&](RealServer const& real) { return real.address.family() == family; };
    bool const has_own = std::ranges::any_of(reals, is_own);
    std::vector<std::size_t> found;
    found.reserve(reals.size());
    for (std::size_t i = 0; i < reals.size(); ++i)
        if (has_own ? is_own(reals[i]) : reals[i].forwarding.method == Forwarding::Method::tun)
            found.push_back(i);
    return found;
}

bool Service::has_reals_for(Family family) const {
    return std::ranges::any_of(reals, [&](RealServer const& real) {
        return real.address.family() == family || real.forwarding.method == Forwarding::Method::tun;
    });
}

SorryServer const* Service::sorry_for(Family family) const {
    auto const find = [&](auto const& fits) {
        auto const found = std::ranges::find_if(sorry, fits);
        return found == sorry.end() ? nullptr : &*found;
    };
    auto const* own = find([&](SorryServer const& server) { return server.address.family() == family; });
    auto const is_tunnel = [](SorryServer const& server) {
        return server.forwarding.method == Forwarding::Method::tun;
    };
    return own != nullptr ? own : find(is_tunnel);
}

std::optional<IpAddress> Service::checked_vip(Family family) const {
    for (auto const& vip : vips)
        if (vip.value.family() == family && vip.value == Prefix::host(vip.value.address))
            return vip.value.address;
    return std::nullopt;
}

std::string Check::tracked_path() const { return file.empty() ? std::string(tracked_file_start) + track : file; }

int Vrrp::version() const {
    bool const fits = !advert || advert->count() % 1000 == 0;
    return family() == Family::ipv6 || !fits ? 3 : 2;
}

bool Vrrp::has_weighted_track() const {
    return std::ranges::any_of(track_scripts, [](TrackScript const& script) { return script.weight.value_or(0) != 0; });
}

namespace {

/// The usual protocol and port of the servers that a kind of check is for; port 0: there is no usual port.
struct Usual {
    Protocol protocol;
    Port port;
};

std::optional<Usual> usual_of(Check::Kind kind) {
    switch (kind) {
    case Check::Kind::tcp: return Usual{Protocol::tcp, {}};
    case Check::Kind::udp: return Usual{Protocol::udp, {}};
    case Check::Kind::http: return Usual{Protocol::tcp, {80}};
    case Check::Kind::https: return Usual{Protocol::tcp, {443}};
    case Check::Kind::smtp: return Usual{Protocol::tcp, {25}};
    case Check::Kind::dns: return Usual{Protocol::udp, {53}};
    case Check::Kind::ping:
    case Check::Kind::script:
    case Check::Kind::bfd:
    case Check::Kind::file: break;
    }
    return std::nullopt;
}

} // namespace

bool is_checked_through_vip(Service const& service, RealServer const& real) {
    return std::ranges::any_of(service.checks, &Check::through_vip) ||
           std::ranges::any_of(real.checks, &Check::through_vip);
}

bool has_port(Check::Kind kind) { return usual_of(kind).has_value(); }

std::optional<Port> port_of(Service const& service, RealServer const& real, Check const& check) {
    auto const usual = usual_of(check.kind);
    if (!usual || check.port)
        return usual ? check.port : std::nullopt;
    if (real.port != Port{})
        return real.port;
    // A service has one claim for each protocol, or only one for `any`.
    auto const claim = std::ranges::find_if(service.ports, [&](PortClaim const& one) {
        return one.protocol == usual->protocol || one.protocol == Protocol::any;
    });
    if (claim == service.ports.end() || claim->ports.empty())
        return std::nullopt;
    auto const range = std::ranges::lower_bound(claim->ports, usual->port, {}, &PortRange::last);
    if (usual->port != Port{} && range != claim->ports.end() && range->first <= usual->port)
        return usual->port;
    auto const& first = claim->ports.front();
    return claim->ports.size() == 1 && first.first == first.last ? std::optional(first.first) : std::nullopt;
}

std::optional<DirectorId> Site::find_director(std::string_view name) const {
    auto const found =
        std::ranges::find(directors, name, [](auto const& director) -> auto const& { return director.name.value; });
    if (found == directors.end())
        return std::nullopt;
    return DirectorId{static_cast<std::size_t>(found - directors.begin())};
}

std::optional<Fwmark> Site::check_mark(Family family, RealServer const& real) const {
    auto const found = check_marks.find({family, real.address, real.forwarding});
    return found == check_marks.end() ? std::nullopt : std::optional(found->second);
}

std::optional<DirectorId> director_at(Site const& site, IpAddress const& address) {
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        for (auto const& own : site.directors[i].addresses)
            if (own.value == address)
                return DirectorId{i};
    return std::nullopt;
}

std::vector<IpAddress> unicast_candidates(Site const& site, Vrrp const& vrrp, DirectorId director) {
    auto const given =
        std::ranges::find(vrrp.unicast_addresses, director, [](auto const& entry) { return entry.first; });
    if (given != vrrp.unicast_addresses.end())
        return {given->second.value};
    std::vector<IpAddress> own;
    for (auto const& address : site[director].addresses)
        if (address.value.family() == vrrp.family())
            own.push_back(address.value);
    if (own.size() <= 1)
        return own;
    std::erase_if(own, [&](IpAddress const& address) {
        return std::ranges::none_of(vrrp.vips, [&](VrrpVip const& vip) {
            bool const is_here = vip.device.empty() || vip.device == vrrp.interface;
            return is_here && Prefix::of(vip.address, vip.length).contains(address);
        });
    });
    return own;
}

std::optional<IpAddress> unicast_address(Site const& site, Vrrp const& vrrp, DirectorId director) {
    auto const candidates = unicast_candidates(site, vrrp, director);
    return candidates.empty() ? std::nullopt : std::optional(candidates.front());
}

std::optional<DirectorId> director_of(Site const& site, RealServer const& real) {
    return real.director ? real.director : director_at(site, real.address);
}

} // namespace lbc
