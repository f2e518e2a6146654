// Rules in the shape of xtables. Layouts make them, libiptc reads and writes them, restore text prints them, and proofs
// walk them. A Ruleset holds either the own part of one family's mangle table (the own chains, and the rules of
// built-in chains that lead into them) or a whole table of a box, foreign rules included, which lbc reads but never
// writes.
#pragma once

#include "compiler/base/types.hpp"
#include "compiler/rules/mark_set.hpp"

#include <array>
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
/// The nftables table that belongs to lbc, in the form of Ruleset::table.
inline constexpr std::string_view nft_table = "inet lbc";
/// Whether a chain of any table is own: lbc has chains in mangle, and owns the whole nftables table.
[[nodiscard]] bool is_own_chain(std::string_view table, std::string_view name);

inline constexpr std::string_view marks_chain = "LBC";       // from PREROUTING: who gets a mark
inline constexpr std::string_view peers_chain = "LBC-PEER";  // from LBC: packets of peer directors
inline constexpr std::string_view output_chain = "LBC-OUT";  // from OUTPUT
inline constexpr std::string_view guard_chain = "LBC-GUARD"; // from LBC-OUT: packets with the guard mark

inline constexpr std::uint32_t whole_mark = 0xffffffff;

/// The matches of a rule. All of them must hold; an absent match always holds. Of the negations, lbc writes only
/// `not_source_mac`; of the mark masks, only the whole one.
struct Matches {
    std::optional<InterfacePattern> in_interface; // -i
    std::optional<Prefix> destination;            // -d
    std::uint8_t protocol = 0;                    // -p, an IP protocol number; 0: any
    /// Needs protocol tcp, udp or sctp. One range: `-m tcp --dport`. Several: `-m multiport --dports`, with at most 15
    /// slots, of which a range of several ports takes two (XT_MULTI_PORTS in xt_multiport.h). None: any port.
    std::vector<PortRange> destination_ports;
    std::optional<MacAddress> source_mac; // -m mac --mac-source; never holds on a device without Ethernet addresses
    std::optional<Fwmark> mark;           // -m mark --mark MARK/MASK: the masked mark of the packet equals this
    std::uint32_t mark_mask = whole_mark;

    bool not_in_interface = false;      // ! -i
    bool not_destination = false;       // ! -d
    bool not_protocol = false;          // ! -p
    bool not_destination_ports = false; // ! --dport, ! --dports: the protocol must still match
    bool not_source_mac = false;        // ! --mac-source; does not hold without Ethernet addresses either (xt_mac.c)
    bool not_mark = false;              // ! --mark

    /// Matches that this type cannot represent, in the words of iptables-save or lbc. They may hold or not. No own rule
    /// is equal to a rule that has them.
    std::string unknown;

    friend bool operator==(Matches const&, Matches const&) = default;
};

/// -j MARK --set-xmark MARK/MASK: clears the bits of the mask, then flips the bits of the mark (xt_mark.c). The walk
/// continues with the next rule.
struct SetMark {
    Fwmark mark;
    std::uint32_t mask = whole_mark;
    friend bool operator==(SetMark const&, SetMark const&) = default;
};
/// -j SET --map-set SET dst,dst --map-mark: sets the mark that the set has for the packet's destination, protocol and
/// port. A packet without an entry keeps its mark (xt_set.c). The walk continues with the next rule.
struct MapMark {
    std::string set;
    friend bool operator==(MapMark const&, MapMark const&) = default;
};
struct Jump {
    std::string chain; // -j: the walk returns here
    friend bool operator==(Jump const&, Jump const&) = default;
};
struct Goto {
    std::string chain; // -g: the walk returns to where this chain was entered from
    friend bool operator==(Goto const&, Goto const&) = default;
};
struct Return {
    friend bool operator==(Return const&, Return const&) = default;
};
struct Drop {
    std::string name = "DROP"; // or another target that ends the packet: "REJECT"
    bool is_policy = false;    // not a rule: the policy for packets that reach the end of a built-in chain or return
    friend bool operator==(Drop const&, Drop const&) = default;
};
/// Ends the walk through the table. lbc never writes it.
struct Accept {
    friend bool operator==(Accept const&, Accept const&) = default;
};
/// A foreign target that keeps the mark, such as LOG or TCPMSS, or no target at all. The walk continues with the next
/// rule.
struct Continue {
    std::string name;      // empty: the rule has no target
    bool untracks = false; // the packet may go on without a connection (xt_CT.c, nft_notrack_eval in nft_ct.c)
    friend bool operator==(Continue const&, Continue const&) = default;
};
/// A foreign target that changes the destination and keeps the mark: DNAT, REDIRECT, NETMAP. It ends the walk through
/// the table.
struct Dnat {
    std::string name;
    friend bool operator==(Dnat const&, Dnat const&) = default;
};
/// A foreign target that sets the mark of the packet's connection (CONNMARK --set-xmark and --save-mark in
/// xt_connmark.c, `ct mark set` in nft_ct.c): clears the bits of `cleared`, then flips those of `flipped`, and those of
/// `saved` that the packet's mark has. The packet keeps its mark. The walk continues with the next rule.
struct SetConnectionMark {
    std::string name;
    std::uint32_t cleared = whole_mark;
    std::uint32_t flipped = 0;
    std::uint32_t saved = 0;
    bool is_any = false; // the rule may set any mark
    friend bool operator==(SetConnectionMark const&, SetConnectionMark const&) = default;
};
/// A foreign target that sets the packet's mark from that of its connection (CONNMARK --restore-mark, `meta mark set ct
/// mark`): clears the bits of `cleared`, then flips those of `flipped`, and those of `restored` that the connection's
/// mark has. A packet without a connection keeps its mark. The walk continues with the next rule.
struct RestoreMark {
    std::string name;
    std::uint32_t cleared = whole_mark;
    std::uint32_t flipped = 0;
    std::uint32_t restored = whole_mark;
    friend bool operator==(RestoreMark const&, RestoreMark const&) = default;
};
/// A foreign target that sets a mark which the rules do not tell, such as HMARK. Bits outside the mask are unchanged.
/// The walk continues with the next rule.
struct UnknownMark {
    std::string name;
    std::uint32_t mask = whole_mark;
    friend bool operator==(UnknownMark const&, UnknownMark const&) = default;
};
/// A target whose effect lbc does not know.
struct UnknownTarget {
    std::string name;
    friend bool operator==(UnknownTarget const&, UnknownTarget const&) = default;
};

