#include "compiler/analysis/connection_marks.hpp"

#include <algorithm>
#include <variant>

namespace lbc {
namespace {

using Values = std::set<std::uint32_t>;

constexpr std::size_t most_values = 64;       // of packets, and of connections; with more, any mark is possible
constexpr std::size_t most_steps = 4'000'000; // combinations of a rule and its values
constexpr std::size_t most_rules = 100'000;   // that concern marks

bool concerns_marks(Rule const& rule) {
    return rule.when.mark || std::holds_alternative<SetMark>(rule.then) || std::holds_alternative<MapMark>(rule.then) ||
           std::holds_alternative<SetConnectionMark>(rule.then) || std::holds_alternative<RestoreMark>(rule.then);
}

/// Whether a target may give a connection any mark, or a packet any mark that another rule can save.
bool may_do_anything(Target const& target, Ruleset const& table) {
    if (auto const* set = std::get_if<SetConnectionMark>(&target))
        return set->is_any;
    if (auto const* map = std::get_if<MapMark>(&target)) {
        auto const* marks = table.find_set(map->set);
        return marks == nullptr || !marks->is_known();
    }
    return std::holds_alternative<UnknownTarget>(target) || std::holds_alternative<UnknownMark>(target);
}

class Closure {
public:
    /// Nothing: too many rules, or one that may do anything.
    static std::optional<Closure> of(std::vector<Ruleset const*> const& tables) {
        Closure closure;
        for (auto const* table : tables) {
            for (auto const& jump : table->entry_jumps)
                closure.add(jump.rule, *table);
            for (auto const& chain : table->chains)
                for (auto const& rule : chain.rules)
                    closure.add(rule, *table);
        }
        return closure.is_bounded_ ? std::optional(std::move(closure)) : std::nullopt;
    }

    ConnectionMarks run() {
        for (std::size_t before = 0; before != packets_.size() + connections_.size();) {
            before = packets_.size() + connections_.size();
            for (auto const& placed : rules_) {
                take(placed);
                if (packets_.size() > most_values || connections_.size() > most_values || steps_ > most_steps)
                    return std::nullopt;
            }
        }
        return std::move(connections_);
    }

private:
    struct Placed {
        Rule const* rule;
        Ruleset const* table;
    };

    void add(Rule const& rule, Ruleset const& table) {
        is_bounded_ = is_bounded_ && !may_do_anything(rule.then, table) && rules_.size() < most_rules;
        if (rule.when.mark) {
            packets_.insert(rule.when.mark->value);
            packets_.insert(rule.when.mark->value | ~rule.when.mark_mask);
        }
        if (concerns_marks(rule))
            rules_.push_back({&rule, &table});
    }

    void take(Placed const& placed) {
        auto const& rule = *placed.rule;
        if (auto const* set = std::get_if<SetMark>(&rule.then))
            for_each_packet(rule, [&](std::uint32_t mark) { add_packet((mark & ~set->mask) ^ set->mark.value); });
        else if (auto const* map = std::get_if<MapMark>(&rule.then))
            take_map(placed, *map);
        else if (auto const* save = std::get_if<SetConnectionMark>(&rule.then))
            take_save(rule, *save);
        else if (auto const* restore = std::get_if<RestoreMark>(&rule.then))
            for_each_packet(rule, [&](std::uint32_t mark) {
                for (auto const connection : connections_)
                    add_packet((mark & ~restore->cleared) ^ restore->flipped ^ (connection & restore->restored));
            });
    }

    void take_map(Placed const& placed, MapMark const& map) {
        Values given;
        for (auto const& entry : placed.table->find_set(map.set)->entries)
            if (given.size() <= most_values)
                for_each_packet(*placed.rule,
                                [&](std::uint32_t mark) { given.insert((mark & ~entry.mask) ^ entry.mark.value); });
        std::ranges::for_each(given, [&](std::uint32_t mark) { add_packet(mark); });
    }

    void take_save(Rule const& rule, SetConnectionMark const& save) {
        Values saved;
        for_each_packet(rule, [&](std::uint32_t mark) { saved.insert(mark & save.saved); });
        for (auto const connection : Values(connections_))
            for (auto const bits : saved) {
                connections_.insert((connection & ~save.cleared) ^ save.flipped ^ bits);
                ++steps_;
            }
    }

    /// The marks of packets that the rule may match.
    template <typename Use>
    void for_each_packet(Rule const& rule, Use use) {
        auto const& when = rule.when;
        for (auto const mark : Values(packets_)) {
            ++steps_;
            if (!when.mark || ((mark & when.mark_mask) == when.mark->value) != when.not_mark)
                use(mark);
        }
    }

    void add_packet(std::uint32_t mark) {
        ++steps_;
        packets_.insert(mark);
    }

    std::vector<Placed> rules_;
    Values packets_{0};
    Values connections_{0};
    bool is_bounded_ = true;
    std::size_t steps_ = 0;
};

bool restores_marks(Ruleset const& table) {
    return std::ranges::any_of(table.chains, [](Chain const& chain) {
        return std::ranges::any_of(chain.rules,
                                   [](Rule const& rule) { return std::holds_alternative<RestoreMark>(rule.then); });
    });
}

} // namespace

ConnectionMarks connection_marks(std::vector<Ruleset const*> const& tables) {
    if (std::ranges::none_of(tables, [](Ruleset const* table) { return restores_marks(*table); }))
        return Values{};
    auto closure = Closure::of(tables);
    return closure ? closure->run() : std::nullopt;
}

} // namespace lbc
