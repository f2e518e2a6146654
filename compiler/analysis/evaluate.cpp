#include "compiler/analysis/evaluate.hpp"

#include "compiler/analysis/mark_effects.hpp"
#include "compiler/analysis/port_pieces.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace lbc {
namespace {

using Match = TraceStep::Match;

/// The kernel refuses loops, but each chain that jumps to another one twice doubles the walk. A walk that is deeper
/// than this, or that visits this many times the number of rules, is given up.
constexpr int deepest = 64;
constexpr std::size_t most_outcomes = 64; // of one packet; with more, its outcome is unknown
constexpr std::size_t most_visits = 8;
constexpr std::size_t few_rules = 10'000; // visits that are always allowed

/// Whether those matches of a rule hold that have one result for all packets of the walk.
bool holds(Matches const& when, Packet const& packet, std::set<MacAddress>* asked) {
    if (when.in_interface && when.in_interface->matches(packet.interface) == when.not_in_interface)
        return false;
    if (when.destination && when.destination->contains(packet.destination) == when.not_destination)
        return false;
    if (when.protocol != 0 && (when.protocol == packet.protocol) == when.not_protocol)
        return false;
    if (when.source_mac && asked != nullptr)
        asked->insert(*when.source_mac);
    // On a device without Ethernet addresses the match fails, negated or not (xt_mac.c).
    return !when.source_mac || (packet.source && (*packet.source == *when.source_mac) != when.not_source_mac);
}

class Evaluation {
public:
    struct Watch {
        Observer const* observer = nullptr;
        std::set<MacAddress>* asked = nullptr;
        Work* work = nullptr;
    };

    Evaluation(RulesFor const& rules, Packet const& packet, Watch const& watch)
        : rules_(rules), packet_(packet), observer_(watch.observer), asked_(watch.asked), work_(watch.work) {
        for (auto const& table : rules.tables())
            for (auto const& chain : table.chains)
                budget_ += most_visits * chain.rules.size();
    }

    std::vector<PortOutcomes> run(RulesFor::Stages const& stages, PortRange ports) {
        Pieces active{{ports.first.value, ports.last.value, sets_.of({Outcome::pass(packet_.mark, true)})}};
        for (auto const& stage : stages) {
            if (stage.base.is_nat && packet_.connection == Packet::Connection::forwarded)
                continue;
            stage_ = &stage;
            pass(rules_.tables()[stage.table], stage.base, active);
        }
        unite(done_, std::move(active), sets_);
        std::vector<PortOutcomes> found;
        for (auto const& piece : done_)
            found.push_back(
                {{Port{static_cast<std::uint16_t>(piece.first)}, Port{static_cast<std::uint16_t>(piece.last)}},
                 sets_[piece.set]});
        return found;
    }

private:
    struct Place {
        RulesFor::Table const& table;
        std::string_view chain;
        int depth;  // of the walk
        int indent; // the same without parts of rules
        bool is_own;
    };

    void pass(RulesFor::Table const& table, BaseChain const& base, Pieces& active) {
        accepted_.clear();
        auto around = base.is_nat && packet_.connection == Packet::Connection::any ? active : Pieces{};
        active = enter(table, base.chain, std::move(active), 0, 0);
        if (drops_by_policy(table, base.chain))
            end(std::exchange(active, {}), Outcome::drop(true)); // those that returned from it
        unite(active, std::move(accepted_), sets_);
        unite(active, std::move(around), sets_);
    }

    static bool drops_by_policy(RulesFor::Table const& table, std::string_view builtin) {
        auto const* chain = table.all->find(builtin);
        auto const* last = chain == nullptr || chain->rules.empty() ? nullptr : &chain->rules.back();
        auto const* drop = last == nullptr ? nullptr : std::get_if<Drop>(&last->then);
        return drop != nullptr && drop->is_policy;
    }

