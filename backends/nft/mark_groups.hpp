// The classes of a MarkTable in the shape that a lookup of nftables has: elements by what they are looked up with, in
// groups of which a packet has to be asked no more than once where it comes from. Private to this folder.
#pragma once

#include "compiler/plan.hpp"

#include <array>
#include <string_view>
#include <vector>

namespace lbc {

/// What a class asks of a packet's way in, in one form for all that ask the same. Classes of one gate are disjoint by
/// destination, protocol and port alone.
struct Gate {
    std::vector<InterfacePattern> interfaces; // sorted, each once, no `+`; none: any but lo
    std::vector<MacAddress> bypass;           // likewise
    bool ethernet_only = false;

    friend auto operator<=>(Gate const&, Gate const&) = default;
};

/// What elements are looked up with. The kernel reads no port from a later fragment, and none from a protocol without
/// ports, so what is to match those must not ask for one.
enum class KeyKind : std::uint8_t {
    services,  // address, protocol and port, each just one: a hash
    ranges,    // the same, with prefixes or port ranges: intervals
    protocols, // address or prefix, and protocol
    networks,  // address or prefix
};
inline constexpr std::array key_kinds{KeyKind::services, KeyKind::ranges, KeyKind::protocols, KeyKind::networks};

struct MarkElement {
    MarkClass const* of = nullptr; // the table's
    PortRange ports = PortRange::all();
};

/// Elements by kind and family, in the order of the table.
class MarkElements {
public:
    void add(MarkClass const& of);

    [[nodiscard]] std::vector<MarkElement> const& get(KeyKind kind, Family family) const {
        return elements_[static_cast<std::size_t>(kind)][index_of(family)];
    }

private:
    std::array<std::array<std::vector<MarkElement>, 2>, key_kinds.size()> elements_;
};

struct MarkGroup {
    Gate gate;
    MarkElements elements;
};

/// Refer to the table, and stand in its order.
[[nodiscard]] std::vector<MarkGroup> groups_of(MarkTable const& table);

/// What the director itself sends, in the classes that have it; these are disjoint whatever their gates (check_claims).
[[nodiscard]] MarkElements own_elements_of(MarkTable const& table);

/// Every VIP of a family, sorted; those within others are left out.
[[nodiscard]] std::vector<Prefix> vips_of(MarkTable const& table, Family family);

} // namespace lbc
