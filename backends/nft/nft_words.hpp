// The words of nft(8) for elements, lookups and conditions. Private to this folder.
#pragma once

#include "backends/nft/mark_groups.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// '4' or '6', at the end of names.
[[nodiscard]] char digit(Family family);
/// "ipv4_addr"
[[nodiscard]] std::string_view address_type(Family family);
/// "ip daddr"
[[nodiscard]] std::string_view address_words(Family family);
/// "ip daddr . meta l4proto . th dport"
[[nodiscard]] std::string key_words(KeyKind kind, Family family);

/// "services4_eth0"
[[nodiscard]] std::string map_name(std::string_view prefix, KeyKind kind, Family family, std::string_view suffix);
[[nodiscard]] std::string map_definition(KeyKind kind, Family family);
/// What the names of a gate's maps end with: nothing where all is let through; "_eth0"; else a number that is the same
/// for the same gate in every site.
[[nodiscard]] std::string gate_name(Gate const& gate);

/// A line for each element, with a line `# SERVICE` wherever the service changes.
/// Example: 192.0.2.1 . tcp . 80 : 0x3,
[[nodiscard]] std::string element_lines(Site const& site, std::span<MarkElement const> elements, KeyKind kind);
[[nodiscard]] std::string mac_lines(std::span<MacAddress const> macs);
[[nodiscard]] std::string prefix_lines(std::span<Prefix const> prefixes);

struct TunnelLines {
    std::string whole;   // address and protocol
    std::string by_port; // with a port
};
[[nodiscard]] TunnelLines tunnel_lines(std::span<TunnelEnd const> tunnels, Family family);

/// What stands before a rule's lookup for each way through a gate. A packet may find several open.
/// Example: `iifname "eth0" ether saddr != { 02:00:00:00:00:77 } `
[[nodiscard]] std::vector<std::string> conditions_of(Gate const& gate);

/// A line of a chain, and a comment on those below it.
[[nodiscard]] std::string rule(std::string_view words);
[[nodiscard]] std::string rule_comment(std::string_view text);

/// Ends the chain for packets that are for no VIP of a family; empty where no single prefix says so.
[[nodiscard]] std::string outside_rule(std::span<Prefix const> vips, Family family);

/// An interface's name as nft reads it, with its quotes: "eth*" for eth+. Empty where nft has no way to write it.
[[nodiscard]] std::string interface_words(InterfacePattern const& pattern);

} // namespace lbc
