// The space of packets, cut so finely that no rule at hand can tell two packets of one piece apart, and no finer. A
// question about every packet becomes one about a packet of each piece: two Rulesets are compared so, and a site's
// directors are asked what they do with each other's packets. Nothing is sampled.
#pragma once

#include "compiler/walk.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

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

/// A destination's addresses: those of a prefix but for narrower ones in it.
struct DestinationClass {
    Prefix prefix;
    std::vector<Prefix> except; // sorted, none in another
    IpAddress address;          // one of them
};

/// The destinations that a set of prefixes cuts a family's addresses into, in order; the whole family's among them.
[[nodiscard]] std::vector<DestinationClass> destination_classes(Family family, std::vector<Prefix> prefixes);

/// How the rules for one destination cut the other properties of a packet.
struct PacketCuts {
    std::vector<InterfaceClass> interfaces; // `lo` first, then those that rules name, then all others
    std::vector<SourceClass> sources;
    std::vector<ProtocolPorts> ports; // each with one range
    std::vector<Fwmark> marks;        // 0, and those that a rule asks for

    explicit PacketCuts(std::span<RulesFor const* const> rules);

    [[nodiscard]] std::vector<std::uint8_t> named_protocols() const;
    [[nodiscard]] std::vector<MacAddress> named_macs() const;
    /// One packet of a piece.
    [[nodiscard]] Packet packet(DestinationClass const& destination, ProtocolPorts const& of,
                                std::string const& interface, std::optional<MacAddress> source) const;
};

/// Packets that a director treated alike and treats alike, but not as before.
struct MarkChange {
    DestinationClass destination;
    std::vector<ProtocolPorts> ports;
    bool sent_here = false;                 // the director itself sends them, or IPVS forwards them
    Fwmark carried;                         // what they carry then; 0 where they enter
    std::vector<InterfaceClass> interfaces; // where they enter; empty where they leave
    std::vector<SourceClass> sources;       // likewise
    std::vector<std::uint8_t> protocols;    // that a rule for the destination names: `ports` without one is no other
    std::vector<MacAddress> macs;           // likewise: a source that is `other` is none of them
    Outcome before;
    Outcome after;

    [[nodiscard]] bool from_others() const; // any client's MAC is among the sources
};

/// What differs between two Rulesets of one family, for packets that enter without a mark, and for those that leave
/// with any. Each packet is in one of them at most.
[[nodiscard]] std::vector<MarkChange> compare_rulesets(Ruleset const& before, Ruleset const& after);

} // namespace lbc
