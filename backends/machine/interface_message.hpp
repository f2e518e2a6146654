// Messages of rtnetlink about interfaces and addresses, as values. What does not have the form of one says nothing.
#pragma once

#include "backends/machine/interfaces.hpp"

#include <linux/netlink.h>

#include <optional>
#include <utility>

namespace lbc {

/// RTM_NEWLINK; `message` is whole. Its addresses are in messages of their own.
[[nodiscard]] std::optional<Interface> interface_in(nlmsghdr* message);

/// RTM_NEWADDR; `message` is whole. The index of the interface, and the address on this end of it.
[[nodiscard]] std::optional<std::pair<int, InterfaceAddress>> own_address_in(nlmsghdr* message);

} // namespace lbc
