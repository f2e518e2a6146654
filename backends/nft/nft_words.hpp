// What classes of a MarkTable become as elements, conditions and names of nftables. Private to this folder.
#pragma once

#include "backends/nft/mark_groups.hpp"
#include "backends/nft/nft_rule.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// '4' or '6', at the end of names.
[[nodiscard]] char digit(Family family);

[[nodiscard]] NftKey key_of(KeyKind kind, Family family);

/// "services4_eth0"
[[nodiscard]] std::string map_name(std::string_view prefix, KeyKind kind, Family family, std::string_view suffix);
/// What the names of a gate's maps end with: nothing where all is let through; "_eth0"; else a number that is the same
/// for the same gate in every site.
[[nodiscard]] std::string gate_name(Gate const& gate);

/// A map with these elements, each service under its name.
[[nodiscard]] NftSet mark_map(Site const& site, std::string name, KeyKind kind, Family family,
                              std::span<MarkElement const> elements);
[[nodiscard]] NftSet mac_set(std::string name, std::span<MacAddress const> macs);
[[nodiscard]] NftSet prefix_set(std::string name, Family family, std::span<Prefix const> prefixes);

/// Of the ends of one family, those with a port or those without, by address and protocol.
[[nodiscard]] NftSet tunnel_set(std::string name, Family family, std::span<TunnelEnd const> tunnels, bool with_port);

using NftStatements = std::vector<NftStatement>;

/// What stands before a rule's lookup for each way through a gate. A packet may find several open.
/// Example: iifname "eth0" ether saddr != { 02:00:00:00:00:77 }
[[nodiscard]] std::vector<NftStatements> conditions_of(Gate const& gate);

[[nodiscard]] NftMatch in_interfaces(std::vector<InterfacePattern> interfaces);

/// Ends the chain for packets that are for no VIP of a family; empty where no single prefix says so.
[[nodiscard]] NftStatements outside_rule(std::span<Prefix const> vips, Family family);

} // namespace lbc
