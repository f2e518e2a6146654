#include "backends/emit/ipvsadm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace lbc {

namespace {

// `-6` stands behind the mark: ipvsadm refuses it before `-f`.
std::string key(VirtualService const& service) {
    return fmt::format("-f {}{}", service.mark.value, service.family == Family::ipv6 ? " -6" : "");
}

// An IPv4 netmask as a dotted quad, an IPv6 one as its length; nothing for a whole address, which is the default.
std::string netmask(Family family, int length) {
    int const bits = family == Family::ipv4 ? 32 : 128;
    if (length < 0 || length >= bits)
        return {};
    if (family == Family::ipv6)
        return fmt::format(" -M {}", length);
    return fmt::format(" -M {}", ipv4_netmask(length).str());
}

// `sh-port` and `mh-port` are names for flag-2 of those schedulers, `sh-fallback` and `mh-fallback` for flag-1
// (linux/ip_vs.h). ipvsadm writes the name if the scheduler has one, and the flags in this order.
std::string flags(Scheduler const& scheduler) {
    bool const named = scheduler.name == "sh" || scheduler.name == "mh";
    std::string out;
    auto const add = [&](std::string const& number, std::string const& suffix) {
        bool const set = std::any_of(scheduler.flags.begin(), scheduler.flags.end(), [&](std::string const& flag) {
            return flag == number || (!suffix.empty() && (flag == "sh-" + suffix || flag == "mh-" + suffix));
        });
        if (set) {
            out += out.empty() ? " -b " : ",";
            out += named && !suffix.empty() ? scheduler.name + '-' + suffix : number;
        }
    };
    add("flag-1", "fallback");
    add("flag-2", "port");
    add("flag-3", "");
    return out;
}

std::string_view method(Forwarding const& forwarding) {
    switch (forwarding.method) {
    case Forwarding::Method::dr: return "-g";
    case Forwarding::Method::nat: return "-m";
    case Forwarding::Method::tun: return "-i";
    }
    return {};
}

std::string_view checksum(Forwarding const& forwarding) {
    switch (forwarding.checksum) {
    case Forwarding::Checksum::none: return " --tun-nocsum";
    case Forwarding::Checksum::csum: return " --tun-csum";
    case Forwarding::Checksum::remcsum: return " --tun-remcsum";
    }
    return {};
}

std::string tunnel(Forwarding const& forwarding) {
    if (forwarding.method != Forwarding::Method::tun)
        return {};
    switch (forwarding.tunnel) {
    case Forwarding::Tunnel::ipip: return " --tun-type ipip"; // it has no option for checksums
    case Forwarding::Tunnel::gre: return fmt::format(" --tun-type gre{}", checksum(forwarding));
    case Forwarding::Tunnel::gue:
        return fmt::format(" --tun-type gue --tun-port {}{}", forwarding.gue_port.value, checksum(forwarding));
    }
    return {};
}

std::string real_server(VirtualService const& service, Destination const& real) {
    std::string out = fmt::format("-a {} -r {} {} -w {}{}", key(service), endpoint(real.address, real.port),
                                  method(real.forwarding), real.weight, tunnel(real.forwarding));
    if (real.connections_max > 0)
        out += fmt::format(" -x {}", real.connections_max);
    if (real.connections_min > 0)
        out += fmt::format(" -y {}", real.connections_min);
    return out + '\n';
}

} // namespace

std::string ipvsadm_lines(VirtualService const& service) {
    std::string out = fmt::format("-A {} -s {}", key(service), service.scheduler.name);
    if (service.persistence) {
        out += fmt::format(" -p {}{}", service.persistence->timeout.count(),
                           netmask(service.family, service.persistence->netmask));
        if (!service.persistence->engine.empty())
            out += " --pe " + service.persistence->engine;
    }
    out += service.one_packet ? " -o" : "";
    out += flags(service.scheduler) + '\n';
    for (Destination const& real : service.reals)
        out += real_server(service, real);
    return out;
}

std::string ipvsadm_text(Site const& site, Plan const& plan) {
    std::string out;
    if (site.ipvs == IpvsOwner::lbc)
        for (VirtualService const& service : plan.services)
            out += ipvsadm_lines(service);
    return out;
}

} // namespace lbc
