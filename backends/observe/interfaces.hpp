// The network interfaces of this process's network namespace, with their MACs and addresses, as rtnetlink(7) lists
// them. lbc does not read /sys/class/net: it shows the namespace in which it was mounted.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/base/types.hpp"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// An address of an interface.
struct InterfaceAddress {
    IpAddress address;
    int length = 0; // of its network, 0 to address.bits()

    friend bool operator==(InterfaceAddress const&, InterfaceAddress const&) = default;
};

struct Interface {
    std::string name;
    std::string kind;              // "bond", "bridge", "vlan", "veth"; empty: a device
    std::optional<MacAddress> mac; // its present one; none: not Ethernet, or all zero
    int index = 0;                 // in this network namespace, from 1
    int master = 0;                // the index of the bond or bridge that it belongs to; 0: none
    int lower = 0;                 // the index of the interface below a VLAN; 0: none
    bool is_up = false;            // it is set up, with or without a carrier
    std::vector<InterfaceAddress> addresses;

    friend bool operator==(Interface const&, Interface const&) = default;
};

/// All interfaces, in the kernel's order. Needs no capability.
[[nodiscard]] std::expected<std::vector<Interface>, SystemError> read_interfaces();

} // namespace lbc
