// Rules in the shape of xtables: the one form that layouts make, libiptc writes and reads, restore text prints, and
// proofs walk. A Ruleset holds what is lbc's in one family's mangle table, its chains and the rules of built-in chains
// that lead into them; or a whole table of a box, rules of others among them, which lbc reads and never writes.
#pragma once

#include "compiler/mark_set.hpp"
#include "compiler/types.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lbc {

/// The names that belong to lbc: `LBC` and everything that begins with `LBC-`.
[[nodiscard]] bool is_own_chain(std::string_view name);
/// The table of nftables that belongs to lbc, as Ruleset::table has it.
inline constexpr std::string_view nft_table = "inet lbc";
/// The same of a chain of any table: lbc has them in mangle, and has a table of nftables of its own.
[[nodiscard]] bool is_own_chain(std::string_view table, std::string_view name);

inline constexpr std::string_view marks_chain = "LBC";       // from PREROUTING: who gets a mark
inline constexpr std::string_view peers_chain = "LBC-PEER";  // from LBC: packets of peer directors
inline constexpr std::string_view output_chain = "LBC-OUT";  // from OUTPUT
inline constexpr std::string_view guard_chain = "LBC-GUARD"; // from LBC-OUT: packets with the guard mark

inline constexpr std::uint32_t whole_mark = 0xffffffff;

/// What a rule asks of a packet; every part must hold, an absent part always does. Of those that can be negated, lbc
/// writes only `not_source_mac`, and no mask but the whole one.
struct Matches {
    std::optional<InterfacePattern> in_interface; // -i
    std::optional<Prefix> destination;            // -d
    std::uint8_t protocol = 0;                    // -p, an IP protocol number; 0: any
    /// Needs protocol tcp, udp or sctp. One: `-m tcp --dport`; several: `-m multiport --dports`, at most 15 slots, of
    /// which a range takes two (XT_MULTI_PORTS in xt_multiport.h). None: any port.
    std::vector<PortRange> destination_ports;
    std::optional<MacAddress> source_mac; // -m mac --mac-source; never holds on a device without Ethernet addresses
    std::optional<Fwmark> mark;           // -m mark --mark MARK/MASK: the packet's mark under the mask is this
    std::uint32_t mark_mask = whole_mark;

    bool not_in_interface = false;      // ! -i
    bool not_destination = false;       // ! -d
    bool not_protocol = false;          // ! -p
    bool not_destination_ports = false; // ! --dport, ! --dports: of the protocol, which must still be the rule's
    bool not_source_mac = false;        // ! --mac-source; it does not hold without Ethernet addresses either (xt_mac.c)
    bool not_mark = false;              // ! --mark

    /// Parts of a rule that this type has no field for, as iptables-save or lbc words them: the rule may hold or not.
    /// No such rule is equal to one of lbc's.
    std::string unknown;

    friend bool operator==(Matches const&, Matches const&) = default;
};

/// -j MARK --set-xmark MARK/MASK: the bits of the mask are cleared, then the mark's bits flipped (xt_mark.c). The walk
/// goes on behind it.
struct SetMark {
    Fwmark mark;
    std::uint32_t mask = whole_mark;
    friend bool operator==(SetMark const&, SetMark const&) = default;
};
/// -j SET --map-set SET dst,dst --map-mark: the mark that the set has for the packet's destination, protocol and port;
/// a packet that the set does not have keeps its own (xt_set.c). The walk goes on behind it.
struct MapMark {
    std::string set;
    friend bool operator==(MapMark const&, MapMark const&) = default;
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
    std::string name = "DROP"; // or another target that ends the packet: "REJECT"
    bool is_policy = false;    // no rule, but what a built-in chain does with packets that come to its end or return
    friend bool operator==(Drop const&, Drop const&) = default;
};
/// Ends the walk through the table. lbc never writes it.
struct Accept {
    friend bool operator==(Accept const&, Accept const&) = default;
};
/// A target of others that leaves the mark alone, and behind which the walk goes on: LOG, TCPMSS; none at all.
struct Pass {
    std::string name; // empty: the rule has no target
    friend bool operator==(Pass const&, Pass const&) = default;
};
/// A target of others that sends the packet to another destination, and leaves its mark alone: DNAT, REDIRECT, NETMAP.
/// It ends the walk through the table.
struct Dnat {
    std::string name;
    friend bool operator==(Dnat const&, Dnat const&) = default;
};
/// A target of others behind which the walk goes on with a mark that nothing in the rules tells: CONNMARK. Bits that
/// are not in the mask stay as they are.
struct AnyMark {
    std::string name;
    std::uint32_t mask = whole_mark;
    friend bool operator==(AnyMark const&, AnyMark const&) = default;
};
/// A target of which lbc does not know what it does.
struct UnknownTarget {
    std::string name;
    friend bool operator==(UnknownTarget const&, UnknownTarget const&) = default;
};

