// The output of `apply`, `remove`, `confirm` and `rollback`: changes and failures, as text or as JSON
// (docs/schema/apply.schema.json).
#pragma once

#include "backends/apply/apply.hpp"
#include "cli/program/environment.hpp"
#include "cli/report/machine_report.hpp"
#include "cli/report/mark_check.hpp"
#include "cli/report/site_names.hpp"
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
    std::function<MarkCheck()> check{};       // the marks of packets after the change; none: not requested
};

/// Prints what was changed, or would be.
void print_changes(Changes const& changes, ApplyOutput const& output, Environment const& environment);

/// Prints what failed on standard error, and with JSON on standard output too. Returns the status for it. `sources` has
/// the text that the failure points to, if it points to one.
[[nodiscard]] Status print_apply_failure(ApplyFailure const& failure, Sources const* sources, ApplyOutput const& output,
                                         Environment const& environment);

/// The local time when `time` has passed, with its zone: "23:15:10 CET"; from a day on, with the date.
[[nodiscard]] std::string clock_in(std::chrono::milliseconds time);

} // namespace lbc
