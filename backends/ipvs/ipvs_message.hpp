// IPVS netlink message codec (linux/ip_vs.h). It checks the size of each attribute that it reads. A message without a
// required attribute gives none. Only for the sources of this folder.
#pragma once

#include "backends/ipvs/ipvs.hpp"

#include <netlink/attr.h>

namespace lbc {

/// Each appends attributes to a request; false if they do not fit. A service: its key, and its settings if `parameters`
/// is not null.
[[nodiscard]] bool put_service(nl_msg* message, ServiceKey key, IpvsParameters const* parameters);
/// A real server; with `key_only` only its address and port.
[[nodiscard]] bool put_real(nl_msg* message, Destination const& real, bool key_only);
[[nodiscard]] bool put_daemon(nl_msg* message, SyncDaemon const& daemon, bool role_only);

/// Reads a message of a dump of services; none for a service that the kernel finds by address.
[[nodiscard]] std::optional<IpvsService> read_service(nlattr* attributes, int length);
/// The same for a service that the kernel finds by address; none for one with a mark.
[[nodiscard]] std::optional<IpvsAddress> read_address(nlattr* attributes, int length);
/// `family` is the service's; it counts if the kernel does not send the real server's own.
[[nodiscard]] std::optional<IpvsReal> read_real(nlattr* attributes, int length, Family family);
[[nodiscard]] std::optional<SyncDaemon> read_daemon(nlattr* attributes, int length);

} // namespace lbc
