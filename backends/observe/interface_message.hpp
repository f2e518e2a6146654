// Reads rtnetlink messages about interfaces and addresses. A malformed message gives none.
#pragma once

#include "backends/observe/interfaces.hpp"

#include <linux/netlink.h>

#include <optional>
#include <utility>

namespace lbc {

/// Reads an RTM_NEWLINK; `message` must be whole. The interface's addresses come in messages of their own.
[[nodiscard]] std::optional<Interface> interface_in(nlmsghdr* message);

/// Reads an RTM_NEWADDR; `message` must be whole. Returns the index of the interface, and the address of this end of
/// it.
[[nodiscard]] std::optional<std::pair<int, InterfaceAddress>> own_address_in(nlmsghdr* message);

} // namespace lbc
