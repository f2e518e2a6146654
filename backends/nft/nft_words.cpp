#include "backends/nft/nft_words.hpp"

#include "backends/nft/nft.hpp"
#include "compiler/base/comment.hpp"
#include "compiler/base/fnv1a.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace lbc {
namespace {

bool is_plain(InterfacePattern const& pattern) {
    return !pattern.is_wildcard() && pattern.str().find_first_of("*\\") == std::string::npos;
}

/// Whether a name can be part of a name without quotes in nft's language.
bool needs_no_quotes(std::string_view name) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return letters.contains(name.front()) && name.find_first_not_of(std::string(letters) + ".-") == name.npos;
}

/// One condition for all plain names, and one for each other pattern: nft has no wildcards in a set.
std::vector<NftStatements> interface_conditions(std::vector<InterfacePattern> const& patterns) {
    std::vector<InterfacePattern> plain;
    std::vector<NftStatements> conditions;
    for (auto const& pattern : patterns)
        if (is_plain(pattern))
            plain.push_back(pattern);
        else
            conditions.push_back({in_interfaces({pattern})});
    if (!plain.empty())
        conditions.insert(conditions.begin(), {in_interfaces(std::move(plain))});
    if (conditions.empty())
        conditions.emplace_back();
    return conditions;
}

/// `ether saddr` holds only on Ethernet devices, also with `!=`. No device has the zero MAC.
std::vector<NftStatements> mac_conditions(IngressCondition const& gate) {
    NftMatch match{{NftField::source_mac}, true};
    if (gate.ethernet_only && (gate.bypass.empty() || gate.bypass.front() != MacAddress{}))
        match.elements.emplace_back();
    for (auto const& mac : gate.bypass)
        match.elements.push_back({.mac = mac});
    if (match.elements.empty())
        return {{}};
    std::vector<NftStatements> conditions{{std::move(match)}};
    if (!gate.ethernet_only)
        conditions.push_back({NftMatch{.key = {NftField::in_type}, .negated = true, .number = nft_ether}});
    return conditions;
}

} // namespace

char digit(Family family) { return family == Family::ipv4 ? '4' : '6'; }

NftKey key_of(KeyKind kind, Family family) {
    NftKey key{destination_field(family)};
    if (kind != KeyKind::networks)
        key.push_back(NftField::protocol);
    if (kind == KeyKind::services || kind == KeyKind::ranges)
        key.push_back(NftField::port);
    return key;
}

std::string map_name(std::string_view prefix, KeyKind kind, Family family, std::string_view suffix) {
    constexpr std::array<std::string_view, key_kinds.size()> names{"services", "ranges", "protocols", "networks"};
    return fmt::format("{}{}{}{}", prefix, names[static_cast<std::size_t>(kind)], digit(family), suffix);
}

std::string ingress_name(IngressCondition const& gate) {
    if (gate == IngressCondition{})
        return {};
    if (gate == IngressCondition{gate.interfaces, {}, false} && gate.interfaces.size() == 1 &&
        needs_no_quotes(gate.interfaces.front().str()))
        return fmt::format("_{}", gate.interfaces.front().str());
    Fnv1a<std::uint64_t> hash;
    for (auto const& condition : conditions_of(gate))
        for (auto const& statement : condition)
            hash.add(to_string(NftRule{{statement}}) + " ");
    return fmt::format("__{:016x}", hash.value());
}

NftSet mark_map(Site const& site, std::string name, KeyKind kind, Family family,
                std::span<MarkElement const> elements) {
    NftSet set{std::move(name), key_of(kind, family), true, kind != KeyKind::services, {}};
    set.elements.reserve(elements.size());
    MarkClass const* last = nullptr;
    for (auto const& [of, ports] : elements) {
        if (last == nullptr || last->service != of->service)
            set.headings.emplace_back(set.elements.size(), comment_text(site.services[of->service].name.value));
        last = of;
        set.elements.push_back({.destination = of->destination,
                                .protocol = static_cast<std::uint8_t>(of->protocol),
                                .ports = ports,
                                .mark = of->mark});
    }
    return set;
}

NftSet mac_set(std::string name, std::span<MacAddress const> macs) {
    NftSet set{std::move(name), {NftField::source_mac}};
    for (auto const& mac : macs)
        set.elements.push_back({.mac = mac});
    return set;
}

NftSet prefix_set(std::string name, Family family, std::span<Prefix const> prefixes) {
    NftSet set{std::move(name), {destination_field(family)}, false, true};
    for (auto const& prefix : prefixes)
        set.elements.push_back({.destination = prefix});
    return set;
}

NftSet tunnel_set(std::string name, Family family, std::span<TunnelEnd const> tunnels, bool with_port) {
    NftSet set{std::move(name), key_of(with_port ? KeyKind::services : KeyKind::protocols, family)};
    for (auto const& end : tunnels) {
        if (end.address.family() != family || end.port.has_value() != with_port)
            continue;
        auto& element = set.elements.emplace_back();
        element.destination = Prefix::host(end.address);
        element.protocol = end.protocol;
        if (end.port)
            element.ports = {*end.port, *end.port};
    }
    return set;
}

std::vector<NftStatements> conditions_of(IngressCondition const& gate) {
    std::vector<NftStatements> conditions;
    auto const macs = mac_conditions(gate);
    for (auto const& interface : interface_conditions(gate.interfaces))
        for (auto const& mac : macs) {
            conditions.push_back(interface);
            conditions.back().insert(conditions.back().end(), mac.begin(), mac.end());
        }
    return conditions;
}

NftMatch in_interfaces(std::vector<InterfacePattern> interfaces) {
    return {.key = {NftField::in_interface}, .interfaces = std::move(interfaces)};
}

NftStatements outside_rule(std::span<Prefix const> vips, Family family) {
    if (vips.empty())
        return {NftMatch{.key = {NftField::family}, .number = family == Family::ipv4 ? nft_ipv4 : nft_ipv6}, Return{}};
    auto common = vips.front();
    for (auto const& vip : vips)
        common = Prefix::common(common, vip);
    if (common.length == 0)
        return {};
    return {NftMatch{.key = {destination_field(family)}, .negated = true, .elements = {{.destination = common}}},
            Return{}};
}

void report_nft_limits(Site const& site, Diagnostics& diagnostics) {
    auto const report = [&](std::vector<Located<InterfacePattern>> const& interfaces) {
        for (auto const& interface : interfaces)
            if (interface_words(interface.value).empty())
                diagnostics.report(DiagId::nft_interface, interface.span,
                                   "nftables has no way to write the interface `{}`, with a `\\` before the `+`",
                                   interface.value.str());
    };
    for (auto const& director : site.directors)
        report(director.interfaces);
    for (auto const& service : site.services)
        report(service.interfaces);
}

} // namespace lbc
