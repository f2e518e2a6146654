#include "compiler/layout/chain_entries.hpp"

#include <algorithm>
#include <span>

namespace lbc {
namespace {

constexpr std::size_t multiport_slots = 15; // XT_MULTI_PORTS

std::size_t slots(PortRange const& range) { return range.first == range.last ? 1 : 2; }

/// Splits a port list into parts that each fit one multiport match, and calls `use` for each.
template <typename Use>
void for_each_cut(std::span<PortRange const> ports, Use use) {
    if (ports.empty())
        use(std::span<PortRange const>{});
    for (auto first = ports.begin(); first != ports.end();) {
        auto last = first;
        for (auto used = slots(*first); used <= multiport_slots; used += slots(*last))
            if (++last == ports.end())
                break;
        use(std::span(first, last));
        first = last;
    }
}

ChainEntry item_of(ChainEntry::Action action, MarkClass const& of) {
    ChainEntry item{action, of.destination, static_cast<std::uint8_t>(of.protocol), {}, &of};
    if (of.protocol != Protocol::any && !of.ports.front().is_all())
        item.ports = std::span(of.ports.data(), of.ports.size());
    return item;
}

std::vector<Rule> lead_of_marks(MarkTable const& table) {
    std::vector<Rule> rules;
    Matches on_lo;
    on_lo.in_interface = InterfacePattern::parse("lo");
    rules.push_back({on_lo, Return{}, "what this director sends to itself"});
    for (auto const& peer : table.peers) {
        Matches from_peer;
        from_peer.source_mac = peer;
        rules.push_back({from_peer, table.guard ? Target{Goto{std::string(peers_chain)}} : Target{Return{}},
                         "what another director has balanced already"});
    }
    return rules;
}

void add_guard(Guard const& guard, std::vector<MarkClass const*> const& classes, Family family, Parts& parts) {
    auto const says = guard.mode == GuardMode::local ? ChainEntry::Action::local : ChainEntry::Action::drop;
    parts.peers.items.reserve(classes.size());
    parts.guard.items.reserve(classes.size());
    for (auto const* mark_class : classes) {
        parts.peers.items.push_back(item_of(ChainEntry::Action::peer, *mark_class));
        parts.guard.items.push_back({says, mark_class->destination, 0, {}, mark_class});
    }
    for (auto const& end : guard.tunnels) {
        if (end.address.family() != family)
            continue;
        auto& item = parts.guard.items.emplace_back(
            ChainEntry{ChainEntry::Action::tunnel, Prefix::host(end.address), end.protocol, {}, nullptr});
        if (end.port)
            item.ports = parts.ports.emplace_back(1, PortRange{*end.port, *end.port});
    }
    if (parts.guard.empty())
        return;
    Matches remembered;
    remembered.mark = guard.mark;
    parts.output.lead.push_back({remembered, Goto{std::string(guard_chain)}, "what IPVS would forward a second time"});
}

} // namespace

Parts parts_of(MarkTable const& table, Family family) {
    std::vector<MarkClass const*> classes;
    for (auto const& mark_class : table.classes)
        if (mark_class.family() == family)
            classes.push_back(&mark_class);
    Parts parts;
    if (!classes.empty())
        parts.marks.lead = lead_of_marks(table);
    parts.marks.items.reserve(classes.size());
    for (auto const* mark_class : classes)
        parts.marks.items.push_back(item_of(ChainEntry::Action::mark, *mark_class));
    if (table.guard)
        add_guard(*table.guard, classes, family, parts);
    for (auto const* mark_class : classes)
        if (mark_class->from_director)
            parts.output.items.push_back(item_of(ChainEntry::Action::own, *mark_class));
    return parts;
}

std::size_t RuleWriter::count(ChainEntry const& item) {
    std::size_t cuts = 0;
    for_each_cut(item.ports, [&](std::span<PortRange const> /*ports*/) { ++cuts; });
    if (item.action != ChainEntry::Action::mark)
        return cuts;
    return cuts * std::max<std::size_t>(item.of->interfaces.size(), 1) * (item.of->bypass.size() + 1);
}

void RuleWriter::append(ChainEntry const& item, std::vector<Rule>& rules) const {
    for_each_cut(item.ports, [&](std::span<PortRange const> ports) {
        Matches when;
        when.destination = item.destination;
        when.protocol = item.protocol;
        when.destination_ports.assign(ports.begin(), ports.end());
        if (item.action != ChainEntry::Action::mark || item.of->interfaces.empty())
            append(item, std::move(when), rules);
        else
            for (auto const& interface : item.of->interfaces) {
                when.in_interface = interface;
                append(item, when, rules);
            }
    });
}

void RuleWriter::append(ChainEntry const& item, Matches when, std::vector<Rule>& rules) const {
    switch (item.action) {
    case ChainEntry::Action::mark:
        for (auto const& mac : item.of->bypass) {
            when.source_mac = mac;
            rules.push_back({when, Return{}, comment_of(item)});
        }
        when.source_mac.reset();
        if (item.of->ethernet_only) {
            // No packet comes from the zero MAC, and `mac` never holds on a device without Ethernet addresses.
            when.source_mac = MacAddress{};
            when.not_source_mac = true;
        }
        rules.push_back({std::move(when), SetMark{item.of->mark}, comment_of(item)});
        break;
    case ChainEntry::Action::own: rules.push_back({std::move(when), SetMark{item.of->mark}, comment_of(item)}); break;
    case ChainEntry::Action::peer: rules.push_back({std::move(when), SetMark{guard_->mark}, comment_of(item)}); break;
    case ChainEntry::Action::local:
        rules.push_back({std::move(when), SetMark{Fwmark{}}, "a changed mark routes anew: to this box"});
        break;
    case ChainEntry::Action::drop: rules.push_back({std::move(when), Drop{}, "remembered from an earlier role"}); break;
    case ChainEntry::Action::tunnel: rules.push_back({std::move(when), Drop{}, "into a tunnel again"}); break;
    }
}

std::string RuleWriter::comment_of(ChainEntry const& item) const {
    auto const& service = site_->services[item.of->service];
    return service.description.empty() ? service.name.value : service.name.value + ": " + service.description.get();
}

Ruleset assemble(std::vector<Chain> chains, Family family, std::optional<Prefix> destination) {
    Ruleset rules;
    rules.family = family;
    rules.chains = std::move(chains);
    std::ranges::sort(rules.chains, {}, &Chain::name);
    if (rules.find(marks_chain) != nullptr) {
        Matches when;
        when.destination = destination;
        rules.entry_jumps.push_back({"PREROUTING", {when, Jump{std::string(marks_chain)}, {}}});
    }
    if (rules.find(output_chain) != nullptr)
        rules.entry_jumps.push_back({"OUTPUT", {{}, Jump{std::string(output_chain)}, {}}});
    return rules;
}

} // namespace lbc
