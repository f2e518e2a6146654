// The cost of a layout: how many rules a packet walks, and about how long that takes.
#pragma once

#include "compiler/layout/layout.hpp"

#include <cstddef>
#include <string>

namespace lbc {

struct LayoutCost {
    /// The rules that packets walk. The packets are sent by clients to the site's services, two for a class: one for
    /// its first port and one for its last.
    struct Walked {
        std::size_t best = 0;
        double mean = 0;
        std::size_t worst = 0;
    };
    Walked rules;
    double nanoseconds = 0; // the mean, with the weights of cost.cpp; only for comparisons
    std::size_t all_rules = 0;
    std::size_t chains = 0;
    std::size_t bytes = 0; // kernel memory of rules and sets, without counters
};

/// Measures with two packets of each class. Of many classes it takes an even sample, so that there are at most about
/// twice `packets` packets.
[[nodiscard]] LayoutCost layout_cost(Ruleset const& rules, MarkTable const& table, std::size_t packets);

} // namespace lbc
