#include "compiler/proof/rule_index.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <variant>

namespace lbc {
namespace {

/// A rule that leaves marks alone, or that drops some packets for others, which is nothing to the rest. Long lists of
/// such, as of addresses that are blocked, cost a proof nothing.
bool cannot_matter(Rule const& rule, std::string_view table, std::string_view chain) {
    if (std::holds_alternative<Pass>(rule.then))
        return true;
    return std::holds_alternative<Drop>(rule.then) && !rule.when.unknown.empty() && !is_own_chain(table, chain);
}

/// Whether a rule may give a packet another mark.
bool may_mark(Target const& target) {
    return std::holds_alternative<SetMark>(target) || std::holds_alternative<MapMark>(target) ||
           std::holds_alternative<AnyMark>(target) || std::holds_alternative<UnknownTarget>(target);
}

std::string const* led_to(Target const& target) {
    auto const* jump = std::get_if<Jump>(&target);
    auto const* go = std::get_if<Goto>(&target);
    return jump != nullptr ? &jump->chain : go != nullptr ? &go->chain : nullptr;
}

void add_entries(Ruleset const& rules, MapMark const& map, std::set<Prefix>& destinations) {
    if (auto const* set = rules.find_set(map.set))
        for (auto const& entry : set->entries)
            destinations.insert(Prefix::host(entry.address));
}

} // namespace

RuleIndex::RuleIndex(Ruleset const& rules, Work* work) : work_(work) {
    add(rules);
    finish();
}

RuleIndex::RuleIndex(Netfilter const& netfilter, Work* work) : work_(work) {
    for (auto const& table : netfilter.tables)
        add(table);
    finish();
}

void RuleIndex::add(Ruleset const& rules) {
    std::map<std::string_view, std::vector<RulesFor::Placed>> chains;
    auto const add_to = [](std::vector<RulesFor::Placed>& to, Rule const& rule, RuleOrigin const* origin) {
        to.push_back({&rule, to.size() + 1, origin});
    };
    for (auto const& hook : rules.hooks)
        add_to(chains[hook.builtin], hook.rule, nullptr);
    for (auto const& chain : rules.chains)
        for (std::size_t i = 0; i < chain.rules.size(); ++i)
            add_to(chains[chain.name], chain.rules[i],
                   i < chain.origins.size() ? &rules.shape->origins[chain.origins[i]] : nullptr);
    auto& table = tables_.emplace_back(IndexedTable{&rules, {}});
    for (auto& [name, of_chain] : chains)
        table.chains.push_back({name, std::move(of_chain)});
}

/// The chains that packets come to from a base chain of the table.
void RuleIndex::reach(IndexedTable& table, std::string_view base, std::vector<std::size_t>& reached) {
    std::vector<std::string_view> open{base};
    std::set<std::string_view> seen{base};
    while (!open.empty()) {
        auto const name = open.back();
        open.pop_back();
        auto const chain = std::ranges::lower_bound(table.chains, name, {}, &IndexedChain::name);
        if (chain == table.chains.end() || chain->name != name)
            continue;
        reached.push_back(static_cast<std::size_t>(chain - table.chains.begin()));
        for (auto const& placed : chain->rules)
            if (auto const* to = led_to(placed.rule->then); to != nullptr && seen.insert(*to).second)
                open.push_back(*to);
    }
}

/// Rules of chains that no packet comes to before IPVS, as of FORWARD, tell no packets apart.
void RuleIndex::find_reached() {
    std::vector<std::tuple<Direction, BaseChain::Hook, int, std::size_t, std::string, bool>> stages;
    for (std::size_t i = 0; i < tables_.size(); ++i)
        for (auto const& base : base_chains(*tables_[i].rules)) {
            std::vector<std::size_t> reached;
            reach(tables_[i], base.chain, reached);
            bool marks = false;
            for (auto const chain : reached) {
                tables_[i].chains[chain].is_reached = true;
                marks = marks || std::ranges::any_of(tables_[i].chains[chain].rules,
                                                     [](auto const& placed) { return may_mark(placed.rule->then); });
            }
            stages.emplace_back(direction_of(base.hook), base.hook, base.priority, i, base.chain, marks);
        }
    // Of two at the same moment, either may be the first.
    for (auto const& [direction, hook, priority, table, chain, marks] : stages)
        for (auto const& [other_direction, other_hook, other_priority, other_table, other_chain, other_marks] : stages)
            if (other_marks && direction == other_direction &&
                std::tie(hook, priority) <= std::tie(other_hook, other_priority) &&
                std::tie(table, chain) != std::tie(other_table, other_chain))
                before_marks_.emplace(table, chain);
}

void RuleIndex::finish() {
    find_reached();
    std::set<Prefix> destinations;
    for (std::size_t table = 0; table < tables_.size(); ++table)
        for (std::size_t chain = 0; chain < tables_[table].chains.size(); ++chain) {
            auto const& rules = tables_[table].chains[chain].rules;
            for (std::size_t rule = 0; tables_[table].chains[chain].is_reached && rule < rules.size(); ++rule) {
                auto const& placed = *rules[rule].rule;
                auto const& when = placed.when;
                if (cannot_matter(placed, tables_[table].rules->table, tables_[table].chains[chain].name)) {
                    if (std::holds_alternative<Drop>(placed.then))
                        doubtful_drops_.push_back({table, chain, rule});
                    continue;
                }
                if (when.destination)
                    destinations.insert(*when.destination);
                if (auto const* map = std::get_if<MapMark>(&placed.then))
                    add_entries(*tables_[table].rules, *map, destinations);
                bool const is_one = when.destination && !when.not_destination;
                (is_one ? by_prefix_[*when.destination] : for_all_).push_back({table, chain, rule});
            }
        }
    std::set<int> lengths;
    for (auto const& entry : by_prefix_)
        lengths.insert(entry.first.length);
    destinations_.assign(destinations.begin(), destinations.end());
    lengths_.assign(lengths.begin(), lengths.end());
}

std::vector<RuleIndex::Place> RuleIndex::places_at(Prefix const& destination) const {
    auto places = for_all_;
    for (auto const length : lengths_) {
        if (length > destination.length)
            break;
        if (auto const found = by_prefix_.find(Prefix::of(destination.address, length)); found != by_prefix_.end())
            places.insert(places.end(), found->second.begin(), found->second.end());
    }
    return places;
}

RulesFor RuleIndex::at(Prefix const& destination) const { return select(places_at(destination), work_); }

std::optional<RulesFor> RuleIndex::with_doubtful_drops(Prefix const& destination) const {
    if (doubtful_drops_.empty())
        return std::nullopt;
    auto places = places_at(destination);
    places.insert(places.end(), doubtful_drops_.begin(), doubtful_drops_.end());
    return select(std::move(places), work_);
}

RulesFor RuleIndex::all() const {
    std::vector<Place> places;
    for (std::size_t table = 0; table < tables_.size(); ++table)
        for (std::size_t chain = 0; chain < tables_[table].chains.size(); ++chain)
            for (std::size_t rule = 0; rule < tables_[table].chains[chain].rules.size(); ++rule)
                places.push_back({table, chain, rule});
    return select(std::move(places), nullptr);
}

RulesFor RuleIndex::select(std::vector<Place> places, Work* work) const {
    std::ranges::sort(places);
    if (work != nullptr)
        work->add(places.size());
    std::vector<RulesFor::Table> tables;
    for (auto const& table : tables_)
        tables.push_back({table.rules, {}});
    for (auto const& place : places) {
        auto const& chain = tables_[place.table].chains[place.chain];
        auto& chains = tables[place.table].chains;
        if (chains.empty() || chains.back().name != chain.name)
            chains.push_back({chain.name, {}});
        chains.back().rules.push_back(chain.rules[place.rule]);
    }
    return RulesFor(std::move(tables), work, &before_marks_);
}

} // namespace lbc
