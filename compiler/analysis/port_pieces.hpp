// The state of a walk: disjoint port ranges, each with the outcomes of its packets. Private to this folder.
#pragma once

#include "compiler/analysis/evaluate.hpp"

#include <map>
#include <vector>

namespace lbc {

/// Numbers sets of outcomes, so that ports with the same outcomes share one. 0 is the empty set.
class OutcomeSets {
public:
    using Id = std::uint32_t;

    [[nodiscard]] Id of(Outcomes const& outcomes);
    [[nodiscard]] Id unite(Id a, Id b);
    [[nodiscard]] Outcomes const& operator[](Id id) const { return *sets_[id]; }

    static constexpr Id empty = 0;

private:
    std::map<Outcomes, Id> ids_{{Outcomes{}, empty}};
    std::vector<Outcomes const*> sets_{&ids_.begin()->first};
};

/// Ports `first` to `last` of packets with one set of outcomes.
struct Piece {
    std::uint32_t first;
    std::uint32_t last;
    OutcomeSets::Id set;
};
using Pieces = std::vector<Piece>; // sorted, disjoint

/// The index of the first piece that has a port of `port` or above; a piece that contains `port` is cut there.
[[nodiscard]] std::size_t cut_at(Pieces& pieces, std::uint32_t port);

/// Ports that are in both get the outcomes of both.
void unite(Pieces& into, Pieces other, OutcomeSets& sets);

/// The ports that a rule matches: sorted, disjoint, non-adjacent.
[[nodiscard]] std::vector<PortRange> ports_of(Matches const& when);

/// The outcomes of either of two ways, for the same ports. If only one way drops all packets, the outcome is unknown.
[[nodiscard]] std::vector<PortOutcomes> either(std::vector<PortOutcomes> const& a, std::vector<PortOutcomes> const& b);

} // namespace lbc
