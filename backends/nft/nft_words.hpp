// Lowers classes of a MarkTable to elements, conditions and names of nftables. Private to this folder.
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
/// The suffix of the map names of an ingress condition: empty if the condition lets everything through; "_eth0"; else a
/// hash, which is the same for the same condition in every site.
[[nodiscard]] std::string ingress_name(IngressCondition const& gate);

/// A map with these elements; the name of each service heads its elements.
[[nodiscard]] NftSet mark_map(Site const& site, std::string name, KeyKind kind, Family family,
                              std::span<MarkElement const> elements);
[[nodiscard]] NftSet mac_set(std::string name, std::span<MacAddress const> macs);
[[nodiscard]] NftSet prefix_set(std::string name, Family family, std::span<Prefix const> prefixes);

/// The tunnel ends of one family by address and protocol: only those with a port, which joins the key, or only those
/// without.
[[nodiscard]] NftSet tunnel_set(std::string name, Family family, std::span<TunnelEnd const> tunnels, bool with_port);

using NftStatements = std::vector<NftStatement>;

/// The matches before a rule's lookup, for each alternative of an ingress condition. A packet may match several.
/// Example: iifname "eth0" ether saddr != { 02:00:00:00:00:77 }
[[nodiscard]] std::vector<NftStatements> conditions_of(IngressCondition const& gate);

[[nodiscard]] NftMatch in_interfaces(std::vector<InterfacePattern> interfaces);

/// Ends the chain for packets outside the common prefix of a family's VIPs; empty if that prefix covers all addresses.
/// Without VIPs, it ends the chain for the whole family.
[[nodiscard]] NftStatements outside_rule(std::span<Prefix const> vips, Family family);

} // namespace lbc
