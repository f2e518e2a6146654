// What `apply` sets in a kernel beside rules and services, compared with the site once for every command: the sync
// daemons and the kernel settings. Foreign daemons and settings are no difference.
#pragma once

#include "backends/ipvs/ipvs.hpp"
#include "backends/os/host_state.hpp"

#include <optional>
#include <vector>

namespace lbc {

/// A setting of the kernel that the site requires, or that lbc has set.
struct ObservedSetting {
    Sysctl sysctl{};
    int value = 0;
    int site_value = 0; // before lbc set it, if the site no longer requires it

    [[nodiscard]] bool differs() const { return value != site_value; }
};

/// Nothing if neither the site nor the record names it.
[[nodiscard]] std::expected<std::optional<ObservedSetting>, SystemError>
read_setting(HostState& host, Sysctl sysctl, Sysctls const& wanted, Sysctls const& recorded);

/// Whether `running` are the daemons that are wanted.
[[nodiscard]] bool are_met(std::vector<SyncDaemon> const& wanted, std::vector<SyncDaemon> const& running);

} // namespace lbc
