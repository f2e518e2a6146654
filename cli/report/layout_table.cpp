#include "cli/report/layout_table.hpp"

#include "compiler/layout/cost.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc {
namespace {

constexpr std::size_t packets = 1000;
constexpr auto row = "  {:<9}{:>6}{:>9}{:>7}{:>12}{:>9}{:>8}{:>9}\n";
constexpr double kibibyte = 1024;

std::string table_of(SiteInput const& input, Plan const& plan, Family family) {
    auto const taken = input.layout(input.site, plan.marks, family);
    if (taken.empty())
        return {};
    auto text = fmt::format("{} {}: rules that a packet for a service walks\n", input.site[plan.director].name.value,
                            title(family));
    text += fmt::format(row, "layout", "best", "mean", "worst", "time", "rules", "chains", "memory");
    for (auto const& [name, layout] : layouts) {
        if (layout == layout_auto)
            continue;
        auto const rules = layout(input.site, plan.marks, family);
        auto const cost = layout_cost(rules, plan.marks, packets);
        text += fmt::format(row, rules == taken ? fmt::format("{} *", name) : name, cost.rules.best,
                            fmt::format("{:.0f}", cost.rules.mean), cost.rules.worst,
                            fmt::format("{:.0f} ns", cost.nanoseconds), cost.all_rules, cost.chains,
                            fmt::format("{:.0f} KiB", static_cast<double>(cost.bytes) / kibibyte));
    }
    return text;
}

} // namespace

std::string layout_table(SiteInput const& input, std::span<Plan const> plans) {
    std::string text;
    for (auto const& plan : plans)
        for (auto const family : families)
            text += table_of(input, plan, family);
    return text;
}

} // namespace lbc
