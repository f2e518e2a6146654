// Mangle rules in the shape of xtables: the one form that layouts make, libiptc writes and reads, restore text prints,
// and proofs walk. A Ruleset holds only what is lbc's in one family's mangle table: its chains, and the rules of
// built-in chains that lead into them.
#pragma once

#include "compiler/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lbc {

/// The names that belong to lbc: `LBC` and everything that begins with `LBC-`.
[[nodiscard]] bool is_own_chain(std::string_view name);

inline constexpr std::string_view marks_chain = "LBC";       // from PREROUTING: who gets a mark
inline constexpr std::string_view peers_chain = "LBC-PEER";  // from LBC: packets of peer directors
inline constexpr std::string_view output_chain = "LBC-OUT";  // from OUTPUT
inline constexpr std::string_view guard_chain = "LBC-GUARD"; // from LBC-OUT: packets with the guard mark

/// What a rule asks of a packet; every part must hold, an absent part always does.
struct Matches {
    std::optional<InterfacePattern> in_interface; // -i
    std::optional<Prefix> destination;            // -d
    std::uint8_t protocol = 0;                    // -p, an IP protocol number; 0: any
    /// Needs protocol tcp, udp or sctp. One: `-m tcp --dport`; several: `-m multiport --dports`, at most 15 slots, of
    /// which a range takes two (XT_MULTI_PORTS in xt_multiport.h). None: any port.
    std::vector<PortRange> destination_ports;
    std::optional<MacAddress> source_mac; // -m mac --mac-source; never holds on a device without Ethernet addresses
    bool not_source_mac = false;          // with source_mac: ! --mac-source; it does not hold there either (xt_mac.c)
    std::optional<Fwmark> mark;           // -m mark --mark, all 32 bits
    /// Parts of a rule read from a kernel that this type has no field for; no two such rules are equal to one of ours.
    std::string unknown;

    friend bool operator==(Matches const&, Matches const&) = default;
};

struct SetMark {
    Fwmark mark; // -j MARK --set-xmark MARK/0xffffffff; the walk goes on behind it
    friend bool operator==(SetMark const&, SetMark const&) = default;
};
struct Jump {
    std::string chain; // -j: the walk comes back here
    friend bool operator==(Jump const&, Jump const&) = default;
};
struct Goto {
    std::string chain; // -g: the walk comes back to where this chain was entered from
    friend bool operator==(Goto const&, Goto const&) = default;
};
struct Return {
    friend bool operator==(Return const&, Return const&) = default;
};
struct Drop {
    friend bool operator==(Drop const&, Drop const&) = default;
};
/// A target of a rule read from a kernel that this type has no name for.
struct UnknownTarget {
    std::string name;
    friend bool operator==(UnknownTarget const&, UnknownTarget const&) = default;
};

using Target = std::variant<SetMark, Jump, Goto, Return, Drop, UnknownTarget>;

struct Rule {
    Matches when;
    Target then;
    std::string comment; // for people who read the text; one line; the kernel never sees it

    friend bool operator==(Rule const& a, Rule const& b) { return a.when == b.when && a.then == b.then; }
};

struct Chain {
    std::string name; // at most 28 bytes
    std::vector<Rule> rules;

    friend bool operator==(Chain const&, Chain const&) = default;
};

/// A rule of a built-in chain that jumps into one of lbc's.
struct Hook {
    std::string builtin; // "PREROUTING", "OUTPUT"
    Rule rule;

    friend bool operator==(Hook const&, Hook const&) = default;
};

struct Ruleset {
    Family family = Family::ipv4;
    std::vector<Chain> chains; // sorted by name
    std::vector<Hook> hooks;   // PREROUTING before OUTPUT

    [[nodiscard]] bool empty() const { return chains.empty() && hooks.empty(); }
    [[nodiscard]] Chain const* find(std::string_view name) const;

    friend bool operator==(Ruleset const&, Ruleset const&) = default;
};

/// One rule as `iptables-save` writes it, without `-A CHAIN`: "-d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j …".
[[nodiscard]] std::string to_string(Rule const& rule);

} // namespace lbc
