// The cost of each layout of a site's rules, for people who choose one: `compile -v`.
#pragma once

#include "cli/input/site_input.hpp"

#include <span>
#include <string>

namespace lbc {

/// A line for each layout of each director and family, aligned; the chosen one is marked.
[[nodiscard]] std::string layout_table(SiteInput const& input, std::span<Plan const> plans);

} // namespace lbc
