// Plans and makes a change in one call.
#pragma once

#include "backends/apply/apply.hpp"

namespace lbc::test {

inline std::expected<Changes, ApplyFailure> apply(Kernel& kernel, Wanted const& wanted, bool dry_run = false) {
    auto transaction = Transaction::plan(kernel, wanted, std::chrono::seconds(5));
    if (!transaction)
        return std::unexpected(transaction.error());
    if (!dry_run) {
        if (auto done = transaction->run(); !done)
            return std::unexpected(done.error());
    }
    return transaction->changes();
}

/// The mangle tables alone.
inline std::expected<std::vector<FamilyChange>, ApplyFailure> apply_marks(Kernel& kernel, MarkRules const& wanted,
                                                                          bool dry_run = false) {
    auto changes = apply(kernel, {.marks = wanted, .ipvs = std::nullopt}, dry_run);
    if (!changes)
        return std::unexpected(changes.error());
    return changes->marks;
}

} // namespace lbc::test
