// Writes the resolved site and every director's plan as JSON, for programs. `docs/schema/plan.schema.json` describes
// each field; the number in its `format` grows with every change that could break a reader.
#pragma once

#include "compiler/layout/layout.hpp"
#include "grammar/source.hpp"

#include <span>
#include <string>

namespace lbc {

/// Two spaces of indent and a line break at the end; equal input gives equal bytes. Lists are always present, even if
/// empty; a single value that the site lacks is absent. Marks are numbers; the names of times state their unit. Bytes
/// that are no UTF-8 become U+FFFD. `sources` has the files that the site's spans point into.
[[nodiscard]] std::string json_text(Site const& site, Sources const& sources, std::span<Plan const> plans,
                                    Layout layout);

} // namespace lbc
