// Rules, sets and maps of nftables in the shape of nft(8). The table inet lbc is built in this form, and the kernel's
// tables, own and foreign, are read into it. Texts, messages and proofs are made from it. What lbc cannot represent is
// kept as unknown.
#pragma once

#include "compiler/base/types.hpp"
#include "compiler/rules/ruleset.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lbc {

/// The field of a packet that a rule or a set reads.
enum class NftField : std::uint8_t {
    destination4, // ip daddr; no packet of the other family has it
    destination6, // ip6 daddr
    protocol,     // meta l4proto
    port,         // th dport; a later fragment has none
    source_mac,   // ether saddr; only a packet from an Ethernet device has it
    in_interface, // iifname
    in_type,      // meta iiftype, a number of if_arp.h
    family,       // meta nfproto, an address family of socket(2)
    mark,         // meta mark
};
using NftKey = std::vector<NftField>; // several: a concatenation

[[nodiscard]] constexpr NftField destination_field(Family family) {
    return family == Family::ipv4 ? NftField::destination4 : NftField::destination6;
}

inline constexpr std::uint32_t nft_ether = 1; // ARPHRD_ETHER
inline constexpr std::uint32_t nft_ipv4 = 2;  // AF_INET
inline constexpr std::uint32_t nft_ipv6 = 10; // AF_INET6

/// Values of a key's fields, and the mark that a map gives for them. Fields outside the key keep these defaults.
struct NftElement {
    Prefix destination{};
    MacAddress mac{};
    std::uint8_t protocol = 0; // IP protocol number
    PortRange ports = PortRange::all();
    Fwmark mark{};

    friend auto operator<=>(NftElement const&, NftElement const&) = default;
};

/// A named set; a map gives marks.
struct NftSet {
    std::string name;
    NftKey key;
    bool is_map = false;
    bool has_intervals = false;
    std::vector<NftElement> elements{};
    std::vector<std::pair<std::size_t, std::string>> headings{}; // comments of a text, with the element behind each
    std::string unknown{}; // what lbc cannot represent; if not empty, elements may be missing

    [[nodiscard]] std::string_view kind() const { return is_map ? "map" : "set"; }
    /// "type ipv4_addr . inet_proto : mark; flags interval;"
    [[nodiscard]] std::string definition() const;
    /// Whether both have the same name, kind and elements, in any order.
    [[nodiscard]] bool is_same(NftSet const& other) const;
};

/// Holds if the key is one of the values; negated, if it is none of them.
struct NftMatch {
    NftKey key;
    bool negated = false;
    std::string set{};                          // a named set; if empty, at least one value of those below
    std::vector<NftElement> elements{};         // of addresses, protocols, ports, MACs; sorted
    std::vector<InterfacePattern> interfaces{}; // sorted
    std::uint32_t number = 0;                   // of in_type, family and mark
    std::uint32_t mask = whole_mark;            // of mark
    std::string unknown{};                      // what lbc cannot represent: may hold or not; the key is empty

    friend bool operator==(NftMatch const&, NftMatch const&) = default;
};

/// meta mark set KEY map @SET: the rule ends if the map has no such element.
struct NftMapMark {
    NftKey key;
    std::string set;

    friend bool operator==(NftMapMark const&, NftMapMark const&) = default;
};

/// KEY vmap { … }: the verdict for a packet that has one of the values; without one, the rule continues. lbc never
/// writes it.
struct NftVerdicts {
    using Verdict = std::variant<Jump, Goto, Return, Drop, Accept, Continue>;
    std::vector<std::pair<NftMatch, Verdict>> cases;
    std::string words;

    friend bool operator==(NftVerdicts const&, NftVerdicts const&) = default;
};

using NftStatement = std::variant<NftMatch, NftMapMark, NftVerdicts, SetMark, Jump, Goto, Return, Drop, Accept, Dnat,
                                  Continue, SetConnectionMark, RestoreMark, UnknownMark, UnknownTarget>;

struct NftRule {
    std::vector<NftStatement> statements;
    std::string comment{}; // for people who read the text; the kernel never sees it

    friend bool operator==(NftRule const& a, NftRule const& b) { return a.statements == b.statements; }
};

/// The hook that calls a base chain.
struct NftBase {
    std::string type; // "filter", "route", "nat"
    std::string hook; // "prerouting"
    int priority = 0;
    bool drops = false; // the policy

    friend bool operator==(NftBase const&, NftBase const&) = default;
};

struct NftChain {
    std::string name;
    std::optional<NftBase> base;
    std::vector<NftRule> rules;

    friend bool operator==(NftChain const&, NftChain const&) = default;
};

/// Nothing if no hook before IPVS calls the chain.
[[nodiscard]] std::optional<BaseChain> base_of(NftChain const& chain);

/// A table of nftables.
struct NftState {
    std::string family = "inet";
    std::string name = "lbc";
    std::vector<NftSet> sets;
    std::vector<NftChain> chains;
    std::string listing{}; // as nft prints it, if it has what lbc cannot represent

    [[nodiscard]] bool empty() const;
    [[nodiscard]] NftSet const* find_set(std::string_view name) const;
    [[nodiscard]] std::size_t rules() const;
    /// The number of its rules, and of the elements of its sets.
    [[nodiscard]] std::size_t rule_count() const;
    /// The marks that its maps give.
    [[nodiscard]] std::vector<Fwmark> marks() const;
};

/// "ip daddr . meta l4proto . th dport"
[[nodiscard]] std::string key_words(NftKey const& key);
/// "192.0.2.1 . tcp . 80", and of a map " : 0x3"
void append_element(std::string& out, NftElement const& element, NftKey const& key, bool is_map);
/// "iifname \"eth0\" meta mark set ip daddr map @networks4 return"
[[nodiscard]] std::string to_string(NftRule const& rule);
/// An interface's name as nft reads it, with its quotes: "eth*" for eth+. Empty if nft cannot represent it.
[[nodiscard]] std::string interface_words(InterfacePattern const& pattern);

} // namespace lbc
