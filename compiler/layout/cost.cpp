#include "compiler/layout/cost.hpp"

#include "compiler/analysis/rule_index.hpp"

#include <algorithm>
#include <limits>

namespace lbc {
namespace {

// Nanoseconds on the machine of docs/benchmarks.md; only their ratios matter.
constexpr double per_rule = 4;   // comparing its addresses, interface and protocol
constexpr double per_match = 12; // calling a match
constexpr double per_set = 90;   // looking up a set
constexpr double per_chain = 8;  // continuing the walk in another chain

// Bytes of ipt_entry or ip6t_entry, and of matches and targets with their xt_entry_match (x_tables.h).
constexpr std::array<std::size_t, families.size()> entry_size{112, 168};
constexpr std::size_t port_size = 48;      // tcp, udp, sctp
constexpr std::size_t multiport_size = 80; // revision 1
constexpr std::size_t mac_size = 48;
constexpr std::size_t mark_match_size = 48;
constexpr std::size_t target_size = 40;                                    // standard, MARK
constexpr std::size_t set_target_size = 96;                                // SET, revision 3
constexpr std::array<std::size_t, families.size()> set_entry_size{48, 63}; // as `ipset list` prints for 10,000 entries
constexpr std::size_t chain_name_size = 64;                                // the ERROR target at the start of a chain

std::size_t bytes_of(Rule const& rule, Family family) {
    auto const& when = rule.when;
    auto bytes = entry_size[index_of(family)] + target_size;
    if (!when.destination_ports.empty())
        bytes += when.destination_ports.size() == 1 ? port_size : multiport_size;
    if (when.source_mac)
        bytes += mac_size;
    if (when.mark)
        bytes += mark_match_size;
    if (std::holds_alternative<MapMark>(rule.then))
        bytes += set_target_size - target_size;
    return bytes;
}

std::size_t bytes_of(Ruleset const& rules) {
    auto const entry = entry_size[index_of(rules.family)];
    std::size_t bytes = 0;
    for (auto const& hook : rules.entry_jumps)
        bytes += bytes_of(hook.rule, rules.family);
    for (auto const& chain : rules.chains) {
        bytes += entry + chain_name_size + entry + target_size; // the entry with its name, and the RETURN at its end
        for (auto const& rule : chain.rules)
            bytes += bytes_of(rule, rules.family);
    }
    for (auto const& set : rules.sets)
        bytes += set.entries.size() * set_entry_size[index_of(rules.family)];
    return bytes;
}

double nanoseconds_of(TraceStep const& step, Packet const& packet) {
    auto const& when = step.rule->when;
    bool const is_called = (!when.destination || when.destination->contains(packet.destination)) &&
                           (!when.in_interface || when.in_interface->matches(packet.interface)) &&
                           (when.protocol == 0 || when.protocol == packet.protocol);
    auto cost = per_rule;
    if (is_called && !when.destination_ports.empty())
        cost += per_match;
    if (is_called && when.source_mac)
        cost += per_match;
    if (is_called && when.mark)
        cost += per_match;
    if (is_called && std::holds_alternative<MapMark>(step.rule->then))
        cost += per_set;
    bool const leads_on =
        std::holds_alternative<Jump>(step.rule->then) || std::holds_alternative<Goto>(step.rule->then);
    return step.match == TraceStep::Match::yes && leads_on ? cost + per_chain : cost;
}

/// A packet from a client in the class; its port is set by the caller.
Packet packet_of(MarkClass const& mark_class, std::vector<MacAddress> const& peers) {
    Packet packet;
    packet.destination = mark_class.destination.address;
    packet.protocol =
        static_cast<std::uint8_t>(mark_class.protocol == Protocol::any ? Protocol::tcp : mark_class.protocol);
    packet.interface = mark_class.interfaces.empty() ? "eth0" : mark_class.interfaces.front().str();
    if (packet.interface.ends_with('+'))
        packet.interface.back() = '0';
    MacAddress client{{0x02, 0, 0, 0, 0, 0}};
    do
        ++client.bytes.back();
    while (std::ranges::find(peers, client) != peers.end() && client.bytes.back() != 0);
    packet.source = client;
    return packet;
}

} // namespace

LayoutCost layout_cost(Ruleset const& rules, MarkTable const& table, std::size_t packets) {
    LayoutCost cost;
    cost.bytes = bytes_of(rules);
    cost.chains = rules.chains.size();
    cost.all_rules = rules.entry_jumps.size();
    for (auto const& chain : rules.chains)
        cost.all_rules += chain.rules.size();
    std::vector<MarkClass const*> classes;
    for (auto const& mark_class : table.classes)
        if (mark_class.family() == rules.family)
            classes.push_back(&mark_class);
    auto const index = RuleIndex(rules);
    auto const all = index.all();
    std::size_t asked = 0;
    std::size_t walked = 0;
    cost.rules.best = classes.empty() ? 0 : std::numeric_limits<std::size_t>::max();
    auto const ask = [&](Packet const& packet) {
        std::size_t steps = 0;
        all.trace(Direction::entering, packet, [&](TraceStep const& step) {
            ++steps;
            cost.nanoseconds += nanoseconds_of(step, packet);
        });
        ++asked;
        walked += steps;
        cost.rules.best = std::min(cost.rules.best, steps);
        cost.rules.worst = std::max(cost.rules.worst, steps);
    };
    auto const stride = std::max<std::size_t>(1, 2 * classes.size() / packets);
    for (std::size_t i = 0; i < classes.size(); i += stride) {
        auto packet = packet_of(*classes[i], table.peers);
        packet.port = classes[i]->ports.front().first;
        ask(packet);
        packet.port = classes[i]->ports.back().last;
        ask(packet);
    }
    if (asked != 0) {
        cost.rules.mean = static_cast<double>(walked) / static_cast<double>(asked);
        cost.nanoseconds /= static_cast<double>(asked);
    }
    return cost;
}

} // namespace lbc
