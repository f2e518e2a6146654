// Compares a site file with this machine, for the commands that change it or read it. The messages are those of
// `backends/observe/compare_machine.hpp`.
#pragma once

#include "cli/input/site_input.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace lbc {

/// The statements of the file that do not hold on this machine.
struct MachineFindings {
    Sources const* sources = nullptr;
    std::vector<Diagnostic> found; // in the order of their places
    std::string unknown;           // why this machine's interfaces are unknown; empty: they are known

    /// Whether the interfaces are known and no finding means that packets may get other marks than the site states.
    [[nodiscard]] bool is_fit_for_marks() const;
};

[[nodiscard]] MachineFindings check_machine(SiteInput const& input, DirectorId director, Host const& host);

/// The messages of an input that are about this machine.
[[nodiscard]] MachineFindings machine_findings(SiteInput const& input);

/// Adds the differences from this machine to a site's own messages, if the machine is a director of the site; `name` is
/// that of `-d`. If the machine's interfaces are unknown, prints why on standard error.
void report_this_machine(SiteInput& input, std::string const& name, Environment const& environment);

/// A line each: "  site.lb:3:9: warning: this machine has … [machine-mac]".
[[nodiscard]] std::string machine_lines(MachineFindings const& findings);
/// A list, as in docs/schema/verify.schema.json; null if the machine's interfaces are unknown.
[[nodiscard]] nlohmann::ordered_json machine_json(MachineFindings const& findings);

} // namespace lbc
