// The network interfaces of this process's network namespace, with their MACs and addresses, as rtnetlink(7) lists
// them. /sys/class/net is not asked: it shows the namespace that it was mounted in.
#pragma once

#include "backends/system_error.hpp"
#include "compiler/types.hpp"

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
    std::optional<MacAddress> mac; // its present one; none: no Ethernet, or all zero
    int index = 0;                 // in this network namespace, from 1
    int master = 0;                // the index of the bond or bridge that it is part of; 0: none
    int lower = 0;                 // the index of the interface that a VLAN is on; 0: none
    bool is_up = false;            // it was set up, whether or not there is a carrier
    std::vector<InterfaceAddress> addresses;

    friend bool operator==(Interface const&, Interface const&) = default;
};

/// All of them, in the kernel's order. It needs no right.
[[nodiscard]] std::expected<std::vector<Interface>, SystemError> read_interfaces();

} // namespace lbc
