#include "compiler/analysis/compare.hpp"

namespace lbc {
namespace {

/// Ignores who decides: only the outcome matters.
void forget_who(Outcomes& outcomes) {
    for (auto& outcome : outcomes)
        outcome.by_others = false;
    outcomes.erase(std::ranges::unique(outcomes).begin(), outcomes.end());
}

Differs differs(Outcomes before, Outcomes after, Packet const& /*packet*/) {
    forget_who(before);
    forget_who(after);
    return before == after ? Differs::no : Differs::surely;
}

} // namespace

bool MarkChange::from_others() const {
    return std::ranges::any_of(sources, [](auto const& source) { return source.kind == SourceClass::Kind::other; });
}

std::vector<MarkChange> compare_rulesets(Ruleset const& before, Ruleset const& after, Work& work) {
    if (before == after)
        return {};
    RuleIndex const old(before, &work);
    RuleIndex const wanted(after, &work);
    auto prefixes = old.destinations();
    prefixes.insert(prefixes.end(), wanted.destinations().begin(), wanted.destinations().end());
    std::vector<MarkChange> changes;
    for (auto const& destination : destination_classes(after.family, std::move(prefixes))) {
        if (work.is_spent())
            break;
        auto const from = old.at(destination.prefix);
        auto const to = wanted.at(destination.prefix);
        if (from == to)
            continue;
        SplitPoints borders;
        borders.add(from);
        borders.add(to);
        borders.macs.erase(MacAddress{}); // no host's: a frame from it counts as one without a MAC and is not reported
        PacketPartition const cuts(borders);
        DestinationComparison comparison(destination, from, to, cuts, work, differs);
        comparison.entering({}, changes);
        for (auto const carried : cuts.leaving)
            comparison.leaving(carried, changes);
    }
    for (auto& change : changes)
        change.before.by_others = change.after.by_others = false;
    return changes;
}

} // namespace lbc
