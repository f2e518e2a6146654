// What `apply`, `remove`, `confirm` and `rollback` say: changes and failures, as text or as JSON
// (docs/schema/apply.schema.json).
#pragma once

#include "backends/apply.hpp"
#include "cli/machine.hpp"
#include "cli/mark_check.hpp"
#include "cli/run.hpp"
#include "grammar/source.hpp"

#include <optional>
#include <string_view>

namespace lbc {

struct ApplyOutput {
    std::string_view who; // the director, or "remove"
    bool json = false;
    bool dry_run = false;
    MachineFindings const* machine = nullptr; // null: no site, or none of this machine
    std::optional<MarkCheck> marks{};         // that packets get after the change; none: nobody asked
};

/// What was changed, or would be.
void print_changes(Changes const& changes, ApplyOutput const& output, Environment const& environment);

/// Says what failed, on standard error, with JSON on standard output too, and gives the status for it. `sources` has
/// the text that the failure's place is in, if it has one.
[[nodiscard]] Status print_apply_failure(ApplyFailure const& failure, Sources const* sources, ApplyOutput const& output,
                                         Environment const& environment);

} // namespace lbc