    /// Returns the packets that come back from the chain.
    Pieces enter(RulesFor::Table const& table, std::string_view name, Pieces active, int depth, int indent) {
        auto const found = std::ranges::lower_bound(table.chains, name, {}, &RulesFor::NamedChain::name);
        if (found == table.chains.end() || found->name != name) {
            if (table.all->find(name) != nullptr)
                return active; // it has no rule for these packets
            end(std::move(active), Outcome::anything());
            return {};
        }
        Place const place{table, found->name, depth, indent, is_own_chain(table.all->table, name)};
        Pieces returned;
        for (auto const& rule : found->rules) {
            if (active.empty())
                break;
            if (depth > deepest || ++walked_ > budget_ || is_spent(active.size())) {
                end(std::exchange(active, {}), Outcome::anything());
                break;
            }
            take(rule, place, active, returned);
        }
        unite(returned, std::move(active), sets_);
        return returned;
    }

    bool is_spent(std::size_t pieces) {
        if (work_ == nullptr)
            return false;
        work_->add(pieces);
        return work_->is_spent();
    }

    void end(Pieces pieces, Outcome const& outcome) {
        for (auto& piece : pieces)
            piece.set = sets_.of({outcome});
        unite(done_, std::move(pieces), sets_);
    }

    void take(RulesFor::Placed const& placed, Place const& place, Pieces& active, Pieces& returned) {
        auto const& rule = *placed.rule;
        if (!holds(rule.when, packet_, asked_)) {
            observe(placed, place, Match::no, active);
            return;
        }
        if (auto const* set = std::get_if<SetMark>(&rule.then))
            return change(placed, place, active, [&](Outcome const& outcome) { return marked(outcome, *set, place); });
        if (auto const* map = std::get_if<MapMark>(&rule.then))
            return look_up(placed, place, active, *map);
        if (auto const* any = std::get_if<UnknownMark>(&rule.then))
            return change(placed, place, active, [&](Outcome const& outcome) { return opened(outcome, any->mask); });
        if (auto const* restore = std::get_if<RestoreMark>(&rule.then))
            return change(placed, place, active, [&](Outcome const& outcome) {
                return restored(outcome, *restore, rules_.connection_marks(),
                                packet_.connection == Packet::Connection::first);
            });
        if (std::holds_alternative<Continue>(rule.then) || std::holds_alternative<SetConnectionMark>(rule.then))
            return change(placed, place, active, [](Outcome const& outcome) { return outcome; });
        lead(rule.then, place, split(placed, place, active), active, returned);
    }

    /// An unknown set may set any mark. So may a lookup in a rule that also matches ports, which own rules never do.
    void look_up(RulesFor::Placed const& placed, Place const& place, Pieces& active, MapMark const& map) {
        auto const* set = place.table.all->find_set(map.set);
        if (set == nullptr || !set->is_known() || !placed.rule->when.destination_ports.empty())
            return change(placed, place, active, [](Outcome const&) { return Outcome::anything(true); });
        auto best = Match::no;
        for (auto const& entry : set->find(packet_.destination, packet_.protocol)) {
            auto when = placed.rule->when;
            when.destination_ports = {{entry.port, entry.port}};
            auto const to = [&](Outcome const& outcome) { return marked(outcome, {entry.mark, entry.mask}, place); };
            best = std::max(best, change(when, active, to));
        }
        observe(placed, place, best, active);
    }

    /// Changes the outcome of the packets that take the rule; they go on.
    template <typename Change>
    void change(RulesFor::Placed const& placed, Place const& place, Pieces& active, Change to) {
        observe(placed, place, change(placed.rule->when, active, to), active);
    }

    template <typename Change>
    Match change(Matches const& when, Pieces& active, Change to) {
        auto best = Match::no;
        for_each_piece(when, active, [&](Piece& piece) {
            Outcomes outcomes;
            for (auto const& outcome : sets_[piece.set]) {
                auto const match = matches_mark(when, outcome);
                best = std::max(best, match);
                if (match != Match::yes)
                    outcomes.push_back(outcome);
                if (match != Match::no)
                    append(outcomes, to(outcome));
            }
            std::ranges::sort(outcomes);
            outcomes.erase(std::ranges::unique(outcomes).begin(), outcomes.end());
            if (outcomes.size() > most_outcomes)
                outcomes = {Outcome::anything()};
            piece.set = sets_.of(outcomes);
        });
        return best;
    }

