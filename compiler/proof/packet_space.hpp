// The space of packets, cut so finely that nothing at hand can tell two packets of one piece apart but for their ports,
// which a walk takes all at once. A question about every packet becomes one about a packet of each piece: rules are
// compared so, proved to be what a site says, and a site's directors asked what they do with each other's packets.
// Nothing is sampled.
#pragma once

#include "compiler/proof/walk.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// "tcp", or "protocol 47"
[[nodiscard]] std::string protocol_name(std::uint8_t number);

/// Whether lbc knows the protocol's ports.
[[nodiscard]] bool has_ports(std::uint8_t protocol);
/// Where a packet goes to: "192.0.2.1:80/tcp", "192.0.2.1/protocol 47".
[[nodiscard]] std::string target_of(Packet const& packet);

/// A packet that is on its way between directors: "192.0.2.1:80/tcp from 02:00:00:00:00:01", "… through a tunnel".
[[nodiscard]] std::string title(Packet const& packet);

/// Interfaces that the rules at hand treat alike: one by its name, or those that a pattern matches and none of
/// `except`.
struct InterfaceClass {
    std::string name; // of one of them, which is the only one where there is no pattern
    std::optional<InterfacePattern> pattern;
    std::vector<InterfacePattern> except;

    /// The pattern is "+" where they are just those that no rule names.
    [[nodiscard]] std::string str() const;
    friend bool operator==(InterfaceClass const& a, InterfaceClass const& b) { return a.name == b.name; }
    friend auto operator<=>(InterfaceClass const& a, InterfaceClass const& b) { return a.name <=> b.name; }
};

/// Source addresses that the rules at hand treat alike.
struct SourceClass {
    enum class Kind : std::uint8_t {
        other, // every MAC that no rule names
        mac,   // this one
        none,  // the device has no Ethernet addresses
    };
    Kind kind = Kind::other;
    MacAddress mac{}; // one of them

    [[nodiscard]] std::optional<MacAddress> source() const {
        return kind == Kind::none ? std::nullopt : std::optional(mac);
    }
    friend auto operator<=>(SourceClass const&, SourceClass const&) = default;
};

/// Ports of a protocol. Ports are `all` where no rule tells them apart.
struct ProtocolPorts {
    std::optional<std::uint8_t> protocol; // none: every protocol that no rule names
    std::vector<PortRange> ports;         // sorted, none touching the next

    friend auto operator<=>(ProtocolPorts const&, ProtocolPorts const&) = default;
};

/// Adds a range behind those that are there, which it may touch.
void append_ports(std::vector<ProtocolPorts>& list, std::optional<std::uint8_t> protocol, PortRange range);

/// A destination's addresses: those of a prefix but for narrower ones in it.
struct DestinationClass {
    Prefix prefix;
    std::vector<Prefix> except; // sorted, none in another
    IpAddress address;          // one of them
};

/// The destinations that a set of prefixes cuts a family's addresses into, in order; the whole family's among them.
[[nodiscard]] std::vector<DestinationClass> destination_classes(Family family, std::vector<Prefix> prefixes);

/// What tells packets for one destination apart. Everything that says something about packets adds its own.
struct Borders {
    std::set<InterfacePattern> interfaces;
    std::set<MacAddress> macs;
    std::set<std::uint8_t> protocols;
    std::set<Fwmark> entering; // marks that a rule asks for, of packets that enter
    std::set<Fwmark> leaving;  // likewise

    void add(RulesFor const& rules);
};

/// The pieces that borders make.
struct PacketCuts {
    std::vector<InterfaceClass> interfaces; // `lo` first, then those that rules name, then all others
    std::vector<SourceClass> sources;
    std::vector<std::optional<std::uint8_t>> protocols; // none: every one that is not named; it is the last
    std::vector<Fwmark> entering;                       // what packets carry: 0, and each mark that a rule asks for
    std::vector<Fwmark> leaving;

    explicit PacketCuts(Borders const& borders);

    [[nodiscard]] std::vector<std::uint8_t> named_protocols() const;
    [[nodiscard]] std::vector<MacAddress> named_macs() const;
    /// One packet of a piece.
    [[nodiscard]] Packet packet(DestinationClass const& destination, std::optional<std::uint8_t> protocol,
                                std::string const& interface, std::optional<MacAddress> source) const;

private:
    std::uint8_t other_protocol_ = 253; // for experiments (RFC 3692), or below
};

} // namespace lbc
