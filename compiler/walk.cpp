#include "compiler/walk.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

namespace lbc {
namespace {

/// The kernel refuses loops, but chains that jump to one chain twice each double the way. No chains of ours are this
/// deep or walk this many rules for one packet's destination.
constexpr int deepest = 64;
constexpr int most_rules = 100'000;

bool matches(Matches const& when, Packet const& packet) {
    if (when.in_interface && !when.in_interface->matches(packet.interface))
        return false;
    if (when.destination && !when.destination->contains(packet.destination))
        return false;
    if (when.protocol != 0 && when.protocol != packet.protocol)
        return false;
    if (!when.destination_ports.empty() && std::ranges::none_of(when.destination_ports, [&](PortRange const& range) {
            return range.first <= packet.port && packet.port <= range.last;
        }))
        return false;
    // On a device without Ethernet addresses the match fails, negated or not (xt_mac.c).
    if (when.source_mac && (!packet.source || (*packet.source == *when.source_mac) == when.not_source_mac))
        return false;
    return !when.mark || *when.mark == packet.mark;
}

class Walk {
public:
    Walk(Ruleset const& rules, std::vector<RulesFor::NamedChain> const& chains, Packet packet)
        : rules_(rules), chains_(chains), packet_(std::move(packet)) {}

    /// Whether the walk goes on behind the rule.
    bool take(Rule const& rule, int depth) {
        ++walked_;
        if (!matches(rule.when, packet_))
            return true;
        if (!rule.when.unknown.empty() || depth > deepest || walked_ > most_rules)
            return stop_unknown();
        return std::visit([&](auto const& target) { return take(target, depth); }, rule.then);
    }

    [[nodiscard]] Outcome outcome() const { return {packet_.mark, dropped_, unknown_}; }

private:
    bool take(SetMark const& target, int /*depth*/) {
        packet_.mark = target.mark;
        return true;
    }
    bool take(Jump const& target, int depth) {
        enter(target.chain, depth);
        return !is_over_;
    }
    bool take(Goto const& target, int depth) {
        enter(target.chain, depth);
        return false;
    }
    bool take(Return const& /*target*/, int /*depth*/) { return false; }
    bool take(Drop const& /*target*/, int /*depth*/) {
        dropped_ = is_over_ = true;
        return false;
    }
    template <typename Others>
    bool take(Others const& /*target*/, int /*depth*/) {
        return stop_unknown();
    }

    bool stop_unknown() {
        unknown_ = is_over_ = true;
        return false;
    }

    void enter(std::string_view name, int depth) {
        auto const found = std::ranges::lower_bound(chains_, name, {}, &RulesFor::NamedChain::name);
        if (found == chains_.end() || found->name != name) {
            if (rules_.find(name) == nullptr)
                stop_unknown();
            return;
        }
        for (auto const* rule : found->rules)
            if (!take(*rule, depth + 1))
                return;
    }

    Ruleset const& rules_;
    std::vector<RulesFor::NamedChain> const& chains_;
    Packet packet_;
    int walked_ = 0;
    bool dropped_ = false;
    bool unknown_ = false;
    bool is_over_ = false;
};

bool same_rules(RulesFor::NamedChain const& a, RulesFor::NamedChain const& b) {
    return a.name == b.name &&
           std::ranges::equal(a.rules, b.rules, [](Rule const* one, Rule const* other) { return *one == *other; });
}

} // namespace

Outcome RulesFor::walk(std::string_view builtin, Packet const& packet) const {
    Walk walk(*rules_, chains_, packet);
    for (auto const& hook : rules_->hooks)
        if (hook.builtin == builtin && !walk.take(hook.rule, 0))
            break;
    return walk.outcome();
}

bool operator==(RulesFor const& a, RulesFor const& b) {
    return a.hooks() == b.hooks() && std::ranges::equal(a.chains_, b.chains_, same_rules);
}

RuleIndex::RuleIndex(Ruleset const& rules) : rules_(&rules) {
    std::set<int> lengths;
    for (std::size_t chain = 0; chain < rules.chains.size(); ++chain)
        for (std::size_t rule = 0; rule < rules.chains[chain].rules.size(); ++rule) {
            auto const& destination = rules.chains[chain].rules[rule].when.destination;
            (destination ? by_prefix_[*destination] : for_all_).push_back({chain, rule});
        }
    for (auto const& [prefix, places] : by_prefix_) {
        destinations_.push_back(prefix);
        lengths.insert(prefix.length);
    }
    lengths_.assign(lengths.begin(), lengths.end());
}

RulesFor RuleIndex::at(Prefix const& destination) const {
    auto places = for_all_;
    for (auto const length : lengths_) {
        if (length > destination.length)
            break;
        if (auto const found = by_prefix_.find(Prefix::of(destination.address, length)); found != by_prefix_.end())
            places.insert(places.end(), found->second.begin(), found->second.end());
    }
    std::ranges::sort(places);
    std::vector<RulesFor::NamedChain> chains; // sorted as those of the Ruleset are
    for (auto const& place : places) {
        auto const& chain = rules_->chains[place.chain];
        if (chains.empty() || chains.back().name != chain.name)
            chains.push_back({chain.name, {}});
        chains.back().rules.push_back(&chain.rules[place.rule]);
    }
    return {*rules_, std::move(chains)};
}

} // namespace lbc
