// What decides beside rules, services and settings whether packets are balanced, for `lbc status`: this machine, rules
// of others, keepalived, and who holds the VIPs. `lbc apply` mends none of it.
#pragma once

#include "cli/address_conflicts.hpp"
#include "cli/machine.hpp"
#include "cli/mark_check.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// keepalived, where it is to hold the services.
struct KeepalivedView {
    bool runs = false;          // with the file that was named
    bool has_site_file = false; // the file is the one that the site makes
    std::string unknown;        // why it cannot be told whether it runs; empty: it can
};

/// A VIP that is one address.
struct VipView {
    IpAddress address;
    std::string interface; // that has it; empty: none has, or `lo` alone, as on a real server
};

struct StatusAround {
    MachineFindings machine;
    std::optional<MarkCheck> marks; // of packets, by all rules; none: the site is too large to be proved by the way
    std::vector<AddressConflict> conflicts;
    std::optional<KeepalivedView> keepalived; // none: the services are lbc's
    std::vector<VipView> vips;                // none where this machine's interfaces are not known

    /// What is wrong that `lbc apply` does not mend. `rules_differ`: it has rules to mend, so marks are not right yet.
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
