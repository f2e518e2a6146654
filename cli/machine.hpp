// A site file beside this machine, for the commands that act on it or look at it. Messages are those of
// `backends/machine/compare_machine.hpp`.
#pragma once

#include "cli/site_input.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace lbc {

/// What of the file is not so on this machine.
struct MachineFindings {
    Sources const* sources = nullptr;
    std::vector<Diagnostic> found; // in the order of their places
    std::string unknown;           // why this machine's interfaces are not known; empty: they are

    /// Whether nothing of it says that packets may get other marks than the site says.
    [[nodiscard]] bool is_fit_for_marks() const;
};

[[nodiscard]] MachineFindings check_machine(SiteInput const& input, DirectorId director, Host const& host);

/// Those messages of an input that are about its machine.
[[nodiscard]] MachineFindings machine_findings(SiteInput const& input);

/// Adds to a site's own messages what is not so on this machine, where it is a director of the site; `name` is that
/// of `-d`. What keeps the machine from being compared is said on standard error.
void report_this_machine(SiteInput& input, std::string const& name, Environment const& environment);

/// A line each: "  site.lb:3:9: warning: this machine has … [machine-mac]".
[[nodiscard]] std::string machine_lines(MachineFindings const& findings);
/// A list, as docs/schema/verify.schema.json has it; null where the machine's interfaces are not known.
[[nodiscard]] nlohmann::ordered_json machine_json(MachineFindings const& findings);

} // namespace lbc
