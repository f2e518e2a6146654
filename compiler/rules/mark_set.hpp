// Kernel sets that map packets to marks (ipset(8), type hash:ip,port with skbinfo); one rule looks a packet up in a
// set. The name of an own set is derived from its entries, so rules that name the same set mean the same. A new set has
// another name, so it can be filled while the old one is in use.
#pragma once

#include "compiler/base/types.hpp"

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// The mark of packets for an address, protocol and port; only the bits of the mask are set.
struct SetEntry {
    IpAddress address;
    std::uint8_t protocol = 0; // IP protocol number: tcp, udp, sctp
    Port port;
    Fwmark mark;
    std::uint32_t mask = 0xffffffff;

    friend auto operator<=>(SetEntry const&, SetEntry const&) = default;
};

struct MarkSet {
    std::string name;              // at most 31 bytes (IPSET_MAXNAMELEN of ip_set.h)
    std::vector<SetEntry> entries; // sorted; address, protocol and port are unique

    /// The entries for an address and protocol, ordered by port.
    [[nodiscard]] std::span<SetEntry const> find(IpAddress const& address, std::uint8_t protocol) const;

    /// Whether lbc can represent every entry: one that it cannot is stored with protocol 0, as the first.
    [[nodiscard]] bool is_known() const { return entries.empty() || entries.front().protocol != 0; }

    friend bool operator==(MarkSet const&, MarkSet const&) = default;
};

/// An own set, named "LBC-4-" or "LBC-6-" and a hash of the entries. Sorts the entries; there must be at least one, and
/// all must be of one family.
[[nodiscard]] MarkSet make_mark_set(std::vector<SetEntry> entries);

/// The name of the staging set that is filled to replace the set with this name.
[[nodiscard]] std::string spare_set_name(std::string_view name);

/// Whether a name is that of an own set: every name with the prefix of the family belongs to lbc.
[[nodiscard]] bool is_own_set(std::string_view name, Family family);

} // namespace lbc
