#include "compiler/analysis/prove.hpp"

namespace lbc {
namespace {

constexpr std::size_t most_faults = 200'000;

/// The marks of packets that IPVS forwards: those of services, and the guard's. Packets with a check's mark are sent
/// here.
std::set<Fwmark> forwarded_marks(MarkTable const& table) {
    std::set<Fwmark> marks;
    for (auto const& mark_class : table.classes)
        if (!mark_class.from_director)
            marks.insert(mark_class.mark);
    if (table.guard)
        marks.insert(table.guard->mark);
    return marks;
}

/// Whether some rule may let packets go on without a connection.
bool untracks(Netfilter const& rules) {
    return std::ranges::any_of(rules.tables, [](Ruleset const& table) {
        return std::ranges::any_of(table.chains, [](Chain const& chain) {
            return std::ranges::any_of(chain.rules, [](Rule const& rule) {
                auto const* target = std::get_if<Continue>(&rule.then);
                return target != nullptr && target->untracks;
            });
        });
    });
}

class Prover {
public:
    Prover(MarkTable const& table, std::set<Fwmark> const& marks, Netfilter const& rules)
        : marks_(marks), forwarded_(forwarded_marks(table)), may_lack_connection_(untracks(rules)),
          family_(rules.family), meaning_(table, rules.family), rules_(rules, &work_) {}

    Proof run() {
        auto prefixes = meaning_.destinations();
        prefixes.insert(prefixes.end(), rules_.destinations().begin(), rules_.destinations().end());
        for (auto const& destination : destination_classes(family_, std::move(prefixes))) {
            look(destination);
            proof_.is_given_up = proof_.faults.size() + proof_.dropped.size() > most_faults || work_.is_spent();
            if (proof_.is_given_up)
                break;
        }
        return std::move(proof_);
    }

private:
    void look(DestinationClass const& destination) {
        auto const wanted = meaning_.at(destination.prefix);
        auto const rules = rules_.at(destination.prefix);
        SplitPoints borders;
        wanted.add_to(borders);
        borders.add(rules);
        PacketPartition const cuts(borders);
        DestinationComparison comparison(destination, wanted, rules, cuts, work_,
                                         [this](Outcomes const& meant, Outcomes const& found, Packet const& packet) {
                                             return judge(meant.front(), found, packet);
                                         });
        std::vector<MarkChange> changes;
        for (auto const carried : cuts.entering)
            comparison.entering(carried, changes);
        for (auto const carried : cuts.leaving)
            comparison.leaving(carried, changes,
                               wanted.has_services() && forwarded_.contains(carried) ? Packet::Connection::forwarded
                                                                                     : Packet::Connection::any);
        proof_.pieces += cuts.protocols.size() *
                         (cuts.interfaces.size() * cuts.sources.size() * cuts.entering.size() + cuts.leaving.size());
        drops_.reset();
        for (auto& change : changes) {
            if (work_.is_spent())
                break;
            add(std::move(change), rules);
        }
    }

    /// Whether the site gives the packet a mark, and foreign rules drop it.
    static bool is_dropped(Outcome const& meant, Outcomes const& found) {
        return !meant.dropped && !meant.by_others &&
               std::ranges::all_of(found, [](Outcome const& outcome) { return outcome.dropped && outcome.by_others; });
    }

    [[nodiscard]] Differs judge(Outcome const& meant, Outcomes const& found, Packet const& packet) const {
        if (packet.connection == Packet::Connection::first && may_lack_connection_)
            return Differs::no;
        if (is_dropped(meant, found))
            return Differs::surely;
        auto const is_accepted = [&](Outcome const& outcome) { return accepts(meant, outcome, packet); };
        if (std::ranges::all_of(found, is_accepted))
            return Differs::no;
        bool const is_certain = std::ranges::none_of(found, [&](Outcome const& outcome) {
            return outcome.unknown || outcome.open != 0 || is_accepted(outcome);
        });
        return is_certain ? Differs::surely : Differs::perhaps;
    }

    /// Whether an outcome is as the site states, or the site leaves it open.
    [[nodiscard]] bool accepts(Outcome const& meant, Outcome const& found, Packet const& packet) const {
        if (found.unknown)
            return false;
        if (found.dropped)
            return found.by_others || meant.dropped;
        if (meant.dropped)
            return false;
        if (!meant.by_others)
            return found.is_marked() && found.mark == meant.mark && !found.readdressed;
        if (found.open != 0)
            return std::ranges::none_of(marks_, [&](Fwmark mark) { return found.may_have(mark); });
        return found.mark == packet.mark || (found.by_others && !marks_.contains(found.mark));
    }

