// The reference semantics of a MarkTable (plan.hpp): the outcome of every packet, in the form in which a walk gives it
// for rules. A proof compares the two. It follows the table's definition and is independent of layouts.
#pragma once

#include "compiler/analysis/packet_classes.hpp"
#include "compiler/plan/plan.hpp"

#include <map>
#include <set>
#include <vector>

namespace lbc {

/// The semantics of a table for packets to one destination.
class MeaningFor {
public:
    MeaningFor(MarkTable const& table, std::vector<MarkClass const*> classes, std::vector<TunnelEnd> tunnels)
        : table_(&table), classes_(std::move(classes)), tunnels_(std::move(tunnels)) {}

    void add_to(SplitPoints& borders) const;
    [[nodiscard]] bool has_services() const { return !classes_.empty(); }

    /// Like `RulesFor::evaluate`, with one outcome for each port. `by_others` is set if the table leaves the packet as
    /// it was, so that foreign rules may do anything with it.
    [[nodiscard]] std::vector<PortOutcomes> evaluate(Direction direction, Packet const& packet, PortRange ports,
                                                     std::set<MacAddress>* asked = nullptr) const;

private:
    [[nodiscard]] Outcome leaving_guarded(Packet const& packet) const;

    MarkTable const* table_;
    std::vector<MarkClass const*> classes_; // that hold the destination
    std::vector<TunnelEnd> tunnels_;        // at the destination
};

class MarkSpec {
public:
    /// Refers to the table.
    MarkSpec(MarkTable const& table, Family family);
    MarkSpec(MarkTable&&, Family) = delete;

    [[nodiscard]] std::vector<Prefix> destinations() const;
    [[nodiscard]] MeaningFor at(Prefix const& destination) const;

private:
    MarkTable const* table_;
    std::map<Prefix, std::vector<MarkClass const*>> classes_;
    std::map<IpAddress, std::vector<TunnelEnd>> tunnels_;
    std::vector<int> lengths_; // of the prefixes of classes, sorted
};

} // namespace lbc
