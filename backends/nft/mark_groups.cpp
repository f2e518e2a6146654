#include "backends/nft/mark_groups.hpp"

#include <algorithm>
#include <map>

namespace lbc {

void MarkElements::add(MarkClass const& of) {
    auto const into = [&](KeyKind kind) -> std::vector<MarkElement>& {
        return elements_[static_cast<std::size_t>(kind)][index_of(of.family())];
    };
    if (of.protocol == Protocol::any)
        into(KeyKind::networks).push_back({&of});
    else if (of.ports.front().is_all())
        into(KeyKind::protocols).push_back({&of});
    else
        for (auto const& ports : of.ports) {
            bool const is_exact = of.destination.is_host() && ports.first == ports.last;
            into(is_exact ? KeyKind::services : KeyKind::ranges).push_back({&of, ports});
        }
}

namespace {

/// The canonical form of a list: sorted, without repetitions.
template <typename T>
std::vector<T> as_set(std::vector<T> values) {
    std::ranges::sort(values);
    values.erase(std::ranges::unique(values).begin(), values.end());
    return values;
}

IngressCondition ingress_condition_of(MarkClass const& of) {
    IngressCondition gate{as_set(of.interfaces), as_set(of.bypass), of.ethernet_only};
    if (std::ranges::any_of(gate.interfaces, [](InterfacePattern const& pattern) { return pattern.str() == "+"; }))
        gate.interfaces.clear();
    return gate;
}

} // namespace

std::vector<MarkGroup> groups_of(MarkTable const& table) {
    std::vector<MarkGroup> groups;
    std::map<IngressCondition, std::size_t> places;
    for (auto const& mark_class : table.classes) {
        auto const [place, is_new] = places.try_emplace(ingress_condition_of(mark_class), groups.size());
        if (is_new)
            groups.push_back({place->first, {}});
        groups[place->second].elements.add(mark_class);
    }
    return groups;
}

MarkElements own_elements_of(MarkTable const& table) {
    MarkElements elements;
    for (auto const& mark_class : table.classes)
        if (mark_class.from_director)
            elements.add(mark_class);
    return elements;
}

std::vector<Prefix> vips_of(MarkTable const& table, Family family) {
    std::vector<Prefix> vips;
    for (auto const& mark_class : table.classes)
        if (mark_class.family() == family)
            vips.push_back(mark_class.destination);
    std::ranges::sort(vips);
    // A prefix sorts before all prefixes within it.
    std::vector<Prefix> outer;
    for (auto const& vip : vips)
        if (outer.empty() || !outer.back().contains(vip))
            outer.push_back(vip);
    return outer;
}

} // namespace lbc