using Target = std::variant<SetMark, MapMark, Jump, Goto, Return, Drop, Accept, Dnat, Continue, SetConnectionMark,
                            RestoreMark, UnknownMark, UnknownTarget>;

struct Rule {
    Matches when;
    Target then;
    std::string comment; // one line, for readers of the text; the kernel never sees it

    friend bool operator==(Rule const& a, Rule const& b) { return a.when == b.when && a.then == b.then; }
};

struct Chain {
    std::string name; // at most 28 bytes; a foreign one up to 31
    std::vector<Rule> rules;
    std::vector<std::uint32_t> origins{}; // nftables only: for each rule its index in TableShape::origins

    friend bool operator==(Chain const&, Chain const&) = default;
};

/// A rule of a built-in chain that jumps into an own chain.
struct EntryJump {
    std::string builtin; // "PREROUTING", "OUTPUT"
    Rule rule;

    friend bool operator==(EntryJump const&, EntryJump const&) = default;
};

/// Where a base chain of nftables is hooked in, if that is before IPVS.
struct BaseChain {
    enum class Hook : std::uint8_t { ingress, prerouting, input, output };

    std::string chain;
    Hook hook{};
    int priority = 0; // packets reach chains of lower priority first
    bool is_nat = false;
};

/// Occurs in the name of every chain that holds parts of one nftables rule, and in no other name, because the name of a
/// chain is one line.
inline constexpr char part_mark = '\n';

/// A rule of nftables. A Ruleset may need several rules for it: a map lookup becomes one rule for each element.
struct RuleOrigin {
    std::string chain;
    std::size_t number = 0; // from 1, in its chain
    std::string words;      // in nft's syntax
    bool fails = false;     // packets that reach this part are those that the rule does not match
};

/// The parts of an nftables table that are not rules.
struct TableShape {
    std::vector<BaseChain> bases;
    std::vector<RuleOrigin> origins;
};

/// The own part of a mangle table; or a whole table. A whole table has its built-in chains among `chains` and no
/// `entry_jumps`; a policy other than ACCEPT is the last rule of its chain (`Drop::is_policy`). An nftables table is
/// always a whole table, and its family stands before its name: "inet lbc".
struct Ruleset {
    Family family = Family::ipv4;
    std::vector<Chain> chains;          // sorted by name
    std::vector<EntryJump> entry_jumps; // PREROUTING before OUTPUT
    std::string table = "mangle";
    /// The own sets that are known, sorted by name. The marks of any other set are unknown.
    std::vector<MarkSet> sets{};
    std::shared_ptr<TableShape const> shape{}; // nftables only

    [[nodiscard]] bool empty() const { return chains.empty() && entry_jumps.empty() && sets.empty(); }
    [[nodiscard]] Chain const* find(std::string_view name) const;
    [[nodiscard]] MarkSet const* find_set(std::string_view name) const;
    /// The number of its rules, entry jumps too, and of the entries of its sets. The policy of a chain is no rule.
    [[nodiscard]] std::size_t rule_count() const;

    friend bool operator==(Ruleset const&, Ruleset const&) = default;
};

/// Everything on a box that can mark a packet of one family, or take the packet before IPVS sees it: whole tables, or
/// only the own part of one.
struct Netfilter {
    Family family = Family::ipv4;
    std::vector<Ruleset> tables; // each table once, in any order; a missing table has no rules
};

/// All rules of a director; nothing for a family that was not read.
using FamilyRules = std::array<std::optional<Netfilter>, families.size()>;

/// The chains of a table that netfilter calls before IPVS. For nftables its shape lists them; for any other table they
/// are the built-in chains (nf_ip_hook_priorities in netfilter_ipv4.h).
[[nodiscard]] std::vector<BaseChain> base_chains(Ruleset const& table);

/// Whether a rule is own: it is in an own chain, or leads into one.
[[nodiscard]] bool is_own_rule(std::string_view table, std::string_view chain, Rule const& rule);

/// One rule as `iptables-save` writes it, without `-A CHAIN`: "-d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j …".
[[nodiscard]] std::string to_string(Rule const& rule);
/// Appends the same text to `out`.
void append_to(std::string& out, Rule const& rule);

} // namespace lbc
