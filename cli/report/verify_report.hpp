// The findings of `lbc verify`, and their two output forms.
#pragma once

#include "backends/apply/address_conflicts.hpp"
#include "cli/report/machine_report.hpp"
#include "compiler/analysis/loops.hpp"
#include "compiler/analysis/verify.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// A mark of the site that leads to no virtual service.
struct MissingService {
    std::string name; // "web", "checks of 10.0.0.1"
    ServiceKey key;
};

struct VerifiedDirector : VerifiedRules {
    bool asks_ipvs = false;                   // the input is a kernel: the following was looked for
    std::vector<AddressConflict> conflicts{}; // in the kernel's IPVS
    std::vector<MissingService> missing{};
    std::optional<MachineFindings> machine{}; // none: this machine was not examined

    [[nodiscard]] std::size_t differences() const;
    [[nodiscard]] bool holds() const { return differences() == 0 && unknown() == 0 && dropped() == 0; }
};

struct VerifyReport {
    Site const* site = nullptr;
    std::vector<VerifiedDirector> directors;
    bool asks_loops = false;
    std::vector<LoopPath> loops; // of all directors together
    bool loops_given_up = false; // there are too many packet classes to look for more

    [[nodiscard]] bool holds() const;
    /// Whether `loops` is complete: no rule is unknown.
    [[nodiscard]] bool knows_loops() const;
};

/// One difference in a line: the packets, their marks, and the rule that decides.
[[nodiscard]] std::string fault_line(MarkFault const& fault, Site const& site, std::string_view director);

[[nodiscard]] std::string verify_text(VerifyReport const& report, bool colour);
/// docs/schema/verify.schema.json
[[nodiscard]] std::string verify_json(VerifyReport const& report);

} // namespace lbc
