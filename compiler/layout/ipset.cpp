#include "compiler/layout/chain_entries.hpp"
#include "compiler/layout/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t few_entries = 4; // fewer entries are not worth a set
constexpr std::size_t most_ports = 64; // of a class; more are cheaper as ranges in rules

/// The ingress condition of a rule that looks packets up in a set.
struct Asked {
    std::vector<InterfacePattern> interfaces;
    bool ethernet_only = false;

    friend auto operator<=>(Asked const&, Asked const&) = default;
};

struct Group {
    std::vector<ChainEntry> items;
    std::vector<SetEntry> entries;
};

std::size_t count_ports(ChainEntry const& item) {
    std::size_t count = 0;
    for (auto const& range : item.ports)
        count += std::size_t{range.last.value} - range.first.value + 1;
    return count;
}

bool fits_set(ChainEntry const& item) {
    auto const& prefix = item.destination;
    return prefix.length == prefix.address.bits() && !item.ports.empty() && item.of->bypass.empty() &&
           count_ports(item) <= most_ports;
}

void add_entries(ChainEntry const& item, std::vector<SetEntry>& entries) {
    for (auto const& range : item.ports)
        for (std::uint32_t port = range.first.value; port <= range.last.value; ++port)
            entries.push_back({item.destination.address, item.protocol, Port{static_cast<std::uint16_t>(port)},
                               item.of->mark, whole_mark});
}

void add_rules(Asked const& asked, MarkSet const& set, std::vector<Rule>& rules) {
    Matches when;
    if (asked.ethernet_only) {
        // As in `RuleWriter`: no packet comes from the zero MAC, and `mac` never holds on a device without Ethernet
        // addresses.
        when.source_mac = MacAddress{};
        when.not_source_mac = true;
    }
    auto const comment = fmt::format("{} addresses with ports of services", set.entries.size());
    if (asked.interfaces.empty())
        rules.push_back({when, MapMark{set.name}, comment});
    for (auto const& interface : asked.interfaces) {
        when.in_interface = interface;
        rules.push_back({when, MapMark{set.name}, comment});
    }
}

} // namespace

Ruleset layout_ipset(Site const& site, MarkTable const& table, Family family) {
    auto parts = parts_of(table, family);
    std::map<Asked, Group> groups;
    std::vector<ChainEntry> rest;
    for (auto const& item : parts.marks.items) {
        if (!fits_set(item)) {
            rest.push_back(item);
            continue;
        }
        auto& group = groups[{item.of->interfaces, item.of->ethernet_only}];
        group.items.push_back(item);
        add_entries(item, group.entries);
    }
    parts.marks.items = std::move(rest);
    std::vector<MarkSet> sets;
    for (auto& [asked, group] : groups) {
        if (group.entries.size() < few_entries) {
            std::ranges::copy(group.items, std::back_inserter(parts.marks.items));
            continue;
        }
        auto const& set = sets.emplace_back(make_mark_set(std::move(group.entries)));
        add_rules(asked, set, parts.marks.lead);
        std::ranges::copy(group.items, std::back_inserter(parts.marks.said));
    }
    auto rules = layout_tree(site, table, family, std::move(parts), {});
    std::ranges::sort(sets, {}, &MarkSet::name);
    sets.erase(std::ranges::unique(sets).begin(), sets.end()); // classes on different interfaces can have the same set
    rules.sets = std::move(sets);
    return rules;
}

} // namespace lbc
