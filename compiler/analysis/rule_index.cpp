#include "compiler/analysis/rule_index.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

namespace lbc {
namespace {

/// Whether a rule leaves marks alone, or is a foreign rule that drops some packets and does not affect the rest. Long
/// lists of such rules, for instance of blocked addresses, cost a proof nothing.
bool cannot_matter(Rule const& rule, std::string_view table, std::string_view chain) {
    if (std::holds_alternative<Continue>(rule.then) || std::holds_alternative<SetConnectionMark>(rule.then))
        return true;
    return std::holds_alternative<Drop>(rule.then) && !rule.when.unknown.empty() && !is_own_chain(table, chain);
}

/// Whether a target may give a packet another mark.
bool may_mark(Target const& target) {
    return std::holds_alternative<SetMark>(target) || std::holds_alternative<MapMark>(target) ||
           std::holds_alternative<RestoreMark>(target) || std::holds_alternative<UnknownMark>(target) ||
           std::holds_alternative<UnknownTarget>(target);
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

/// The chains of a table by index, and the jumps between them.
class ChainGraph {
public:
    explicit ChainGraph(std::size_t chains) : forward_(chains), backward_(chains) {}

    void add(std::size_t from, std::size_t to) {
        forward_[from].push_back(to);
        backward_[to].push_back(from);
    }
    [[nodiscard]] std::vector<bool> behind(std::vector<std::size_t> const& start) const {
        return spread(forward_, start);
    }
    [[nodiscard]] std::vector<bool> before(std::vector<std::size_t> const& start) const {
        return spread(backward_, start);
    }

private:
    using Edges = std::vector<std::vector<std::size_t>>;

    /// The chains of `start`, and all that are reachable from them over the edges.
    static std::vector<bool> spread(Edges const& edges, std::vector<std::size_t> open) {
        std::vector<bool> seen(edges.size());
        for (auto const chain : open)
            seen[chain] = true;
        while (!open.empty()) {
            auto const chain = open.back();
            open.pop_back();
            for (auto const next : edges[chain])
                if (!seen[next]) {
                    seen[next] = true;
                    open.push_back(next);
                }
        }
        return seen;
    }

    Edges forward_;
    Edges backward_;
};

/// Whether a rule depends on the marks of packets, or changes their marks or destinations.
bool uses_marks(Rule const& rule) {
    return rule.when.mark || may_mark(rule.then) || std::holds_alternative<Dnat>(rule.then);
}

/// A base chain that has rules, and whether one of them, or of the chains behind it, may set a mark.
struct MarkingStage {
    std::tuple<Direction, BaseChain::Hook, int> moment;
    std::size_t table = 0;
    std::string chain;
    bool marks = false;
};

/// The base chains that packets pass before another one that may set a mark. Of several at one moment, any may be the
/// first.
RulesFor::BaseNames before_marks(std::vector<MarkingStage> stages) {
    RulesFor::BaseNames before;
    std::ranges::sort(stages, std::ranges::greater(), &MarkingStage::moment);
    std::size_t later = 0; // number of later stages that mark, in one direction
    for (auto stage = stages.begin(); stage != stages.end();) {
        auto const is_same = [&](MarkingStage const& one) { return one.moment == stage->moment; };
        auto const end = std::find_if_not(stage, stages.end(), is_same);
        auto const now = static_cast<std::size_t>(std::count_if(stage, end, std::mem_fn(&MarkingStage::marks)));
        auto const direction = std::get<Direction>(stage->moment);
        for (; stage != end; ++stage)
            if (later + now > static_cast<std::size_t>(stage->marks))
                before.emplace(stage->table, stage->chain);
        later += now;
        if (stage != stages.end() && std::get<Direction>(stage->moment) != direction)
            later = 0;
    }
    return before;
}

constexpr std::size_t most_orders = 24;

/// The sort key of a stage. Of several at one moment, lbc's own is the first.
auto order_of(RulesFor::Stage const& stage, std::vector<RulesFor::Table> const& tables) {
    return std::tuple(stage.base.hook, stage.base.priority, tables[stage.table].all->table != nft_table, stage.table);
}

} // namespace

RulesFor::RulesFor(std::vector<Table> tables, Work* work, std::shared_ptr<BaseFacts const> facts)
    : tables_(std::move(tables)), work_(work), facts_(std::move(facts)) {
    std::array<Stages, 2> first;
    for (std::size_t i = 0; i < tables_.size(); ++i)
        for (auto& base : base_chains(*tables_[i].all))
            if (std::ranges::binary_search(tables_[i].chains, std::string_view(base.chain), {}, &NamedChain::name))
                first[static_cast<std::size_t>(direction_of(base.hook))].push_back({i, std::move(base)});
    for (std::size_t i = 0; i < first.size(); ++i) {
        std::ranges::sort(first[i], {}, [this](Stage const& stage) { return order_of(stage, tables_); });
        if (work_ != nullptr)
            work_->add(first[i].size());
        orders_[i] = orders_of(std::move(first[i]));
    }
}

/// Permutes those stages at one moment that use marks, if more than one does. The order of the others does not matter.
std::vector<RulesFor::Stages> RulesFor::orders_of(Stages first) const {
    auto const is_used = [this](Stage const& stage) {
        return facts_ == nullptr || facts_->use_marks.contains({stage.table, stage.base.chain});
    };
    std::vector<Stages> orders{first};
    for (std::size_t begin = 0; begin < first.size();) {
        std::vector<std::size_t> places;
        auto end = begin;
        for (; end < first.size() && first[end].base.hook == first[begin].base.hook &&
               first[end].base.priority == first[begin].base.priority;
             ++end)
            if (is_used(first[end]))
                places.push_back(end);
        begin = end;
        auto const before = orders;
        for (auto order = places; std::ranges::next_permutation(order).found;)
            for (auto const& one : before) {
                if (orders.size() == most_orders)
                    return {};
                auto& other = orders.emplace_back(one);
                for (std::size_t i = 0; i < places.size(); ++i)
                    other[places[i]] = first[order[i]];
            }
    }
    return orders;
}

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
    for (auto const& hook : rules.entry_jumps)
        add_to(chains[hook.builtin], hook.rule, nullptr);
    for (auto const& chain : rules.chains)
        for (std::size_t i = 0; i < chain.rules.size(); ++i)
            add_to(chains[chain.name], chain.rules[i],
                   i < chain.origins.size() ? &rules.shape->origins[chain.origins[i]] : nullptr);
    auto& table = tables_.emplace_back(IndexedTable{&rules, {}});
    for (auto& [name, of_chain] : chains)
        table.chains.push_back({name, std::move(of_chain)});
}

std::optional<std::size_t> RuleIndex::IndexedTable::find(std::string_view name) const {
    auto const found = std::ranges::lower_bound(chains, name, {}, &IndexedChain::name);
    return found == chains.end() || found->name != name
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - chains.begin()));
}

