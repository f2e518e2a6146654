// A family's mangle table as a step of a transaction: one kernel call brings it to what is wanted. Sets that its rules
// ask are filled before it under names of their own, and those that none asks any more go behind it.
#pragma once

#include "backends/kernel.hpp"
#include "backends/transaction.hpp"

#include <array>
#include <vector>

namespace lbc {

/// What is wanted of each family, in the order of `families`; an empty Ruleset takes everything of lbc's away.
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
    Steps steps;                       // IPv4 before IPv6; none for what is as wanted
    std::vector<FamilyChange> changes; // one for each family that has steps
    std::vector<Fwmark> marks;         // that lbc's rules set now, in either family; without 0
};

/// What is lbc's in each table now, as `before`, beside what is wanted; also where both are the same. A family that the
/// kernel lacks has nothing. Writes nothing.
[[nodiscard]] std::expected<std::vector<FamilyChange>, SystemError> compare_marks(Kernel& kernel,
                                                                                  MarkRules const& wanted);

/// The marks that rules set, without 0.
[[nodiscard]] std::vector<Fwmark> marks_of(Ruleset const& rules);

/// Reads both tables, and asks whether what differs could be written. A family that the kernel lacks is passed over if
/// nothing is wanted there.
[[nodiscard]] std::expected<MarkPlan, SystemError> plan_marks(Kernel& kernel, MarkRules const& wanted);

} // namespace lbc
