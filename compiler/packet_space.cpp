#include "compiler/packet_space.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace lbc {
namespace {

/// All rules of a destination, hooks among them.
template <typename Use>
void for_each_rule(std::span<RulesFor const* const> all, Use use) {
    for (auto const* rules : all) {
        for (auto const& chain : rules->chains())
            for (auto const* rule : chain.rules)
                use(*rule);
        for (auto const& hook : rules->hooks())
            use(hook.rule);
    }
}

InterfacePattern pattern_of(std::string_view text) { return *InterfacePattern::parse(text); }

/// A name that the pattern matches and no narrower one; none if there is no such name.
std::optional<std::string> name_of(InterfacePattern const& pattern, std::set<InterfacePattern> const& all) {
    constexpr std::size_t longest = 15;
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-.:@";
    auto const prefix = pattern.str().substr(0, pattern.str().size() - 1);
    auto const is_other = [&](std::string const& name) {
        return std::ranges::none_of(all, [&](InterfacePattern const& other) {
            return other.str().size() > pattern.str().size() && other.matches(name);
        });
    };
    std::vector<std::string> stems{prefix};
    for (std::size_t i = 0; i < stems.size() && i < all.size() + letters.size(); ++i) {
        if (!stems[i].empty() && stems[i] != "lo" && is_other(stems[i]) && !all.contains(pattern_of(stems[i])))
            return stems[i];
        if (stems[i].size() == longest)
            continue;
        for (char const c : letters)
            stems.push_back(stems[i] + c);
    }
    return std::nullopt;
}

std::vector<InterfaceClass> interface_classes(std::set<InterfacePattern> named) {
    auto const everything = pattern_of("+");
    named.insert(pattern_of("lo"));
    named.insert(everything);
    std::vector<InterfaceClass> classes{{.name = "lo", .pattern = {}, .except = {}}};
    for (auto const& pattern : named) {
        if (!pattern.is_wildcard()) {
            if (pattern.str() != "lo")
                classes.push_back({.name = pattern.str(), .pattern = {}, .except = {}});
            continue;
        }
        auto name = name_of(pattern, named);
        if (!name)
            continue;
        auto& added = classes.emplace_back(InterfaceClass{std::move(*name), pattern, {}});
        for (auto const& other : named)
            // Of two patterns that overlap, the longer one is in the other.
            if (pattern.overlaps(other) && (!other.is_wildcard() || other.str().size() > pattern.str().size()))
                added.except.push_back(other);
    }
    return classes;
}

std::vector<SourceClass> source_classes(std::set<MacAddress> const& named) {
    SourceClass other{SourceClass::Kind::other, {{0x02, 0xfe, 0xff, 0xff, 0x00, 0x00}}};
    while (named.contains(other.mac)) // at most one more than there are
        if (++other.mac.bytes[5] == 0)
            ++other.mac.bytes[4];
    std::vector<SourceClass> classes{other};
    for (auto const& mac : named)
        if (!mac.is_zero()) // no packet has it
            classes.push_back({SourceClass::Kind::mac, mac});
    classes.push_back({SourceClass::Kind::none, {}});
    return classes;
}

/// The ports of one protocol, cut where a range begins, and behind its end.
void add_ports(std::optional<std::uint8_t> protocol, std::set<std::uint32_t> cuts, std::vector<ProtocolPorts>& out) {
    constexpr std::uint32_t end = 65536;
    cuts.insert(end);
    std::uint32_t first = 0;
    for (auto const cut : cuts) {
        if (cut == 0)
            continue;
        out.push_back(
            {protocol, {{Port{static_cast<std::uint16_t>(first)}, Port{static_cast<std::uint16_t>(cut - 1)}}}});
        first = cut;
    }
}

} // namespace

std::string InterfaceClass::str() const {
    if (!pattern)
        return name;
    std::vector<std::string_view> names;
    for (auto const& other : except)
        names.push_back(other.str());
    auto const all = pattern->str() == "+" ? std::string_view("any interface") : std::string_view(pattern->str());
    return names.empty() ? std::string(all) : fmt::format("{} but {}", all, fmt::join(names, ", "));
}

bool MarkChange::from_others() const {
    return std::ranges::any_of(sources, [](auto const& source) { return source.kind == SourceClass::Kind::other; });
}

std::vector<DestinationClass> destination_classes(Family family, std::vector<Prefix> prefixes) {
    prefixes.push_back(Prefix::of(IpAddress(family, {}), 0));
    std::erase_if(prefixes, [&](Prefix const& prefix) { return prefix.family() != family; });
    std::ranges::sort(prefixes);
    prefixes.erase(std::ranges::unique(prefixes).begin(), prefixes.end());
    // Of two prefixes one holds the other or they share nothing; sorted, what a prefix holds follows it.
    std::vector<DestinationClass> classes;
    std::vector<std::size_t> open;
    for (auto const& prefix : prefixes) {
        while (!open.empty() && !classes[open.back()].prefix.contains(prefix))
            open.pop_back();
        if (!open.empty())
            classes[open.back()].except.push_back(prefix);
        open.push_back(classes.size());
        classes.push_back({prefix, {}, prefix.address});
    }
    std::erase_if(classes, [](DestinationClass& destination) {
        for (auto const& inner : destination.except) {
            if (!inner.contains(destination.address))
                return false;
            auto const last = inner.last();
            if (last == destination.prefix.last())
                return true; // nothing is left of it
            destination.address = last.next();
        }
        return false;
    });
    return classes;
}

