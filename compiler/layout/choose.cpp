#include "compiler/layout/cost.hpp"

#include <algorithm>
#include <cstddef>

namespace lbc {
namespace {

constexpr std::ptrdiff_t readable = 200; // classes; with more, nobody reads the rules one by one
constexpr std::size_t asked = 400;       // packets that a layout's cost is measured with
constexpr double worth_a_tree = 50;      // nanoseconds that a packet saves; its whole path takes some 700

} // namespace

Ruleset layout_auto(Site const& site, MarkTable const& table, Family family) {
    auto tree = layout_tree(site, table, family);
    auto const classes = std::ranges::count(table.classes, family, &MarkClass::family);
    if (classes > readable)
        return tree;
    auto linear = layout_linear(site, table, family);
    auto const cost = [&](Ruleset const& rules) { return layout_cost(rules, table, asked).nanoseconds; };
    return cost(linear) - cost(tree) >= worth_a_tree ? tree : linear;
}

} // namespace lbc