    void add(MarkChange change, RulesFor const& rules) {
        if (is_dropped(change.before, change.possible)) {
            MarkFault fault{MarkFault::Kind::dropped, std::move(change), {}};
            fault.decision = decide(fault, rules);
            proof_.dropped.push_back(std::move(fault));
            return;
        }
        bool const is_sure = judge(change.before, change.possible, change.witness) == Differs::surely;
        MarkFault fault{is_sure ? MarkFault::Kind::differs : MarkFault::Kind::unknown, std::move(change), {}};
        fault.decision = decide(fault, rules);
        if (is_sure && fault.decision && fault.decision->is_sure)
            fault.decision->is_sure = exists(fault.packets) && !may_be_dropped(fault.packets);
        proof_.faults.push_back(std::move(fault));
    }

    /// Whether such packets certainly exist. Those that already carry a mark exist only if tc, XDP or a local program
    /// sets it, except for lbc's own marks on packets that IPVS forwards.
    [[nodiscard]] bool exists(MarkChange const& change) const {
        return change.carried == Fwmark{} || (change.sent_here && marks_.contains(change.carried));
    }

    /// Whether a rule that drops only some packets may drop the witness before it shows the difference.
    [[nodiscard]] bool may_be_dropped(MarkChange const& change) {
        if (!drops_)
            drops_ = rules_.with_doubtful_drops(change.destination.prefix);
        if (!*drops_)
            return false;
        auto const& packet = change.witness;
        auto const found = (*drops_)->evaluate(change.sent_here ? Direction::leaving : Direction::entering, packet,
                                               {packet.port, packet.port});
        return std::ranges::any_of(found.front().outcomes, [](Outcome const& outcome) { return outcome.dropped; });
    }

    /// The rule that set the mark or ended the walk. For an unknown outcome, the first unknown rule.
    static std::optional<Decision> decide(MarkFault const& fault, RulesFor const& rules) {
        auto const direction = fault.packets.sent_here ? Direction::leaving : Direction::entering;
        std::optional<Decision> doubtful;
        std::optional<Decision> led; // into a chain, perhaps
        std::optional<Decision> gave;
        std::optional<Decision> ended;
        rules.trace(direction, fault.packets.witness, [&](TraceStep const& step) {
            if (step.match == TraceStep::Match::no)
                return;
            auto const& target = step.rule->then;
            bool const leads = std::holds_alternative<Jump>(target) || std::holds_alternative<Goto>(target);
            bool const is_unknown =
                std::holds_alternative<UnknownTarget>(target) || std::holds_alternative<UnknownMark>(target) ||
                std::holds_alternative<RestoreMark>(target) || std::holds_alternative<Dnat>(target) ||
                (std::holds_alternative<MapMark>(target) && !step.is_mark_known);
            Decision const decision{std::string(step.table),
                                    std::string(step.chain),
                                    step.number,
                                    step.words(),
                                    is_own_rule(step.table, step.chain, *step.rule),
                                    step.match == TraceStep::Match::yes};
            bool const gives = std::holds_alternative<SetMark>(target) || std::holds_alternative<MapMark>(target) ||
                               std::holds_alternative<RestoreMark>(target);
            bool const is_harmless =
                std::holds_alternative<Continue>(target) || (std::holds_alternative<Drop>(target) && !decision.is_own);
            bool const is_maybe = step.match == TraceStep::Match::maybe;
            if (leads && is_maybe && !led)
                led = decision;
            // Only the first packet of a connection passes nat.
            else if (!leads && !is_harmless && !doubtful && (is_maybe || is_unknown || (gives && step.table == "nat")))
                doubtful = decision;
            if (gives)
                gave = decision;
            else if (!leads && !std::holds_alternative<Continue>(target))
                ended = decision;
        });
        if (fault.kind == MarkFault::Kind::unknown)
            return doubtful ? doubtful : led ? led : gave ? gave : ended;
        auto const& after = fault.packets.after;
        return gave && !after.dropped && !after.readdressed ? gave : ended;
    }

    std::set<Fwmark> const& marks_;
    std::set<Fwmark>
        forwarded_; // the marks of packets that IPVS forwards to where they were sent: a service's, the guard's
    bool may_lack_connection_; // rules may keep packets from having one
    Family family_;
    MarkSpec meaning_;
    Work work_;
    RuleIndex rules_;
    std::optional<std::optional<RulesFor>> drops_; // of the current destination, once they are needed
    Proof proof_;
};

} // namespace

Proof prove(MarkTable const& table, std::set<Fwmark> const& marks, Netfilter const& rules) {
    return Prover(table, marks, rules).run();
}

std::set<Fwmark> own_marks(Plan const& plan) {
    std::set<Fwmark> marks;
    for (auto const& service : plan.services)
        marks.insert(service.mark);
    for (auto const& check : plan.checks)
        marks.insert(check.mark);
    if (plan.marks.guard)
        marks.insert(plan.marks.guard->mark);
    return marks;
}

} // namespace lbc
