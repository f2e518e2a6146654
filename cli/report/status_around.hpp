// Conditions beside rules, services and settings that decide whether packets are balanced, for `lbc status`: this
// machine, foreign rules, keepalived, and who holds the VIPs. `lbc apply` fixes none of them.
#pragma once

#include "backends/apply/address_conflicts.hpp"
#include "cli/report/machine_report.hpp"
#include "cli/report/mark_check.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// keepalived, if it is to hold the services.
struct KeepalivedView {
    bool runs = false;          // with the file that was named
    bool has_site_file = false; // the file is the one that the site makes
    std::string unknown;        // why it is unknown whether it runs; empty: it is known
};

/// A VIP that is one address.
struct VipView {
    IpAddress address;
    std::string interface; // that has it; empty: none, or only `lo`, as on a real server
};

struct StatusAround {
    MachineFindings machine;
    std::optional<MarkCheck> marks; // of packets, after all rules; none: the site is too large for this proof
    std::vector<AddressConflict> conflicts;
    std::optional<KeepalivedView> keepalived; // none: the services are lbc's
    bool is_held_by_keepalived = false;       // and yet a keepalived holds services in IPVS
    std::vector<VipView> vips;                // none if this machine's interfaces are unknown

    /// The number of problems that `lbc apply` does not fix. `rules_differ`: it has rules to fix, so wrong marks count
    /// only if a foreign rule overrides them or the rules are unreadable.
    [[nodiscard]] std::size_t problems(bool rules_differ) const;
};

/// VIPs of the services that a director balances, in the order of the site.
[[nodiscard]] std::vector<VipView> vips_here(Site const& site, DirectorId director,
                                             std::vector<Interface> const& interfaces);

/// A line each.
[[nodiscard]] std::string around_text(StatusAround const& around, std::string_view director);
/// Adds its fields to an object of docs/schema/status.schema.json.
void add_around(nlohmann::ordered_json& object, StatusAround const& around);
/// Prometheus's text exposition format, version 0.0.4.
[[nodiscard]] std::string around_prometheus(StatusAround const& around, std::string_view director);

} // namespace lbc
