// Finds a remedy for a change that is safe in no order: a third site that all directors get between the old one and the
// new one, so that each of the two steps has a safe order. A site is proposed only after both of its steps are proved
// like any change.
#pragma once

#include "compiler/diff/rollout.hpp"

#include <string>
#include <vector>

namespace lbc {

/// One site that all directors must have before the next one.
struct RolloutStep {
    std::string site;               // "this site, with each director's old MACs listed beside the new ones"
    std::vector<std::string> order; // of the directors; empty: any
};

struct Remedy {
    std::vector<RolloutStep> steps; // in their order, the last with the new site; empty: none was found
    std::string otherwise;          // without steps: what is safe in any case
};

/// For a rollout without a safe order; both sides must have sites.
[[nodiscard]] Remedy find_remedy(Side const& before, Side const& after, Rollout const& rollout);

/// "two steps are: first …, everywhere, then …"
[[nodiscard]] std::string sentence(Remedy const& remedy);

} // namespace lbc
