// The desired state of one director, independent of any backend: a MarkTable, which gives the mark of every packet, and
// the IPVS virtual services for these marks.
//
//     service web { vip 192.168.23.253; port tcp 80; mark lb1 0x3, lb2 0x4; real lb1; real lb2 }
//
// becomes on lb1 one MarkClass (192.168.23.253/32, tcp, 80 → 0x3), the MACs of lb2 as peers, a guard, and one
// VirtualService (fwmark 0x3, IPv4) with two real servers.
#pragma once

#include "compiler/site/site.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// The packets of one service for one VIP and protocol. The classes of a table are disjoint: no packet is in two.
struct MarkClass {
    std::size_t service = 0; // index into Site::services, for messages and comments
    Prefix destination;
    Protocol protocol = Protocol::any;
    SmallVector<PortRange, 1> ports;          // sorted, disjoint, non-adjacent; the whole range for `any`
    std::vector<InterfacePattern> interfaces; // where the packet enters; empty: any but lo
    std::vector<MacAddress> bypass;           // source MACs that stay unmarked
    bool ethernet_only = false; // packets without a source MAC, as a tunnel's end delivers them, stay unmarked
    bool from_director = false; // packets that the director itself sends are in the class too
    Fwmark mark;

    [[nodiscard]] Family family() const { return destination.family(); }
    /// Whether the class can have packets of an IP protocol for a port of the range; only its protocol and ports are
    /// compared.
    [[nodiscard]] bool takes(std::uint8_t ip_protocol, PortRange const& range) const {
        return protocol == Protocol::any ||
               (static_cast<std::uint8_t>(protocol) == ip_protocol &&
                std::ranges::any_of(ports, [&](PortRange const& own) { return own.overlaps(range); }));
    }
};

/// The outer packets of a tunnel through which this director reaches a real server.
struct TunnelEnd {
    IpAddress address;         // the real server
    std::uint8_t protocol = 0; // IP protocol number of the outer packet's payload: 4, 41, 47 or 17
    std::optional<Port> port;  // UDP port of GUE

    friend auto operator<=>(TunnelEnd const&, TunnelEnd const&) = default;
};

/// How to treat a packet from a peer that IPVS would forward again because it remembers the connection.
struct Guard {
    GuardMode mode = GuardMode::local; // local or drop
    Fwmark mark;                       // the mark of such packets between PREROUTING and OUTPUT
    std::vector<TunnelEnd> tunnels;    // sorted
};

/// The mark of every packet that enters the director:
/// - on `lo`: unchanged;
/// - from the MAC of a peer: the guard mark if a class has its address and port, on any interface; else unchanged;
/// - in a class, and from none of its bypass MACs: the mark of the class;
/// - any other packet: unchanged.
/// A packet that the director itself sends gets the mark of its `from_director` class.
struct MarkTable {
    std::vector<MarkClass> classes; // in the order of the source
    std::vector<MacAddress> peers;  // the MACs of every other director; sorted, unique
    std::optional<Guard> guard;
};

/// A real server of a virtual service. IPVS identifies it by address and port.
struct Destination {
    IpAddress address;
    Port port; // 0: the packet's own
    std::uint32_t weight = 1;
    Forwarding forwarding;
    std::uint32_t connections_min = 0; // 0: none
    std::uint32_t connections_max = 0; // 0: none
    Span span;

    /// Its address, with the port if it has one.
    [[nodiscard]] std::string name() const;
    [[nodiscard]] bool is_same_server(Destination const& other) const {
        return address == other.address && port == other.port;
    }

    /// Compares what the kernel stores, so not the span.
    friend bool operator==(Destination const& a, Destination const& b) {
        return a.address == b.address && a.port == b.port && a.weight == b.weight && a.forwarding == b.forwarding &&
               a.connections_min == b.connections_min && a.connections_max == b.connections_max;
    }
};

/// IPVS's key of a virtual service: it has one table of marks for each family.
struct ServiceKey {
    Fwmark mark;
    Family family{};

    /// "fwmark 0x3 (IPv4)"
    [[nodiscard]] std::string str() const;

    friend auto operator<=>(ServiceKey const&, ServiceKey const&) = default;
};

/// One IPVS service, which the kernel finds by firewall mark and family.
struct VirtualService {
    std::size_t service = 0; // index into Site::services
    Fwmark mark;
    Family family = Family::ipv4;
    Scheduler scheduler;
    std::optional<Persistence> persistence;
    bool one_packet = false;
    std::vector<Destination> reals; // in the order of the source
    Span span;

    [[nodiscard]] ServiceKey key() const { return {mark, family}; }
    /// The real server with the address and port of `like`; null if there is none.
    [[nodiscard]] Destination const* find(Destination const& like) const;
};

/// Whether a scheduler ignores all weights but 0 (ipvsadm(8)).
[[nodiscard]] bool is_unweighted(std::string_view scheduler);

/// The share of a service's new connections that one of its real servers gets: "weight 3 of 12 (25 % of new
/// connections)".
[[nodiscard]] std::string share_of(Destination const& real, VirtualService const& service);

struct Plan {
    DirectorId director;
    MarkTable marks;
    std::vector<VirtualService> services; // in the order of the source, IPv4 before IPv6
    /// Those that the checks of this director use, one for each checked real server: a check sends packets with the
    /// mark, so that they reach the real server as those of a client do.
    std::vector<VirtualService> checks;
    bool backup_only = false; // net.ipv4.vs.backup_only must be 1
    /// For each family: whether answers of `nat` real servers return through this director, which forwards them.
    std::array<bool, families.size()> forwards{};
};

/// Only the marks of a director's plan. The site may have errors.
[[nodiscard]] MarkTable make_mark_table(Site const& site, DirectorId director);

/// A director's plan. The site must be free of errors.
[[nodiscard]] Plan make_plan(Site const& site, DirectorId director);

} // namespace lbc
