// Sets of the kernel that map packets to marks (ipset(8), type hash:ip,port with skbinfo), which one rule asks. Those
// of lbc are named after what is in them, so rules that name the same set mean the same, and a set under another name
// can be filled while the old one is in use.
#pragma once

#include "compiler/types.hpp"

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// Packets for an address, protocol and port, and the mark that they get under the mask.
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
    std::vector<SetEntry> entries; // sorted; no two with one address, protocol and port

    /// What a packet for the address and protocol can meet, by its ports.
    [[nodiscard]] std::span<SetEntry const> find(IpAddress const& address, std::uint8_t protocol) const;

    /// Whether every entry is one that lbc can write: another stands there as one of protocol 0, and is the first.
    [[nodiscard]] bool is_known() const { return entries.empty() || entries.front().protocol != 0; }

    friend bool operator==(MarkSet const&, MarkSet const&) = default;
};

/// A set of lbc's with a name of its own: "LBC-4-" or "LBC-6-" and a hash of the entries. Sorts them; needs one at
/// least, all of one family.
[[nodiscard]] MarkSet make_mark_set(std::vector<SetEntry> entries);

/// The name under which a set is filled that is to take the place of the one with this name.
[[nodiscard]] std::string spare_set_name(std::string_view name);

/// Whether a name can be that of a set of lbc's: all that begin so belong to lbc.
[[nodiscard]] bool is_own_set(std::string_view name, Family family);

} // namespace lbc
