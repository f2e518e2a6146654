// What all rules of this machine's kernel, those of others among them, make of the site's marks: the question of `lbc
// verify`, for commands that have another one of their own. It is bounded as `verify` is, and it never fails: what
// cannot be read is unknown.
#pragma once

#include "backends/kernel.hpp"
#include "compiler/plan.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace lbc {

struct MarkCheck {
    /// Lines of this many differences are kept.
    static constexpr std::size_t most_lines = 3;

    std::size_t by_others = 0; // kinds of packets with another mark, where a rule that is not lbc's decides
    std::size_t by_own = 0;    // kinds of packets with another mark, where a rule of lbc's decides, or none
    std::size_t dropped = 0;   // kinds of packets that rules of others drop, and the site does not say that they may
    std::size_t unknown = 0;   // kinds of packets of which it cannot be told; a proof that was given up is one
    std::vector<std::string> lines; // the first of these, each with the rule that decides
    std::string unreadable;         // why nothing is known; empty: the rules were read

    [[nodiscard]] bool holds() const { return by_others + by_own + dropped + unknown == 0 && unreadable.empty(); }
    /// "overridden by a rule of others", "unknown, …"; for what does not hold.
    [[nodiscard]] std::string title() const;
};

[[nodiscard]] MarkCheck check_marks(Site const& site, Plan const& plan, Kernel& kernel);

/// docs/schema/apply.schema.json
[[nodiscard]] nlohmann::ordered_json json_of(MarkCheck const& check);

} // namespace lbc
