// The proof of a director's rules against its site, for every command that has both.
#pragma once

#include "cli/dumps.hpp"
#include "cli/verify_report.hpp"
#include "compiler/plan.hpp"

namespace lbc {

/// The rules of a director, those of others among them, against what the site says of it.
[[nodiscard]] VerifiedDirector verify_rules(Site const& site, Plan const& plan, Dump const& dump);

} // namespace lbc
