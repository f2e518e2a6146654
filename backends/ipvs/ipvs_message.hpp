// IPVS's netlink attributes (linux/ip_vs.h), in and out. What comes in is checked for its size; a message that lacks
// what it must have gives nothing. Only for the sources of this folder.
#pragma once

#include "backends/ipvs/ipvs.hpp"

#include <netlink/attr.h>

namespace lbc {

/// Puts a service's key, and with `parameters` what can be changed of it, into a request.
[[nodiscard]] bool put_service(nl_msg* message, IpvsKey key, IpvsParameters const* parameters);
/// Puts a real server; with `key_only` what it is found by alone.
[[nodiscard]] bool put_real(nl_msg* message, Destination const& real, bool key_only);
[[nodiscard]] bool put_daemon(nl_msg* message, SyncDaemon const& daemon, bool role_only);

/// A message of a dump of services; nothing for one that is found by its address.
[[nodiscard]] std::optional<IpvsService> read_service(nlattr* attributes, int length);
/// The same of one that is found by its address.
[[nodiscard]] std::optional<IpvsAddress> read_address(nlattr* attributes, int length);
/// `family` is the service's, for kernels that do not tell the real server's.
[[nodiscard]] std::optional<IpvsReal> read_real(nlattr* attributes, int length, Family family);
[[nodiscard]] std::optional<SyncDaemon> read_daemon(nlattr* attributes, int length);

} // namespace lbc