using Target = std::variant<SetMark, MapMark, Jump, Goto, Return, Drop, Accept, Dnat, Pass, AnyMark, UnknownTarget>;

struct Rule {
    Matches when;
    Target then;
    std::string comment; // for people who read the text; one line; the kernel never sees it

    friend bool operator==(Rule const& a, Rule const& b) { return a.when == b.when && a.then == b.then; }
};

struct Chain {
    std::string name; // at most 28 bytes; of others' up to 31
    std::vector<Rule> rules;
    std::vector<std::uint32_t> origins{}; // of nftables alone: for each rule its place in TableShape::origins

    friend bool operator==(Chain const&, Chain const&) = default;
};

/// A rule of a built-in chain that jumps into one of lbc's.
struct Hook {
    std::string builtin; // "PREROUTING", "OUTPUT"
    Rule rule;

    friend bool operator==(Hook const&, Hook const&) = default;
};

/// Where a base chain of nftables is called from, as far as that is before IPVS.
struct BaseChain {
    enum class Hook : std::uint8_t { ingress, prerouting, input, output };

    std::string chain;
    Hook hook{};
    int priority = 0; // ascending, in the order in which packets come to them
    bool is_nat = false;
};

/// In the names of chains that parts of a rule of nftables are put in, and in no other's: a name is one line.
inline constexpr char part_mark = '\n';

/// A rule of nftables, which may be several of a Ruleset: one that asks a map is one for each of its elements.
struct RuleOrigin {
    std::string chain;
    std::size_t number = 0; // from 1, in its chain
    std::string words;      // as nft words it
    bool fails = false;     // packets that meet this part are those that the rule does not match
};

/// What a table of nftables has beyond rules.
struct TableShape {
    std::vector<BaseChain> bases;
    std::vector<RuleOrigin> origins;
};

/// What is lbc's in a mangle table; or a whole table, which has its built-in chains among `chains`, each with its
/// policy as a last rule (`Drop::is_policy`) where that is not ACCEPT, and no `hooks`. A table of nftables is such a
/// whole table, with its family before its name: "inet lbc".
struct Ruleset {
    Family family = Family::ipv4;
    std::vector<Chain> chains; // sorted by name
    std::vector<Hook> hooks;   // PREROUTING before OUTPUT
    std::string table = "mangle";
    /// Those of lbc's that are known, sorted by name. What a rule maps to by another set is not known.
    std::vector<MarkSet> sets{};
    std::shared_ptr<TableShape const> shape{}; // of nftables alone

    [[nodiscard]] bool empty() const { return chains.empty() && hooks.empty() && sets.empty(); }
    [[nodiscard]] Chain const* find(std::string_view name) const;
    [[nodiscard]] MarkSet const* find_set(std::string_view name) const;

    friend bool operator==(Ruleset const&, Ruleset const&) = default;
};

/// All of a box that can give a packet of one family its mark, or take the packet before IPVS sees it: whole tables, or
/// just what is lbc's in one.
struct Netfilter {
    Family family = Family::ipv4;
    std::vector<Ruleset> tables; // each table once, in any order; one that is not there has no rules
};

/// The chains of a table that packets come to by themselves, before IPVS: of nftables as its shape says; else those
/// that are built in (nf_ip_hook_priorities in netfilter_ipv4.h).
[[nodiscard]] std::vector<BaseChain> base_chains(Ruleset const& table);

/// Whether a rule is lbc's: it is in a chain of lbc's, or leads into one.
[[nodiscard]] bool is_own_rule(std::string_view table, std::string_view chain, Rule const& rule);

/// One rule as `iptables-save` writes it, without `-A CHAIN`: "-d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j …".
[[nodiscard]] std::string to_string(Rule const& rule);
/// The same, behind what `out` has.
void append_to(std::string& out, Rule const& rule);

} // namespace lbc
