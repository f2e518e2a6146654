// Checks the site's marks against all rules of this machine's kernel, own and foreign. This is the check of `lbc
// verify`, for other commands. It has the same bound as `verify`, and it never fails: what cannot be read is unknown.
#pragma once

#include "backends/apply/kernel.hpp"
#include "compiler/plan/plan.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace lbc {

struct MarkCheck {
    /// Lines of this many differences are kept.
    static constexpr std::size_t most_lines = 3;

    std::size_t by_others = 0; // kinds of packets with another mark, if a foreign rule decides
    std::size_t by_own = 0;    // kinds of packets with another mark, if an own rule decides, or none
    std::size_t dropped = 0;   // kinds of packets that foreign rules drop, although the site does not permit such drops
    std::size_t unknown = 0;   // kinds of packets with an unknown mark; a proof that was given up is one
    std::vector<std::string> lines; // the first of these, each with the rule that decides
    std::string unreadable;         // why nothing is known; empty: the rules were read

    [[nodiscard]] bool holds() const { return by_others + by_own + dropped + unknown == 0 && unreadable.empty(); }
    /// "overridden by a foreign rule", "unknown: …"; only if it does not hold.
    [[nodiscard]] std::string title() const;
};

[[nodiscard]] MarkCheck check_marks(Site const& site, Plan const& plan, Kernel& kernel);

/// docs/schema/apply.schema.json
[[nodiscard]] nlohmann::ordered_json json_of(MarkCheck const& check);

} // namespace lbc
