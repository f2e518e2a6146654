#include "compiler/layout/merge.hpp"

#include <algorithm>
#include <compare>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

namespace lbc {
namespace {

bool are_halves(Prefix const& a, Prefix const& b) {
    return a.length == b.length && a.length > 0 && a != b &&
           Prefix::of(a.address, a.length - 1) == Prefix::of(b.address, b.length - 1);
}

/// The same ports as sorted, disjoint, non-adjacent ranges.
std::vector<PortRange> unite(std::vector<PortRange> ranges) {
    std::ranges::sort(ranges);
    std::vector<PortRange> all;
    for (auto const& range : ranges)
        if (!all.empty() && range.first.value <= std::uint32_t{all.back().last.value} + 1)
            all.back().last = std::max(all.back().last, range.last);
        else
            all.push_back(range);
    return all;
}

/// Compares the rules of two entries in all but the destination.
std::strong_ordering compare_rules(ChainEntry const& a, ChainEntry const& b) {
    auto const mark_of = [](ChainEntry const& item) {
        return item.action == ChainEntry::Action::mark || item.action == ChainEntry::Action::own ? item.of->mark
                                                                                                 : Fwmark{};
    };
    if (auto const order =
            std::tuple(a.action, mark_of(a), a.protocol) <=> std::tuple(b.action, mark_of(b), b.protocol);
        order != 0)
        return order;
    if (auto const order =
            std::lexicographical_compare_three_way(a.ports.begin(), a.ports.end(), b.ports.begin(), b.ports.end());
        order != 0 || a.action != ChainEntry::Action::mark)
        return order;
    return std::tie(a.of->interfaces, a.of->bypass, a.of->ethernet_only) <=>
           std::tie(b.of->interfaces, b.of->bypass, b.of->ethernet_only);
}

std::strong_ordering compare_target(ChainEntry const& a, ChainEntry const& b) {
    return std::tie(a.destination, a.protocol) <=> std::tie(b.destination, b.protocol);
}

/// Merges entries that are equal by `compare` into one or several, at the position of the first of them.
template <typename Compare, typename Merge>
std::vector<ChainEntry> merge_equal(std::vector<ChainEntry> items, Compare compare, Merge merge) {
    std::vector<std::size_t> order(items.size());
    std::iota(order.begin(), order.end(), 0);
    auto const comes_before = [&](std::size_t a, std::size_t b) { return compare(items[a], items[b]) < 0; };
    if (!std::ranges::is_sorted(order, comes_before))
        std::ranges::stable_sort(order, comes_before);
    auto const are_equal = [&](std::size_t a, std::size_t b) { return compare(items[a], items[b]) == 0; };
    if (std::ranges::adjacent_find(order, are_equal) == order.end())
        return items;
    std::vector<std::pair<std::size_t, ChainEntry>> merged;
    std::vector<ChainEntry> equal;
    for (auto first = order.begin(); first != order.end();) {
        auto const last =
            std::find_if(first, order.end(), [&](std::size_t i) { return compare(items[*first], items[i]) != 0; });
        for (auto const i : std::span(first, last))
            equal.push_back(items[i]);
        if (equal.size() > 1)
            merge(equal);
        for (auto const& item : equal)
            merged.emplace_back(*first, item);
        equal.clear();
        first = last;
    }
    std::ranges::stable_sort(merged, {}, &std::pair<std::size_t, ChainEntry>::first);
    std::vector<ChainEntry> all;
    for (auto const& entry : merged)
        all.push_back(entry.second);
    return all;
}

void merge_ports(std::vector<ChainEntry>& items, PortLists& lists) {
    std::vector<PortRange> ports;
    for (auto const& item : items)
        ports.insert(ports.end(), item.ports.begin(), item.ports.end());
    if (std::ranges::any_of(items, [](ChainEntry const& item) { return item.ports.empty(); }))
        ports.clear(); // one of them takes every port
    items.front().ports = lists.emplace_back(unite(std::move(ports)));
    items.resize(1);
}

void merge_destinations(std::vector<ChainEntry>& items) {
    std::vector<Prefix> prefixes;
    for (auto const& item : items)
        prefixes.push_back(item.destination);
    prefixes = aggregate(std::move(prefixes));
    items.resize(prefixes.size(), items.front()); // aggregation never gives more
    for (std::size_t i = 0; i < prefixes.size(); ++i)
        items[i].destination = prefixes[i];
}

} // namespace

std::vector<Prefix> aggregate(std::vector<Prefix> prefixes) {
    std::ranges::sort(prefixes);
    std::vector<Prefix> all;
    for (auto const& prefix : prefixes) {
        if (!all.empty() && all.back().contains(prefix))
            continue;
        all.push_back(prefix);
        while (all.size() > 1 && are_halves(all[all.size() - 2], all.back())) {
            all.pop_back();
            all.back() = Prefix::of(all.back().address, all.back().length - 1);
        }
    }
    return all;
}

std::vector<ChainEntry> merge_neighbours(std::vector<ChainEntry> items, PortLists& ports) {
    // Ports are only merged if the whole list has one target, the guard's mark. Entries with marks of services must not
    // mix the ports of several services.
    if (!items.empty() && items.front().action == ChainEntry::Action::peer)
        items = merge_equal(std::move(items), compare_target,
                            [&](std::vector<ChainEntry>& equal) { merge_ports(equal, ports); });
    return merge_equal(std::move(items), compare_rules, merge_destinations);
}

} // namespace lbc
