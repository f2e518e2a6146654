// Kernel settings in /proc/sys.
#pragma once

#include "backends/sysctl.hpp"
#include "backends/system_error.hpp"

#include <expected>
#include <iosfwd>
#include <set>
#include <string>

namespace lbc {

[[nodiscard]] std::expected<int, SystemError> read_sysctl_file(Sysctl sysctl);

/// `value` has one digit.
[[nodiscard]] std::expected<void, SystemError> write_sysctl_file(Sysctl sysctl, int value);

/// Whether this box keeps what it has when a setting is written: with IPv6 forwarding Linux drops the default routes
/// that come from router advertisements (rt6_purge_dflt_routers). The error says what to do.
[[nodiscard]] std::expected<void, SystemError> may_write_sysctl_file(Sysctl sysctl, int value);

/// The devices of such routes, in /proc/net/ipv6_route's form.
[[nodiscard]] std::set<std::string> advertised_routes(std::istream& routes);

} // namespace lbc
