// What `apply`, `remove`, `confirm` and `rollback` say: changes and failures, as text or as JSON
// (docs/schema/apply.schema.json).
#pragma once

#include "backends/apply.hpp"
#include "cli/machine.hpp"
#include "cli/mark_check.hpp"
#include "cli/run.hpp"
#include "cli/site_names.hpp"
#include "grammar/source.hpp"

#include <functional>
#include <string_view>

namespace lbc {

struct ApplyOutput {
    std::string_view who; // the director, or "remove"
    bool json = false;
    bool dry_run = false;
    bool verbose = false;                     // each rule and each write, too
    SiteNames const* names = nullptr;         // of the file's services; null: none is known
    MachineFindings const* machine = nullptr; // null: no site, or none of this machine
    std::function<MarkCheck()> check{};       // what marks packets get after the change; none: nobody asked
};

/// What was changed, or would be.
void print_changes(Changes const& changes, ApplyOutput const& output, Environment const& environment);

/// Says what failed, on standard error, with JSON on standard output too, and gives the status for it. `sources` has
/// the text that the failure's place is in, if it has one.
[[nodiscard]] Status print_apply_failure(ApplyFailure const& failure, Sources const* sources, ApplyOutput const& output,
                                         Environment const& environment);

} // namespace lbc
