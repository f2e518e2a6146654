// What a MarkTable says of every packet (plan.hpp), in the form in which a walk says what rules do: the other side of a
// proof. It is written from the table's definition and knows nothing of layouts.
#pragma once

#include "compiler/plan.hpp"
#include "compiler/proof/packet_space.hpp"

#include <map>
#include <set>
#include <vector>

namespace lbc {

/// What a table says of packets for one destination.
class MeaningFor {
public:
    MeaningFor(MarkTable const& table, std::vector<MarkClass const*> classes, std::vector<TunnelEnd> tunnels)
        : table_(&table), classes_(std::move(classes)), tunnels_(std::move(tunnels)) {}

    void add_to(Borders& borders) const;

    /// As `RulesFor::walk`; with one outcome for each port. `by_others` where the table leaves the packet as it was, so
    /// that others may do with it what they like.
    [[nodiscard]] std::vector<PortOutcomes> walk(Direction direction, Packet const& packet, PortRange ports,
                                                 std::set<MacAddress>* asked = nullptr) const;

private:
    [[nodiscard]] Outcome leaving_guarded(Packet const& packet) const;

    MarkTable const* table_;
    std::vector<MarkClass const*> classes_; // that have the destination
    std::vector<TunnelEnd> tunnels_;        // at the destination
};

class MarkMeaning {
public:
    /// Refers to the table.
    MarkMeaning(MarkTable const& table, Family family);
    MarkMeaning(MarkTable&&, Family) = delete;

    [[nodiscard]] std::vector<Prefix> destinations() const;
    [[nodiscard]] MeaningFor at(Prefix const& destination) const;

private:
    MarkTable const* table_;
    std::map<Prefix, std::vector<MarkClass const*>> classes_;
    std::map<IpAddress, std::vector<TunnelEnd>> tunnels_;
    std::vector<int> lengths_; // of the prefixes of classes, sorted
};

} // namespace lbc
