// The transaction that brings both mangle tables to what is wanted: everything that can be refused comes first, then
// one kernel call for each family that differs, IPv4 before IPv6, then both are read back. A failure on the way is
// undone. The xtables lock is held from the first look to the last.
#pragma once

#include "backends/kernel.hpp"

#include <array>
#include <vector>

namespace lbc {

/// What is wanted of each family, in the order of `families`; an empty Ruleset takes everything of lbc's away.
using MarkRules = std::array<Ruleset, families.size()>;

struct ApplyOptions {
    std::chrono::milliseconds wait{5000}; // for the xtables lock
    bool dry_run = false;                 // finds what differs and whether it could be written, and stops there
};

/// A family whose table differed.
struct FamilyChange {
    Family family{};
    Ruleset before;
    Ruleset after;
};

struct ApplyFailure {
    /// The exit statuses 3, 4 and 5 of the command.
    enum class Outcome : std::uint8_t {
        refused,     // nothing was touched
        taken_back,  // the tables are as they were
        left_behind, // `left` is in the tables and should not be
    };

    Outcome outcome = Outcome::refused;
    SystemError error;             // the first thing that went wrong
    std::vector<std::string> left; // "IPv4 mangle table: chain LBC, 3 rules"
};

/// Gives the families that were changed (would be, in a dry run); none where the tables are as wanted, and then nothing
/// was written. A family that the kernel lacks is passed over if nothing is wanted there.
[[nodiscard]] std::expected<std::vector<FamilyChange>, ApplyFailure>
apply_marks(Kernel& kernel, MarkRules const& wanted, ApplyOptions const& options = {});

/// Takes all of lbc's chains and hooks out of both tables.
[[nodiscard]] std::expected<std::vector<FamilyChange>, ApplyFailure> remove_marks(Kernel& kernel,
                                                                                  ApplyOptions const& options = {});

} // namespace lbc