    static void append(Outcomes& outcomes, Outcome const& one) { outcomes.push_back(one); }
    static void append(Outcomes& outcomes, Outcomes const& several) {
        outcomes.insert(outcomes.end(), several.begin(), several.end());
    }

    /// Takes the packets that the rule matches out of `active`.
    Pieces split(RulesFor::Placed const& placed, Place const& place, Pieces& active) {
        Pieces taken;
        auto best = Match::no;
        bool emptied = false;
        for_each_piece(placed.rule->when, active, [&](Piece& piece) {
            Outcomes leave;
            Outcomes stay;
            for (auto const& outcome : sets_[piece.set]) {
                auto const match = matches_mark(placed.rule->when, outcome);
                best = std::max(best, match);
                if (match != Match::yes)
                    stay.push_back(outcome);
                if (match != Match::no)
                    leave.push_back(outcome);
            }
            if (!leave.empty())
                taken.push_back({piece.first, piece.last, sets_.of(leave)});
            piece.set = sets_.of(stay);
            emptied = emptied || stay.empty();
        });
        if (emptied)
            std::erase_if(active, [](Piece const& piece) { return piece.set == OutcomeSets::empty; });
        observe(placed, place, best, taken.empty() ? active : taken);
        return taken;
    }

    void lead(Target const& target, Place const& place, Pieces taken, Pieces& active, Pieces& returned) {
        if (taken.empty())
            return;
        if (auto const* jump = std::get_if<Jump>(&target))
            unite(active, enter(place.table, jump->chain, std::move(taken), place.depth + 1, place.indent + 1), sets_);
        else if (auto const* go = std::get_if<Goto>(&target))
            unite(returned, go_to(go->chain, place, std::move(taken)), sets_);
        else if (std::holds_alternative<Return>(target))
            unite(returned, std::move(taken), sets_);
        else if (std::holds_alternative<Accept>(target))
            unite(accepted_, std::move(taken), sets_);
        else if (std::holds_alternative<Drop>(target))
            end(std::move(taken), Outcome::drop(!place.is_own));
        else if (std::holds_alternative<Dnat>(target))
            readdress(std::move(taken));
        else
            end(std::move(taken), Outcome::anything());
    }

    /// Sends packets to another destination, so later rules match that one.
    void readdress(Pieces taken) {
        if (rules_.is_before_marks(*stage_))
            return end(std::move(taken), Outcome::anything());
        for (auto& piece : taken) {
            auto outcomes = sets_[piece.set];
            for (auto& outcome : outcomes)
                outcome.readdressed = true;
            std::ranges::sort(outcomes);
            outcomes.erase(std::ranges::unique(outcomes).begin(), outcomes.end());
            piece.set = sets_.of(outcomes);
        }
        unite(done_, std::move(taken), sets_);
    }

    Pieces go_to(std::string_view chain, Place const& place, Pieces taken) {
        bool const is_part = place.table.all->shape && chain.contains(part_mark);
        return enter(place.table, chain, std::move(taken), place.depth + 1, place.indent + (is_part ? 0 : 1));
    }

    /// Calls `use` for the pieces in the rule's ports; active pieces are cut at the ends of these ports.
    template <typename Use>
    static void for_each_piece(Matches const& when, Pieces& active, Use use) {
        if (when.destination_ports.empty()) {
            std::ranges::for_each(active, use);
            return;
        }
        auto const in_range = [&](PortRange const& range) {
            auto const begin = cut_at(active, range.first.value);
            auto const end = cut_at(active, std::uint32_t{range.last.value} + 1);
            for (auto i = begin; i < end; ++i)
                use(active[i]);
        };
        if (when.destination_ports.size() == 1 && !when.not_destination_ports)
            in_range(when.destination_ports.front());
        else
            std::ranges::for_each(ports_of(when), in_range);
    }

