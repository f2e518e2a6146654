// What a layout costs: how many rules a packet walks, and about how long that takes it.
#pragma once

#include "compiler/layout/layout.hpp"

#include <cstddef>
#include <string>

namespace lbc {

struct LayoutCost {
    /// Of packets for the site's services, each from a client, one for each class and bound of ports.
    struct Walked {
        std::size_t best = 0;
        double mean = 0;
        std::size_t worst = 0;
    };
    Walked rules;
    double nanoseconds = 0; // the mean, by the weights of cost.cpp; good for comparing, not for a promise
    std::size_t all_rules = 0;
    std::size_t chains = 0;
    std::size_t bytes = 0; // that the kernel keeps of them, counters aside
};

/// Asks at most `packets` packets, evenly chosen among the classes.
[[nodiscard]] LayoutCost layout_cost(Ruleset const& rules, MarkTable const& table, std::size_t packets);

} // namespace lbc
