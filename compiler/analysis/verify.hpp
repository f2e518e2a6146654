// The proof of a director's rules against its site, for every command that has both.
#pragma once

#include "compiler/analysis/prove.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/rules/ruleset.hpp"

#include <string>
#include <vector>

namespace lbc {

/// One family's rules of a director, compared with the site.
struct VerifiedFamily {
    Family family{};
    std::vector<std::string> tables; // that were verified, in their order
    std::size_t rules = 0;           // in them
    Proof proof;                     // `dropped`: drops that the file permits or that hit no client; others are faults
};

/// All rules of a director, compared with the site.
struct VerifiedRules {
    std::string director;
    std::vector<VerifiedFamily> families;
    std::vector<Family> unasked; // with services in the site, but without given rules

    /// Packets that have another mark.
    [[nodiscard]] std::size_t differences() const;
    /// Packets whose mark is not known; a proof that was given up is one.
    [[nodiscard]] std::size_t unknown() const;
    /// Packets that foreign rules drop.
    [[nodiscard]] std::size_t dropped() const;
};

/// Compares the rules of a director, own and foreign, with what the site states for it.
[[nodiscard]] VerifiedRules verify_rules(Site const& site, Plan const& plan, FamilyRules const& rules);

} // namespace lbc
