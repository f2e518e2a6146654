#include "compiler/analysis/mark_effects.hpp"

namespace lbc {

Outcome marked(Outcome outcome, SetMark const& set) {
    if (set.mask == whole_mark)
        return Outcome::pass(set.mark);
    if (!outcome.unknown) {
        outcome.open &= ~set.mask;
        outcome.mark.value = ((outcome.mark.value & ~set.mask) ^ set.mark.value) & ~outcome.open;
    }
    return outcome;
}

Outcome opened(Outcome outcome, std::uint32_t mask) {
    if (outcome.unknown || mask == whole_mark)
        return Outcome::anything(true);
    outcome.open |= mask;
    outcome.mark.value &= ~outcome.open;
    outcome.by_others = true;
    return outcome;
}

Outcomes restored(Outcome const& outcome, RestoreMark const& restore, ConnectionMarks const& marks,
                  bool has_connection) {
    Outcomes outcomes;
    if (!has_connection)
        outcomes.push_back(outcome);
    if (!marks) {
        outcomes.push_back(opened(outcome, restore.cleared | restore.flipped | restore.restored));
        return outcomes;
    }
    for (auto const mark : *marks) {
        auto given = marked(outcome, {Fwmark{restore.flipped ^ (mark & restore.restored)}, restore.cleared});
        given.by_others = true;
        outcomes.push_back(given);
    }
    return outcomes;
}

} // namespace lbc
