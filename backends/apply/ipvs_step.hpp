// IPVS as steps of a transaction: additions and changes of services before marks lead to them, removals once no mark
// does, the sync daemons, and kernel settings. Foreign services, daemons and settings stay unchanged.
#pragma once

#include "backends/apply/kernel.hpp"
#include "backends/apply/transaction.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lbc {

/// What is wanted of IPVS, without foreign services.
struct IpvsWanted {
    std::vector<IpvsService> services;
    std::vector<SyncDaemon> daemons;
    Sysctls sysctls;
    std::optional<Span> guard{}; // of the statement that asks for backup_only
    MarkRange range{{}, {}};     // lbc owns every service with a mark in it
    /// Services whose marks lbc's rules set are own, too. This covers services that the script of `compile` made.
    bool rules_tell = false;
    bool leave_services = false; // another program maintains them
    /// Real servers that leave stay with weight 0, and services that leave stay.
    bool drain = false;
};

/// What IPVS needs. The steps refer to `ipvs`.
struct IpvsPlan {
    std::shared_ptr<Ipvs> ipvs;        // null if nothing is wanted and the kernel has no IPVS
    Steps before_marks;                // additions and changes
    Steps after_marks;                 // removals
    std::vector<IpvsChange> changes;   // writes of services and real servers, in order
    std::vector<std::string> settings; // "run the sync daemons on eth1 with id 1"
    Sysctls sysctls;                   // owned after the change, with the values before lbc set them
    std::vector<IpvsService> leaving;  // services that `drain` keeps, in whole or in part, with their connections
};

/// Reads IPVS and compares it with `wanted`. `owns` tells own services from foreign ones by their mark; `record` lists
/// the own settings and whether the sync daemons are own.
[[nodiscard]] std::expected<IpvsPlan, SystemError>
plan_ipvs(Kernel& kernel, IpvsWanted const& wanted, std::function<bool(Fwmark)> const& owns, Record const& record);

} // namespace lbc
