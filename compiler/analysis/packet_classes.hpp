// Partitions the packet space into packet classes: nothing at hand tells two packets of one class apart, except by
// their ports, which a walk takes all at once. So a question about every packet becomes one about a representative of
// each class. Comparisons of rules, proofs against a site, and the search for packet loops use it. Nothing is sampled.
#pragma once

#include "compiler/analysis/evaluate.hpp"

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
/// The destination of a packet: "192.0.2.1:80/tcp", "192.0.2.1/protocol 47".
[[nodiscard]] std::string target_of(Packet const& packet);

/// A packet that is on its way between directors: "192.0.2.1:80/tcp from 02:00:00:00:00:01", "… through a tunnel".
[[nodiscard]] std::string title(Packet const& packet);

/// Interfaces that the rules at hand treat alike: one by its name, or those that match a pattern and none of `except`.
struct InterfaceClass {
    std::string name; // of one of them; without a pattern, of the only one
    std::optional<InterfacePattern> pattern;
    std::vector<InterfacePattern> except;

    /// The pattern is "+" if they are exactly those that no rule names.
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

/// Ports of a protocol; `PortRange::all()` if no rule tells them apart.
struct ProtocolPorts {
    std::optional<std::uint8_t> protocol; // none: every protocol that no rule names
    std::vector<PortRange> ports;         // sorted, disjoint, non-adjacent

    friend auto operator<=>(ProtocolPorts const&, ProtocolPorts const&) = default;
};

/// Appends a range that is behind all others of the protocol; one that is adjacent to the last extends it.
void append_ports(std::vector<ProtocolPorts>& list, std::optional<std::uint8_t> protocol, PortRange range);

/// A class of destinations: the addresses of a prefix without those of narrower prefixes in it.
struct DestinationClass {
    Prefix prefix;
    std::vector<Prefix> except; // sorted, none in another
    IpAddress address;          // one of them
};

/// The classes into which a set of prefixes splits a family's addresses, in order; one is for the whole family.
[[nodiscard]] std::vector<DestinationClass> destination_classes(Family family, std::vector<Prefix> prefixes);

/// The values that tell packets for one destination apart. Every classifier adds its own.
struct SplitPoints {
    std::set<InterfacePattern> interfaces;
    std::set<MacAddress> macs;
    std::set<std::uint8_t> protocols;
    std::set<Fwmark> entering; // marks that a rule matches, of packets that enter
    std::set<Fwmark> leaving;  // likewise

    void add(RulesFor const& rules);
};

/// The packet classes that split points make.
struct PacketPartition {
    std::vector<InterfaceClass> interfaces; // `lo` first, then those that rules name, then all others
    std::vector<SourceClass> sources;
    std::vector<std::optional<std::uint8_t>> protocols; // none: every one that no rule names; it is the last
    std::vector<Fwmark> entering;                       // what packets carry: 0, and each mark that a rule matches
    std::vector<Fwmark> leaving;

    explicit PacketPartition(SplitPoints const& borders);

    [[nodiscard]] std::vector<std::uint8_t> named_protocols() const;
    [[nodiscard]] std::vector<MacAddress> named_macs() const;
    /// A representative of one class.
    [[nodiscard]] Packet packet(DestinationClass const& destination, std::optional<std::uint8_t> protocol,
                                std::string const& interface, std::optional<MacAddress> source) const;

private:
    std::uint8_t other_protocol_ = 253; // for experiments (RFC 3692), or a lower one that no rule names
};

} // namespace lbc
