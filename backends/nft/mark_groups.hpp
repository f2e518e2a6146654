// Groups the classes of a MarkTable for nftables lookups: elements by key kind, one group per ingress condition, so
// that rules test a packet's ingress at most once per group. Private to this folder.
#pragma once

#include "compiler/plan/plan.hpp"

#include <array>
#include <string_view>
#include <vector>

namespace lbc {

/// What a class requires of a packet's ingress, in canonical form: equal requirements are equal values. Classes with
/// one condition are disjoint by destination, protocol and port alone.
struct IngressCondition {
    std::vector<InterfacePattern> interfaces; // sorted, unique, no `+`; empty: any but lo
    std::vector<MacAddress> bypass;           // likewise
    bool ethernet_only = false;

    friend auto operator<=>(IngressCondition const&, IngressCondition const&) = default;
};

/// The key of a lookup. The kernel reads no port from a later fragment, and none from a protocol without ports, so a
/// key that matches those must not contain a port.
enum class KeyKind : std::uint8_t {
    services,  // address, protocol and port, one value each: a hash
    ranges,    // the same, with prefixes or port ranges: intervals
    protocols, // address or prefix, and protocol
    networks,  // address or prefix
};
inline constexpr std::array key_kinds{KeyKind::services, KeyKind::ranges, KeyKind::protocols, KeyKind::networks};

struct MarkElement {
    MarkClass const* of = nullptr; // points into the table
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
    IngressCondition gate;
    MarkElements elements;
};

/// The groups refer to the table and keep its order.
[[nodiscard]] std::vector<MarkGroup> groups_of(MarkTable const& table);

/// The elements of the classes that include the director's own packets. These classes are disjoint regardless of their
/// ingress conditions (check_claims).
[[nodiscard]] MarkElements own_elements_of(MarkTable const& table);

/// Every VIP of a family, sorted, without those inside another one.
[[nodiscard]] std::vector<Prefix> vips_of(MarkTable const& table, Family family);

} // namespace lbc
