// What one director must have, free of any backend: a MarkTable, which says the mark of every packet, and the IPVS
// virtual services that the marks lead to.
//
//     service web { vip 192.168.23.253; port tcp 80; mark lb1 0x3, lb2 0x4; real lb1; real lb2 }
//
// is on lb1 one MarkClass (192.168.23.253/32, tcp, 80 → 0x3), lb2's MACs as peers, a guard, and one VirtualService
// (fwmark 0x3, IPv4) with two real servers.
#pragma once

#include "compiler/site.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// Packets of one service for one VIP and protocol. Classes of a table are disjoint: no packet is in two.
struct MarkClass {
    std::size_t service = 0; // index into Site::services, for messages and comments
    Prefix destination;
    Protocol protocol = Protocol::any;
    Few<PortRange, 1> ports;                  // sorted, none touching the next; `any` has the whole range
    std::vector<InterfacePattern> interfaces; // where the packet enters; none: any but lo
    std::vector<MacAddress> bypass;           // source MACs that stay unmarked
    bool ethernet_only = false; // packets without a source MAC, as a tunnel's end delivers them, stay unmarked
    bool from_director = false; // what the director itself sends is in the class too
    Fwmark mark;

    [[nodiscard]] Family family() const { return destination.family(); }
    /// Whether a packet of an IP protocol for one of these ports is in the class, as far as that tells.
    [[nodiscard]] bool takes(std::uint8_t ip_protocol, PortRange const& range) const {
        return protocol == Protocol::any ||
               (static_cast<std::uint8_t>(protocol) == ip_protocol &&
                std::ranges::any_of(ports, [&](PortRange const& own) { return own.overlaps(range); }));
    }
};

/// The outer packets by which this director reaches real servers through a tunnel.
struct TunnelEnd {
    IpAddress address;         // the real server
    std::uint8_t protocol = 0; // IP protocol number of the outer packet's payload: 4, 41, 47 or 17
    std::optional<Port> port;  // UDP port of GUE

    friend auto operator<=>(TunnelEnd const&, TunnelEnd const&) = default;
};

/// What becomes of a peer's packet that IPVS would forward again because it remembers the connection.
struct Guard {
    GuardMode mode = GuardMode::local; // local or drop
    Fwmark mark;                       // what such packets carry between PREROUTING and OUTPUT
    std::vector<TunnelEnd> tunnels;    // sorted
};

/// The mark of every packet that enters the director:
/// - on `lo`: as it was;
/// - from a peer's MAC: the guard mark if it is in a class's addresses and ports, whatever interface; else as it was;
/// - in a class, and from none of its bypass MACs: the class's mark;
/// - anything else: as it was.
/// What the director itself sends gets the mark of the `from_director` class that it is in.
struct MarkTable {
    std::vector<MarkClass> classes; // in the order of the source
    std::vector<MacAddress> peers;  // of every other director; sorted, unique
    std::optional<Guard> guard;
};

/// A real server of a virtual service, as IPVS knows one: by its address and port.
struct Destination {
    IpAddress address;
    Port port; // 0: the packet's own
    std::uint32_t weight = 1;
    Forwarding forwarding;
    std::uint32_t connections_min = 0; // 0: none
    std::uint32_t connections_max = 0; // 0: none
    Span span;

    /// Its address, with the port where it has one.
    [[nodiscard]] std::string name() const;
    [[nodiscard]] bool is_same_server(Destination const& other) const {
        return address == other.address && port == other.port;
    }

    /// Compares what the kernel has; the span is the source's.
    friend bool operator==(Destination const& a, Destination const& b) {
        return a.address == b.address && a.port == b.port && a.weight == b.weight && a.forwarding == b.forwarding &&
               a.connections_min == b.connections_min && a.connections_max == b.connections_max;
    }
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

    /// What it has at the address and port of another real server; null: none.
    [[nodiscard]] Destination const* find(Destination const& like) const;
};

/// Schedulers that know no weights but 0 (ipvsadm(8)).
[[nodiscard]] bool is_unweighted(std::string_view scheduler);

/// Of the new connections that a service gets, those that go to one of its real servers: "weight 3 of 12 (25 % of new
/// connections)".
[[nodiscard]] std::string share_of(Destination const& real, VirtualService const& service);

/// An IPVS service of its own for one real server: what a check sends with the mark goes there as a client's packet
/// does.
struct CheckService {
    Fwmark mark;
    Family family = Family::ipv4; // of the VIP
    Destination real;
};

struct Plan {
    DirectorId director;
    MarkTable marks;
    std::vector<VirtualService> services; // in the order of the source, IPv4 before IPv6
    std::vector<CheckService> checks;     // those that this director's checks go by
    bool backup_only = false;             // net.ipv4.vs.backup_only is to be 1
    /// Of each family: answers of real servers by `nat` come back through this director, which forwards them.
    std::array<bool, families.size()> forwards{};
};

/// The marks of a director's plan alone. The site may have errors.
[[nodiscard]] MarkTable make_mark_table(Site const& site, DirectorId director);

/// A director's plan. The site must be free of errors.
[[nodiscard]] Plan make_plan(Site const& site, DirectorId director);

} // namespace lbc
