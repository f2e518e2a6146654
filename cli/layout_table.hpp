// What each layout of a site's rules costs, for people who choose one: `compile -v`.
#pragma once

#include "cli/site_input.hpp"

#include <span>
#include <string>

namespace lbc {

/// A line for each layout of each director and family, aligned; the one that is taken is marked.
[[nodiscard]] std::string layout_table(SiteInput const& input, std::span<Plan const> plans);

} // namespace lbc
