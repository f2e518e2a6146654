// Reads and writes kernel settings in /proc/sys.
#pragma once

#include "backends/os/sysctl.hpp"
#include "backends/os/system_error.hpp"

#include <expected>
#include <iosfwd>
#include <set>
#include <string>

namespace lbc {

[[nodiscard]] std::expected<int, SystemError> read_sysctl_file(Sysctl sysctl);

/// `value` has one digit.
[[nodiscard]] std::expected<void, SystemError> write_sysctl_file(Sysctl sysctl, int value);

/// Checks that a write costs this box nothing else: with IPv6 forwarding Linux drops the default routes that come from
/// router advertisements (rt6_purge_dflt_routers). The error states the way out.
[[nodiscard]] std::expected<void, SystemError> may_write_sysctl_file(Sysctl sysctl, int value);

/// The devices of such routes, in /proc/net/ipv6_route's form.
[[nodiscard]] std::set<std::string> advertised_routes(std::istream& routes);

} // namespace lbc