/// Finds the chains that packets pass before IPVS. Rules of other chains, such as FORWARD, tell no packets apart.
void RuleIndex::find_reached() {
    std::vector<MarkingStage> stages;
    for (std::size_t i = 0; i < tables_.size(); ++i) {
        auto& table = tables_[i];
        ChainGraph graph(table.chains.size());
        std::vector<std::size_t> marking;
        std::vector<std::size_t> using_marks;
        for (std::size_t chain = 0; chain < table.chains.size(); ++chain)
            for (auto const& placed : table.chains[chain].rules) {
                if (auto const* name = led_to(placed.rule->then))
                    if (auto const to = table.find(*name))
                        graph.add(chain, *to);
                if (may_mark(placed.rule->then))
                    marking.push_back(chain);
                if (uses_marks(*placed.rule))
                    using_marks.push_back(chain);
            }
        auto const marks = graph.before(marking);
        auto const uses = graph.before(using_marks);
        std::vector<std::size_t> bases;
        for (auto& base : base_chains(*table.rules))
            if (auto const chain = table.find(base.chain)) {
                bases.push_back(*chain);
                stages.push_back({{direction_of(base.hook), base.hook, base.priority}, i, base.chain, marks[*chain]});
                if (uses[*chain])
                    facts_->use_marks.emplace(i, base.chain);
            }
        auto const reached = graph.behind(bases);
        for (std::size_t chain = 0; chain < table.chains.size(); ++chain)
            table.chains[chain].is_reached = reached[chain];
    }
    facts_->before_marks = before_marks(std::move(stages));
}

void RuleIndex::finish() {
    find_reached();
    std::vector<Ruleset const*> rules;
    for (auto const& table : tables_)
        rules.push_back(table.rules);
    facts_->connection_marks = connection_marks(rules);
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
    return RulesFor(std::move(tables), work, facts_);
}

} // namespace lbc
