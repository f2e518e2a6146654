// The mangle tables as steps of a transaction: one kernel call changes a family's table to what is wanted. Sets that
// its rules use are written before the call, sets that no rule uses any more are removed after it.
#pragma once

#include "backends/apply/kernel.hpp"
#include "backends/apply/transaction.hpp"

#include <array>
#include <vector>

namespace lbc {

/// The wanted rules of each family, in the order of `families`. An empty Ruleset removes all own rules.
using MarkRules = std::array<Ruleset, families.size()>;

/// A family whose table differs.
struct FamilyChange {
    Family family{};
    Ruleset before;
    Ruleset after;
    bool is_variant = false; // the table of iptables-nft, not the legacy one
};

/// What the mangle tables need.
struct MarkPlan {
    Steps steps;                       // IPv4 before IPv6; none for a family that is as wanted
    std::vector<FamilyChange> changes; // one for each family that has steps
    std::vector<Fwmark> marks;         // that own rules set now, in either family; without 0
};

/// The own rules of each table now, as `before`, and the wanted ones, as `after`; also if both are equal. A family that
/// the kernel lacks has no own rules. Writes nothing.
[[nodiscard]] std::expected<std::vector<FamilyChange>, SystemError> compare_marks(Kernel& kernel,
                                                                                  MarkRules const& wanted);

/// The marks that rules set, without 0.
[[nodiscard]] std::vector<Fwmark> marks_of(Ruleset const& rules);

/// Reads both tables, and checks that the kernel can take what differs. Skips a family that the kernel lacks if nothing
/// is wanted there.
[[nodiscard]] std::expected<MarkPlan, SystemError> plan_marks(Kernel& kernel, MarkRules const& wanted);

} // namespace lbc
