#include "backends/nft/nft_words.hpp"

#include "backends/comment.hpp"
#include "backends/nft/nft.hpp"
#include "compiler/fnv1a.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace lbc {
namespace {

bool is_plain(InterfacePattern const& pattern) {
    return !pattern.is_wildcard() && pattern.str().find_first_of("*\\") == std::string::npos;
}

/// Whether a name can be part of one that nft reads without quotes.
bool is_identifier(std::string_view name) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return letters.contains(name.front()) && name.find_first_not_of(std::string(letters) + ".-") == name.npos;
}

void append(std::string& out, MarkElement const& element, KeyKind kind) {
    auto const into = std::back_inserter(out);
    out += element.of->destination.str();
    if (kind != KeyKind::networks)
        fmt::format_to(into, " . {}", to_string(element.of->protocol));
    if (kind == KeyKind::services || kind == KeyKind::ranges)
        fmt::format_to(into, " . {}", element.ports.str());
    fmt::format_to(into, " : {},\n", element.of->mark.str());
}

/// A set of several, one alone, by itself.
std::string set_of(std::vector<std::string> const& words) {
    return words.size() == 1 ? words.front() : fmt::format("{{ {} }}", fmt::join(words, ", "));
}

std::vector<std::string> interface_conditions(std::vector<InterfacePattern> const& patterns) {
    std::vector<std::string> plain;
    std::vector<std::string> conditions;
    for (auto const& pattern : patterns) {
        if (is_plain(pattern))
            plain.push_back(interface_words(pattern));
        else
            conditions.push_back(fmt::format("iifname {} ", interface_words(pattern)));
    }
    if (!plain.empty())
        conditions.insert(conditions.begin(), fmt::format("iifname {} ", set_of(plain)));
    if (conditions.empty())
        conditions.emplace_back();
    return conditions;
}

/// `ether saddr` holds on Ethernet devices alone, also with `!=`. The zero MAC is nobody's.
std::vector<std::string> mac_conditions(Gate const& gate) {
    std::vector<std::string> words;
    if (gate.ethernet_only && (gate.bypass.empty() || gate.bypass.front() != MacAddress{}))
        words.push_back(MacAddress{}.str());
    for (auto const& mac : gate.bypass)
        words.push_back(mac.str());
    if (words.empty())
        return {""};
    std::vector<std::string> conditions{fmt::format("ether saddr != {} ", set_of(words))};
    if (!gate.ethernet_only)
        conditions.emplace_back("iiftype != ether ");
    return conditions;
}

} // namespace

char digit(Family family) { return family == Family::ipv4 ? '4' : '6'; }
std::string_view address_type(Family family) { return family == Family::ipv4 ? "ipv4_addr" : "ipv6_addr"; }
std::string_view address_words(Family family) { return family == Family::ipv4 ? "ip daddr" : "ip6 daddr"; }

std::string key_words(KeyKind kind, Family family) {
    std::string words(address_words(family));
    if (kind != KeyKind::networks)
        words += " . meta l4proto";
    if (kind == KeyKind::services || kind == KeyKind::ranges)
        words += " . th dport";
    return words;
}

std::string map_name(std::string_view prefix, KeyKind kind, Family family, std::string_view suffix) {
    constexpr std::array<std::string_view, key_kinds.size()> names{"services", "ranges", "protocols", "networks"};
    return fmt::format("{}{}{}{}", prefix, names[static_cast<std::size_t>(kind)], digit(family), suffix);
}

std::string map_definition(KeyKind kind, Family family) {
    std::string words = fmt::format("type {}", address_type(family));
    if (kind != KeyKind::networks)
        words += " . inet_proto";
    if (kind == KeyKind::services || kind == KeyKind::ranges)
        words += " . inet_service";
    return words + (kind == KeyKind::services ? " : mark;" : " : mark; flags interval;");
}

std::string gate_name(Gate const& gate) {
    if (gate == Gate{})
        return {};
    if (gate == Gate{gate.interfaces, {}, false} && gate.interfaces.size() == 1 &&
        is_identifier(gate.interfaces.front().str()))
        return fmt::format("_{}", gate.interfaces.front().str());
    Fnv1a<std::uint64_t> hash;
    for (auto const& condition : conditions_of(gate))
        hash.add(condition);
    return fmt::format("__{:016x}", hash.value());
}

std::string element_lines(Site const& site, std::span<MarkElement const> elements, KeyKind kind) {
    std::string out;
    MarkClass const* last = nullptr;
    for (auto const& element : elements) {
        if (last == nullptr || last->service != element.of->service)
            fmt::format_to(std::back_inserter(out), "    # {}\n",
                           comment_text(site.services[element.of->service].name.value));
        last = element.of;
        out += "    ";
        append(out, element, kind);
    }
    return out;
}

std::string mac_lines(std::span<MacAddress const> macs) {
    std::string out;
    for (auto const& mac : macs)
        fmt::format_to(std::back_inserter(out), "    {},\n", mac.str());
    return out;
}

std::string prefix_lines(std::span<Prefix const> prefixes) {
    std::string out;
    for (auto const& prefix : prefixes)
        fmt::format_to(std::back_inserter(out), "    {},\n", prefix.str());
    return out;
}

TunnelLines tunnel_lines(std::span<TunnelEnd const> tunnels, Family family) {
    TunnelLines lines;
    for (auto const& end : tunnels) {
        if (end.address.family() != family)
            continue;
        auto const words = fmt::format("    {} . {}", end.address.str(), end.protocol);
        if (end.port)
            lines.by_port += fmt::format("{} . {},\n", words, end.port->value);
        else
            lines.whole += words + ",\n";
    }
    return lines;
}

std::vector<std::string> conditions_of(Gate const& gate) {
    std::vector<std::string> conditions;
    auto const macs = mac_conditions(gate);
    for (auto const& interface : interface_conditions(gate.interfaces))
        for (auto const& mac : macs)
            conditions.push_back(interface + mac);
    return conditions;
}

std::string rule(std::string_view words) { return fmt::format("        {}\n", words); }

std::string rule_comment(std::string_view text) { return fmt::format("        # {}\n", text); }

std::string outside_rule(std::span<Prefix const> vips, Family family) {
    if (vips.empty())
        return rule(fmt::format("meta nfproto {} return", to_string(family)));
    auto common = vips.front();
    for (auto const& vip : vips)
        common = Prefix::common(common, vip);
    if (common.length == 0)
        return {};
    return rule(fmt::format("{} != {} return", address_words(family), common.str()));
}

std::string interface_words(InterfacePattern const& pattern) {
    std::string name(pattern.str()); // the language has no interface with `"`
    if (pattern.is_wildcard()) {
        name.pop_back();
        return name.ends_with('\\') ? std::string() : fmt::format("\"{}*\"", name);
    }
    if (name.ends_with('*'))
        name.insert(name.size() - 1, 1, '\\'); // else it would be any end
    return fmt::format("\"{}\"", name);
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