PacketCuts::PacketCuts(std::span<RulesFor const* const> rules) {
    std::set<InterfacePattern> named_interfaces;
    std::set<MacAddress> macs;
    std::map<std::uint8_t, std::set<std::uint32_t>> cuts;
    for_each_rule(rules, [&](Rule const& rule) {
        auto const& when = rule.when;
        if (when.in_interface)
            named_interfaces.insert(*when.in_interface);
        if (when.source_mac)
            macs.insert(*when.source_mac);
        if (when.protocol == 0)
            return;
        auto& of_protocol = cuts[when.protocol];
        for (auto const& range : when.destination_ports) {
            of_protocol.insert(range.first.value);
            of_protocol.insert(std::uint32_t{range.last.value} + 1);
        }
    });
    interfaces = interface_classes(std::move(named_interfaces));
    sources = source_classes(macs);
    for (auto const& [protocol, of_protocol] : cuts)
        add_ports(protocol, of_protocol, ports);
    add_ports(std::nullopt, {}, ports);
}

std::vector<std::uint8_t> PacketCuts::named_protocols() const {
    std::vector<std::uint8_t> named;
    for (auto const& one : ports)
        if (one.protocol && (named.empty() || named.back() != *one.protocol))
            named.push_back(*one.protocol);
    return named;
}

std::vector<MacAddress> PacketCuts::named_macs() const {
    std::vector<MacAddress> named;
    for (auto const& one : sources)
        if (one.kind == SourceClass::Kind::mac)
            named.push_back(one.mac);
    return named;
}

Packet PacketCuts::packet(DestinationClass const& destination, ProtocolPorts const& of, std::string const& interface,
                          std::optional<MacAddress> source) const {
    auto protocol = of.protocol;
    for (std::uint8_t other = 253; !protocol; --other) // 253 is for experiments (RFC 3692)
        if (auto const named = named_protocols(); std::ranges::find(named, other) == named.end())
            protocol = other;
    return {destination.address, *protocol, of.ports.front().first, interface, source, {}};
}

namespace {

using Change = std::pair<Outcome, Outcome>; // before, after
using Origin = std::pair<InterfaceClass, SourceClass>;
using ChangedPorts = std::vector<ProtocolPorts>;

/// Adds a range behind those that are there, which it may touch.
void append(ChangedPorts& list, ProtocolPorts const& next) {
    if (list.empty() || list.back().protocol != next.protocol) {
        list.push_back(next);
        return;
    }
    auto& last = list.back().ports.back();
    auto const& range = next.ports.front();
    if (std::uint32_t{last.last.value} + 1 == range.first.value)
        last.last = range.last;
    else
        list.back().ports.push_back(range);
}

/// The packets for one destination.
class DestinationComparison {
public:
    DestinationComparison(DestinationClass const& destination, RulesFor const& before, RulesFor const& after)
        : destination_(destination), before_(before), after_(after), cuts_(std::array{&before, &after}) {}

    void run(std::vector<MarkChange>& out) {
        for (auto const& interface : cuts_.interfaces)
            for (auto const& source : cuts_.sources)
                for (auto& [change, ports] : changes("PREROUTING", interface.name, source.source()))
                    origins_[{change, std::move(ports)}][interface].insert(source);
        for (auto const& [what, by_interface] : origins_) {
            // Interfaces with the same sources are one change.
            std::map<std::set<SourceClass>, std::vector<InterfaceClass>> alike;
            for (auto const& interface : cuts_.interfaces)
                if (auto const found = by_interface.find(interface); found != by_interface.end())
                    alike[found->second].push_back(interface);
            for (auto const& [sources, interfaces] : alike)
                add(out, what.first, what.second, interfaces, {sources.begin(), sources.end()});
        }
        for (auto& [change, ports] : changes("OUTPUT", {}, std::nullopt)) {
            add(out, change, ports, {}, {});
            out.back().sent_here = true;
        }
    }

private:
    void add(std::vector<MarkChange>& out, Change const& change, ChangedPorts const& ports,
             std::vector<InterfaceClass> interfaces, std::vector<SourceClass> sources) {
        auto& added = out.emplace_back();
        added.destination = destination_;
        added.ports = ports;
        added.interfaces = std::move(interfaces);
        added.sources = std::move(sources);
        added.protocols = cuts_.named_protocols();
        added.macs = cuts_.named_macs();
        std::tie(added.before, added.after) = change;
    }

    /// The ports whose packets of one origin have another outcome, by outcomes.
    std::map<Change, ChangedPorts> changes(std::string_view builtin, std::string const& interface,
                                           std::optional<MacAddress> source) {
        std::map<Change, ChangedPorts> found;
        for (auto const& ports : cuts_.ports) {
            auto const packet = cuts_.packet(destination_, ports, interface, source);
            auto const before = before_.walk(builtin, packet);
            auto const after = after_.walk(builtin, packet);
            if (before != after)
                append(found[{before, after}], ports);
        }
        return found;
    }

    DestinationClass const& destination_;
    RulesFor const& before_;
    RulesFor const& after_;
    PacketCuts cuts_;
    std::map<std::pair<Change, ChangedPorts>, std::map<InterfaceClass, std::set<SourceClass>>> origins_;
};

} // namespace

std::vector<MarkChange> compare_rulesets(Ruleset const& before, Ruleset const& after) {
    RuleIndex const old(before);
    RuleIndex const wanted(after);
    auto prefixes = old.destinations();
    prefixes.insert(prefixes.end(), wanted.destinations().begin(), wanted.destinations().end());
    std::vector<MarkChange> changes;
    for (auto const& destination : destination_classes(after.family, std::move(prefixes))) {
        auto const from = old.at(destination.prefix);
        auto const to = wanted.at(destination.prefix);
        if (!(from == to))
            DestinationComparison(destination, from, to).run(changes);
    }
    return changes;
}

} // namespace lbc
