// A layout as a value: how a mark table is arranged as rules. `compiler/layout/` has all of them.
#pragma once

#include "compiler/plan/plan.hpp"
#include "compiler/rules/ruleset.hpp"

namespace lbc {

/// Makes the rules of one family; none if the table has no class of that family.
using Layout = Ruleset (*)(Site const&, MarkTable const&, Family);

} // namespace lbc
