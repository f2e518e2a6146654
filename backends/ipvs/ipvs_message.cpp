#include "backends/ipvs/ipvs_message.hpp"

#include "backends/netlink/attributes.hpp"

#include <netlink/msg.h>

#include <arpa/inet.h>
#include <linux/ip_vs.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

namespace lbc {
namespace {

constexpr std::uint32_t kept_flags =
    IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_ONEPACKET | IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2 | IP_VS_SVC_F_SCHED3;

std::uint16_t number_of(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

std::optional<Family> family_of(std::optional<std::uint16_t> number) {
    if (number == AF_INET)
        return Family::ipv4;
    return number == AF_INET6 ? std::optional(Family::ipv6) : std::nullopt;
}

using Top = Attributes<IPVS_CMD_ATTR_MAX>;

/// The kernel reads and writes both families' addresses in a field of 16 bytes.
bool put_address(nl_msg* message, int number, IpAddress const& address) {
    return put(message, number, address.bytes());
}

/// The attribute of an IPv4 netmask is the mask, in network order; that of an IPv6 one is its length.
std::uint32_t netmask_field(Family family, int length) {
    if (family == Family::ipv6)
        return static_cast<std::uint32_t>(length);
    return length <= 0 ? 0 : htonl(~std::uint32_t{0} << (32 - length));
}

int netmask_length(Family family, std::uint32_t field) {
    if (family == Family::ipv6)
        return field <= 128 ? static_cast<int>(field) : -1;
    int const length = std::popcount(field);
    return netmask_field(family, length) == field ? length : -1;
}

bool put_parameters(nl_msg* message, Family family, IpvsParameters const& parameters) {
    // The kernel reads the flags with a mask of those to set.
    ip_vs_flags const flags{parameters.flags, ~std::uint32_t{0}};
    bool const done = put_text(message, IPVS_SVC_ATTR_SCHED_NAME, parameters.scheduler) &&
                      put(message, IPVS_SVC_ATTR_FLAGS, flags) &&
                      put(message, IPVS_SVC_ATTR_TIMEOUT, parameters.timeout) &&
                      put(message, IPVS_SVC_ATTR_NETMASK, netmask_field(family, parameters.netmask));
    return done && (parameters.engine.empty() || put_text(message, IPVS_SVC_ATTR_PE_NAME, parameters.engine));
}

std::uint32_t method_number(Forwarding::Method method) {
    switch (method) {
    case Forwarding::Method::nat: return IP_VS_CONN_F_MASQ;
    case Forwarding::Method::tun: return IP_VS_CONN_F_TUNNEL;
    case Forwarding::Method::dr: break;
    }
    return IP_VS_CONN_F_DROUTE;
}

bool put_tunnel(nl_msg* message, Forwarding const& forwarding) {
    std::uint8_t type = IP_VS_CONN_F_TUNNEL_TYPE_IPIP;
    if (forwarding.tunnel == Forwarding::Tunnel::gre)
        type = IP_VS_CONN_F_TUNNEL_TYPE_GRE;
    else if (forwarding.tunnel == Forwarding::Tunnel::gue)
        type = IP_VS_CONN_F_TUNNEL_TYPE_GUE;
    std::uint16_t flags = IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM;
    if (forwarding.checksum == Forwarding::Checksum::csum)
        flags = IP_VS_TUNNEL_ENCAP_FLAG_CSUM;
    else if (forwarding.checksum == Forwarding::Checksum::remcsum)
        flags = IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM;
    return put(message, IPVS_DEST_ATTR_TUN_TYPE, type) &&
           put(message, IPVS_DEST_ATTR_TUN_PORT, htons(forwarding.gue_port.value)) &&
           put(message, IPVS_DEST_ATTR_TUN_FLAGS, flags);
}

bool put_settings(nl_msg* message, Destination const& real) {
    bool const done = put(message, IPVS_DEST_ATTR_FWD_METHOD, method_number(real.forwarding.method)) &&
                      put(message, IPVS_DEST_ATTR_WEIGHT, real.weight) &&
                      put(message, IPVS_DEST_ATTR_U_THRESH, real.connections_max) &&
                      put(message, IPVS_DEST_ATTR_L_THRESH, real.connections_min);
    return done && (real.forwarding.method != Forwarding::Method::tun || put_tunnel(message, real.forwarding));
}

template <int max>
Forwarding forwarding_in(Attributes<max> const& real, std::uint32_t method) {
    Forwarding forwarding;
    if (method == IP_VS_CONN_F_MASQ) {
        forwarding.method = Forwarding::Method::nat;
    } else if (method == IP_VS_CONN_F_TUNNEL) {
        forwarding.method = Forwarding::Method::tun;
        auto const type = real.template get<std::uint8_t>(IPVS_DEST_ATTR_TUN_TYPE).value_or(0);
        auto const flags = real.template get<std::uint16_t>(IPVS_DEST_ATTR_TUN_FLAGS).value_or(0);
        if (type == IP_VS_CONN_F_TUNNEL_TYPE_GUE) {
            forwarding.tunnel = Forwarding::Tunnel::gue;
            forwarding.gue_port.value = ntohs(real.template get<std::uint16_t>(IPVS_DEST_ATTR_TUN_PORT).value_or(0));
        } else if (type == IP_VS_CONN_F_TUNNEL_TYPE_GRE) {
            forwarding.tunnel = Forwarding::Tunnel::gre;
        }
        if ((flags & IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM) != 0)
            forwarding.checksum = Forwarding::Checksum::remcsum;
        else if ((flags & IP_VS_TUNNEL_ENCAP_FLAG_CSUM) != 0)
            forwarding.checksum = Forwarding::Checksum::csum;
    }
    return forwarding;
}

/// `wide` has fields of 64 bits (Linux 4.1 and newer), `narrow` the same with 32.
IpvsCounters counters_in(nlattr* wide, nlattr* narrow) {
    Attributes<IPVS_STATS_ATTR_MAX> const stats(wide != nullptr ? wide : narrow);
    auto const value = [&](int number) -> std::uint64_t {
        if (auto const field = stats.get<std::uint64_t>(number))
            return *field;
        return stats.get<std::uint32_t>(number).value_or(0);
    };
    return {.connections = value(IPVS_STATS_ATTR_CONNS),
            .packets_in = value(IPVS_STATS_ATTR_INPKTS),
            .packets_out = value(IPVS_STATS_ATTR_OUTPKTS),
            .bytes_in = value(IPVS_STATS_ATTR_INBYTES),
            .bytes_out = value(IPVS_STATS_ATTR_OUTBYTES),
            .connection_rate = value(IPVS_STATS_ATTR_CPS),
            .packet_rate_in = value(IPVS_STATS_ATTR_INPPS),
            .packet_rate_out = value(IPVS_STATS_ATTR_OUTPPS),
            .byte_rate_in = value(IPVS_STATS_ATTR_INBPS),
            .byte_rate_out = value(IPVS_STATS_ATTR_OUTBPS)};
}

} // namespace

bool put_service(nl_msg* message, ServiceKey key, IpvsParameters const* parameters) {
    return nested(message, IPVS_CMD_ATTR_SERVICE, [&] {
        return put(message, IPVS_SVC_ATTR_AF, number_of(key.family)) &&
               put(message, IPVS_SVC_ATTR_FWMARK, key.mark.value) &&
               (parameters == nullptr || put_parameters(message, key.family, *parameters));
    });
}

bool put_real(nl_msg* message, Destination const& real, bool key_only) {
    return nested(message, IPVS_CMD_ATTR_DEST, [&] {
        return put(message, IPVS_DEST_ATTR_ADDR_FAMILY, number_of(real.address.family())) &&
               put_address(message, IPVS_DEST_ATTR_ADDR, real.address) &&
               put(message, IPVS_DEST_ATTR_PORT, htons(real.port.value)) && (key_only || put_settings(message, real));
    });
}

bool put_daemon(nl_msg* message, SyncDaemon const& daemon, bool role_only) {
    auto const group = [&] {
        if (!daemon.group)
            return true;
        if (daemon.group->family() == Family::ipv6)
            return put_address(message, IPVS_DAEMON_ATTR_MCAST_GROUP6, *daemon.group);
        return nla_put(message, IPVS_DAEMON_ATTR_MCAST_GROUP, 4, daemon.group->bytes().data()) == 0;
    };
    return nested(message, IPVS_CMD_ATTR_DAEMON, [&] {
        bool const role = put(message, IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(daemon.role));
        return role &&
               (role_only || (put_text(message, IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface) &&
                              put(message, IPVS_DAEMON_ATTR_SYNC_ID, daemon.id) && group() &&
                              (daemon.maxlen == 0 || put(message, IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon.maxlen)) &&
                              (daemon.port == 0 || put(message, IPVS_DAEMON_ATTR_MCAST_PORT, daemon.port)) &&
                              (daemon.ttl == 0 || put(message, IPVS_DAEMON_ATTR_MCAST_TTL, daemon.ttl))));
    });
}

std::optional<IpvsService> read_service(nlattr* attributes, int length) {
    Attributes<IPVS_SVC_ATTR_MAX> const found(Top(attributes, length)[IPVS_CMD_ATTR_SERVICE]);
    auto const family = family_of(found.get<std::uint16_t>(IPVS_SVC_ATTR_AF));
    auto const mark = found.get<std::uint32_t>(IPVS_SVC_ATTR_FWMARK);
    if (!family || !mark || *mark == 0)
        return std::nullopt;
    IpvsService service{.key = {Fwmark{*mark}, *family}};
    service.parameters = {
        .scheduler = found.text(IPVS_SVC_ATTR_SCHED_NAME),
        .flags = found.get<ip_vs_flags>(IPVS_SVC_ATTR_FLAGS).value_or(ip_vs_flags{}).flags & kept_flags,
        .timeout = found.get<std::uint32_t>(IPVS_SVC_ATTR_TIMEOUT).value_or(0),
        .netmask = netmask_length(*family, found.get<std::uint32_t>(IPVS_SVC_ATTR_NETMASK).value_or(0)),
        .engine = found.text(IPVS_SVC_ATTR_PE_NAME)};
    service.counters = counters_in(found[IPVS_SVC_ATTR_STATS64], found[IPVS_SVC_ATTR_STATS]);
    return service;
}

std::optional<IpvsAddress> read_address(nlattr* attributes, int length) {
    Attributes<IPVS_SVC_ATTR_MAX> const found(Top(attributes, length)[IPVS_CMD_ATTR_SERVICE]);
    auto const family = family_of(found.get<std::uint16_t>(IPVS_SVC_ATTR_AF));
    auto const protocol = found.get<std::uint16_t>(IPVS_SVC_ATTR_PROTOCOL);
    auto const address = family ? address_in(found[IPVS_SVC_ATTR_ADDR], *family) : std::nullopt;
    if (!address || !protocol || *protocol > 255)
        return std::nullopt;
    auto const port = found.get<std::uint16_t>(IPVS_SVC_ATTR_PORT).value_or(0);
    return IpvsAddress{static_cast<std::uint8_t>(*protocol), *address, Port{ntohs(port)}};
}

std::optional<IpvsReal> read_real(nlattr* attributes, int length, Family family) {
    Attributes<IPVS_DEST_ATTR_MAX> const found(Top(attributes, length)[IPVS_CMD_ATTR_DEST]);
    auto const own_family = family_of(found.get<std::uint16_t>(IPVS_DEST_ATTR_ADDR_FAMILY)).value_or(family);
    auto const address = address_in(found[IPVS_DEST_ATTR_ADDR], own_family);
    if (!address)
        return std::nullopt;
    auto const number = [&](int attribute) { return found.get<std::uint32_t>(attribute).value_or(0); };
    auto const method = number(IPVS_DEST_ATTR_FWD_METHOD) & IP_VS_CONN_F_FWD_MASK;
    IpvsReal real{.local = method == IP_VS_CONN_F_LOCALNODE};
    real.server.address = *address;
    real.server.port.value = ntohs(found.get<std::uint16_t>(IPVS_DEST_ATTR_PORT).value_or(0));
    real.server.weight = number(IPVS_DEST_ATTR_WEIGHT);
    real.server.forwarding = forwarding_in(found, method);
    real.server.connections_max = number(IPVS_DEST_ATTR_U_THRESH);
    real.server.connections_min = number(IPVS_DEST_ATTR_L_THRESH);
    real.active = number(IPVS_DEST_ATTR_ACTIVE_CONNS);
    real.inactive = number(IPVS_DEST_ATTR_INACT_CONNS);
    real.persistent = number(IPVS_DEST_ATTR_PERSIST_CONNS);
    real.counters = counters_in(found[IPVS_DEST_ATTR_STATS64], found[IPVS_DEST_ATTR_STATS]);
    return real;
}

std::optional<SyncDaemon> read_daemon(nlattr* attributes, int length) {
    Attributes<IPVS_DAEMON_ATTR_MAX> const found(Top(attributes, length)[IPVS_CMD_ATTR_DAEMON]);
    auto const role = found.get<std::uint32_t>(IPVS_DAEMON_ATTR_STATE).value_or(0);
    if (role != IP_VS_STATE_MASTER && role != IP_VS_STATE_BACKUP)
        return std::nullopt;
    SyncDaemon daemon{.role = static_cast<SyncDaemon::Role>(role)};
    daemon.interface = found.text(IPVS_DAEMON_ATTR_MCAST_IFN);
    daemon.id = found.get<std::uint32_t>(IPVS_DAEMON_ATTR_SYNC_ID).value_or(0);
    daemon.maxlen = found.get<std::uint16_t>(IPVS_DAEMON_ATTR_SYNC_MAXLEN).value_or(0);
    daemon.group = address_in(found[IPVS_DAEMON_ATTR_MCAST_GROUP], Family::ipv4);
    if (!daemon.group)
        daemon.group = address_in(found[IPVS_DAEMON_ATTR_MCAST_GROUP6], Family::ipv6);
    daemon.port = found.get<std::uint16_t>(IPVS_DAEMON_ATTR_MCAST_PORT).value_or(0);
    daemon.ttl = found.get<std::uint8_t>(IPVS_DAEMON_ATTR_MCAST_TTL).value_or(0);
    return daemon;
}

} // namespace lbc
