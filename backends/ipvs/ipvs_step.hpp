// IPVS as steps of a transaction: services that grow before marks lead to them, and shrink once none does; the sync
// daemons; settings of the kernel.
#pragma once

#include "backends/kernel.hpp"
#include "backends/transaction.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lbc {

/// What IPVS is to have, of what is lbc's.
struct IpvsWanted {
    std::vector<IpvsService> services;
    std::vector<SyncDaemon> daemons;
    Sysctls sysctls;
    std::optional<Span> guard{}; // the source of backup_only
    MarkRange range{{}, {}};     // every service with a mark in it is lbc's
    /// Services whose marks lbc's rules set are lbc's as well, as where the script that `compile` emits made them.
    bool rules_tell = false;
    bool leave_services = false; // another program keeps them
    /// Real servers that leave get weight 0 and stay, and services that leave stay.
    bool drain = false;
};

/// What IPVS needs. The steps refer to `ipvs`.
struct IpvsPlan {
    std::shared_ptr<Ipvs> ipvs;        // none where nothing is wanted of a kernel without IPVS
    Steps before_marks;                // what is new or changes
    Steps after_marks;                 // what leaves
    std::vector<IpvsChange> changes;   // writes of services and real servers, in order
    std::vector<std::string> settings; // "start the master sync daemon on eth1"
    Sysctls sysctls;                   // that are lbc's then, with their values before
    std::vector<IpvsService> leaving;  // services and real servers that `drain` has kept, with their connections
};

/// Reads what is there and compares it. `owns` tells lbc's services among the kernel's; `record` what else is lbc's.
[[nodiscard]] std::expected<IpvsPlan, SystemError>
plan_ipvs(Kernel& kernel, IpvsWanted const& wanted, std::function<bool(Fwmark)> const& owns, Record const& record);

} // namespace lbc