    static Match matches_mark(Matches const& when, Outcome const& outcome) {
        auto match = Match::yes;
        if (when.mark) {
            auto const known = when.mark_mask & ~outcome.open;
            bool const may_be_there = (outcome.mark.value & known) == (when.mark->value & ~outcome.open);
            if (outcome.unknown || (may_be_there && known != when.mark_mask))
                match = Match::maybe;
            else if (may_be_there == when.not_mark)
                return Match::no;
        }
        return when.unknown.empty() ? match : Match::maybe;
    }

    static Outcome marked(Outcome const& outcome, SetMark const& set, Place const& place) {
        auto given = lbc::marked(outcome, set);
        given.by_others = !place.is_own;
        return given;
    }

    void observe(RulesFor::Placed const& placed, Place const& place, Match match, Pieces const& after) const {
        if (observer_ == nullptr)
            return;
        TraceStep step{.table = place.table.all->table,
                       .chain = place.chain,
                       .number = placed.number,
                       .rule = placed.rule,
                       .match = match,
                       .depth = place.indent,
                       .mark = {},
                       .is_mark_known = false,
                       .origin = nullptr};
        if (auto const* origin = placed.origin; origin != nullptr) {
            step.origin = origin;
            step.chain = origin->chain;
            step.number = origin->number;
            if (origin->fails)
                step.match = Match::no;
        }
        if (!after.empty() && sets_[after.front().set].size() == 1) {
            auto const& outcome = sets_[after.front().set].front();
            step.mark = outcome.mark;
            step.is_mark_known = !outcome.unknown && outcome.open == 0;
        }
        (*observer_)(step);
    }

    RulesFor const& rules_;
    Packet const& packet_;
    Observer const* observer_;
    std::set<MacAddress>* asked_;
    Work* work_;
    RulesFor::Stage const* stage_ = nullptr;
    OutcomeSets sets_;
    Pieces accepted_; // in the table of the walk
    Pieces done_;
    std::size_t walked_ = 0;
    std::size_t budget_ = few_rules; // for `walked_`
};

PortRange only_port(Packet const& packet) { return {packet.port, packet.port}; }

/// Rules that look up a set never compare equal: its name does not determine the entries in a kernel.
bool same_rules(RulesFor::NamedChain const& a, RulesFor::NamedChain const& b) {
    return a.name == b.name && std::ranges::equal(a.rules, b.rules, [](auto const& one, auto const& other) {
               return *one.rule == *other.rule && !std::holds_alternative<MapMark>(one.rule->then);
           });
}

} // namespace

Direction direction_of(BaseChain::Hook hook) {
    return hook == BaseChain::Hook::output ? Direction::leaving : Direction::entering;
}

std::vector<PortOutcomes> RulesFor::evaluate(Direction direction, Packet const& packet, PortRange ports,
                                             std::set<MacAddress>* asked) const {
    std::vector<PortOutcomes> found;
    for (auto const& stages : orders(direction)) {
        auto one = Evaluation(*this, packet, {.asked = asked, .work = work_}).run(stages, ports);
        found = found.empty() ? std::move(one) : either(found, one);
    }
    return found.empty() ? std::vector<PortOutcomes>{{ports, {Outcome::anything()}}} : found;
}

Outcome RulesFor::evaluate(Direction direction, Packet const& packet) const {
    return only(evaluate(direction, packet, only_port(packet)).front().outcomes);
}

Outcomes RulesFor::trace(Direction direction, Packet const& packet, Observer const& observer) const {
    if (orders(direction).empty())
        return {Outcome::anything()};
    Evaluation(*this, packet, {.observer = &observer}).run(orders(direction).front(), only_port(packet));
    return evaluate(direction, packet, only_port(packet)).front().outcomes;
}

bool operator==(RulesFor const& a, RulesFor const& b) {
    return std::ranges::equal(a.tables_, b.tables_, [](RulesFor::Table const& one, RulesFor::Table const& other) {
        return one.all->table == other.all->table && std::ranges::equal(one.chains, other.chains, same_rules);
    });
}

Outcome only(Outcomes const& outcomes) { return outcomes.size() == 1 ? outcomes.front() : Outcome::anything(); }

} // namespace lbc
