// Removes the own chains from the mangle tables of iptables-nft, which a script has loaded, when another backend marks.
// lbc adds to such tables only to roll a removal back.
#pragma once

#include "backends/apply/mangle_step.hpp"
#include "backends/iptables/variant_tables.hpp"

#include <expected>
#include <vector>

namespace lbc {

/// The own rules of each family's table that has any, as changes that remove them.
[[nodiscard]] std::expected<std::vector<FamilyChange>, SystemError> read_variants(VariantTables& tables);

/// Steps that remove the own chains from both tables; none if there are none. Checks first that the removal and its
/// rollback would be accepted.
[[nodiscard]] std::expected<MarkPlan, SystemError> plan_variants_leave(VariantTables& tables);

} // namespace lbc
