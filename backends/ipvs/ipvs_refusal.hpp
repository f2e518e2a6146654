// Turns an errno of IPVS into an error that names the refused write and its cause.
#pragma once

#include "backends/ipvs/ipvs.hpp"

namespace lbc {

/// "the kernel cannot add service fwmark 0x3 (IPv4), twos: it has no scheduler `twos` (module ip_vs_twos)"
[[nodiscard]] SystemError ipvs_refusal(IpvsChange const& change, int code);

/// "cannot start the master sync daemon on eth9: No such device; this box has no interface eth9 that is up"
[[nodiscard]] SystemError ipvs_daemon_refusal(SyncDaemon const& daemon, int code);

[[nodiscard]] std::string_view title(SyncDaemon::Role role);

/// The error of a call that writes no service: `what` is "read the virtual services".
[[nodiscard]] SystemError ipvs_error(std::string_view what, int code);

} // namespace lbc
