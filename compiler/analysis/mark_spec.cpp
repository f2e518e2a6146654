#include "compiler/analysis/mark_spec.hpp"

#include <algorithm>
#include <set>

namespace lbc {
namespace {

/// Collects outcomes for ports. Classes are disjoint. If they overlap because the guard ignores what separates them,
/// they have the same outcome.
class PortPainter {
public:
    explicit PortPainter(PortRange ports) : ports_(ports) {}

    void paint(PortRange range, Outcome const& outcome) {
        range = {std::max(range.first, ports_.first), std::min(range.last, ports_.last)};
        if (range.first <= range.last)
            painted_.push_back({range, {outcome}});
    }

    std::vector<PortOutcomes> finish(Outcome const& others) {
        std::ranges::sort(painted_, {}, [](PortOutcomes const& piece) { return piece.ports; });
        std::vector<PortOutcomes> all;
        std::uint32_t next = ports_.first.value;
        auto const fill = [&](std::uint32_t end) {
            if (next < end)
                all.push_back(
                    {{Port{static_cast<std::uint16_t>(next)}, Port{static_cast<std::uint16_t>(end - 1)}}, {others}});
        };
        for (auto& piece : painted_) {
            if (piece.ports.last.value < next)
                continue;
            piece.ports.first.value = std::max(piece.ports.first.value, static_cast<std::uint16_t>(next));
            fill(piece.ports.first.value);
            next = std::uint32_t{piece.ports.last.value} + 1;
            all.push_back(std::move(piece));
        }
        fill(std::uint32_t{ports_.last.value} + 1);
        return all;
    }

private:
    PortRange ports_;
    std::vector<PortOutcomes> painted_;
};

bool has_protocol(MarkClass const& mark_class, Packet const& packet) {
    return mark_class.protocol == Protocol::any || static_cast<std::uint8_t>(mark_class.protocol) == packet.protocol;
}

/// Whether a packet that enters as this one, from no peer, belongs to the class if its port does.
bool takes(MarkClass const& mark_class, Packet const& packet, std::set<MacAddress>* asked) {
    auto const enters = [&](InterfacePattern const& pattern) { return pattern.matches(packet.interface); };
    if (!mark_class.interfaces.empty() && std::ranges::none_of(mark_class.interfaces, enters))
        return false;
    if (asked != nullptr && mark_class.ethernet_only)
        asked->insert(MacAddress{});
    if (asked != nullptr)
        asked->insert(mark_class.bypass.begin(), mark_class.bypass.end());
    if (mark_class.ethernet_only && (!packet.source || packet.source->is_zero()))
        return false; // no host has the zero MAC
    if (!packet.source)
        return true;
    return std::ranges::find(mark_class.bypass, *packet.source) == mark_class.bypass.end();
}

} // namespace

void MeaningFor::add_to(SplitPoints& borders) const {
    borders.macs.insert(table_->peers.begin(), table_->peers.end());
    for (auto const* mark_class : classes_) {
        borders.interfaces.insert(mark_class->interfaces.begin(), mark_class->interfaces.end());
        borders.macs.insert(mark_class->bypass.begin(), mark_class->bypass.end());
        if (mark_class->protocol != Protocol::any)
            borders.protocols.insert(static_cast<std::uint8_t>(mark_class->protocol));
    }
    for (auto const& tunnel : tunnels_)
        borders.protocols.insert(tunnel.protocol);
    if (table_->guard && !(classes_.empty() && tunnels_.empty()))
        borders.leaving.insert(table_->guard->mark);
}

std::vector<PortOutcomes> MeaningFor::evaluate(Direction direction, Packet const& packet, PortRange ports,
                                               std::set<MacAddress>* asked) const {
    PortPainter painter(ports);
    auto const as_it_was = Outcome::pass(packet.mark, true);
    bool const leaves = direction == Direction::leaving;
    if (!leaves && packet.interface == "lo")
        return painter.finish(as_it_was);
    if (leaves && table_->guard && packet.mark == table_->guard->mark) {
        for (auto const& tunnel : tunnels_)
            if (tunnel.protocol == packet.protocol)
                painter.paint(tunnel.port ? PortRange{*tunnel.port, *tunnel.port} : PortRange::all(), Outcome::drop());
        if (classes_.empty())
            return painter.finish(as_it_was);
        return painter.finish(table_->guard->mode == GuardMode::drop ? Outcome::drop() : Outcome::pass({}));
    }
    if (asked != nullptr)
        asked->insert(table_->peers.begin(), table_->peers.end());
    bool const from_peer = !leaves && packet.source && std::ranges::binary_search(table_->peers, *packet.source);
    if (from_peer && !table_->guard)
        return painter.finish(as_it_was);
    for (auto const* mark_class : classes_) {
        if (!has_protocol(*mark_class, packet))
            continue;
        if (!from_peer && !(leaves ? mark_class->from_director : takes(*mark_class, packet, asked)))
            continue;
        for (auto const& range : mark_class->ports)
            painter.paint(range, Outcome::pass(from_peer ? table_->guard->mark : mark_class->mark));
    }
    return painter.finish(as_it_was);
}

MarkSpec::MarkSpec(MarkTable const& table, Family family) : table_(&table) {
    std::set<int> lengths;
    for (auto const& mark_class : table.classes)
        if (mark_class.family() == family) {
            classes_[mark_class.destination].push_back(&mark_class);
            lengths.insert(mark_class.destination.length);
        }
    lengths_.assign(lengths.begin(), lengths.end());
    if (table.guard)
        for (auto const& tunnel : table.guard->tunnels)
            if (tunnel.address.family() == family)
                tunnels_[tunnel.address].push_back(tunnel);
}

std::vector<Prefix> MarkSpec::destinations() const {
    std::vector<Prefix> found;
    for (auto const& entry : classes_)
        found.push_back(entry.first);
    for (auto const& entry : tunnels_)
        found.push_back(Prefix::host(entry.first));
    return found;
}

MeaningFor MarkSpec::at(Prefix const& destination) const {
    std::vector<MarkClass const*> classes;
    for (auto const length : lengths_) {
        if (length > destination.length)
            break;
        if (auto const found = classes_.find(Prefix::of(destination.address, length)); found != classes_.end())
            classes.insert(classes.end(), found->second.begin(), found->second.end());
    }
    std::vector<TunnelEnd> tunnels;
    if (auto const found = tunnels_.find(destination.address); destination.is_host() && found != tunnels_.end())
        tunnels = found->second;
    return {*table_, std::move(classes), std::move(tunnels)};
}

} // namespace lbc
