// Compares two classifiers, rules or a MarkTable, for every packet: one representative of each packet class that both
// together make, with all its ports.
#pragma once

#include "compiler/analysis/packet_classes.hpp"
#include "compiler/analysis/rule_index.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace lbc {

/// Packets that a director treats alike before a change and alike after it, but not as before.
struct MarkChange {
    DestinationClass destination;
    std::vector<ProtocolPorts> ports;
    bool sent_here = false;                 // the director itself sends them, or IPVS forwards them
    Fwmark carried;                         // their mark when they enter or leave
    std::vector<InterfaceClass> interfaces; // where they enter; empty if they leave
    std::vector<SourceClass> sources;       // likewise
    std::vector<std::uint8_t> protocols;    // that rules for the destination name; `ports` without one excludes them
    std::vector<MacAddress> macs;           // likewise; a source that is `other` is none of them
    Outcome before;
    Outcome after;
    Outcomes possible; // after; several if an unknown rule leaves it open
    Packet witness;    // the first of them

    [[nodiscard]] bool from_others() const; // MACs that no rule names are among the sources
};

/// The differences between two rule sets of one family, for packets that enter without a mark and for packets that
/// leave with mark 0 or with a mark that a rule matches. Each packet is in one difference at most. Once `work` is
/// spent, some are missing.
[[nodiscard]] std::vector<MarkChange> compare_rulesets(Ruleset const& before, Ruleset const& after, Work& work);

enum class Differs : std::uint8_t { no, perhaps, surely };

/// Compares the packets for one destination. `Before` and `After` have an `evaluate` like that of `RulesFor`. `Judge`
/// takes a packet with the mark that it carried and its outcomes on both sides, and returns whether these differ. Where
/// one is possible, and certain for the first packet of each connection, that packet is in the result. Most rules match
/// an interface before they match a source, so on each interface few sources are told apart. The sources that no rule
/// there matches share one walk.
template <typename Before, typename After, typename Judge>
class DestinationComparison {
public:
    DestinationComparison(DestinationClass const& destination, Before const& before, After const& after,
                          PacketPartition const& cuts, Work& work, Judge judge)
        : destination_(destination), before_(before), after_(after), cuts_(cuts), work_(work),
          judge_(std::move(judge)) {}

    void entering(Fwmark carried, std::vector<MarkChange>& out) {
        origins_.clear();
        for (std::size_t interface = 0; interface < cuts_.interfaces.size() && !work_.is_spent(); ++interface)
            enter(interface, carried);
        if (work_.is_spent())
            return;
        for (auto const& [what, by_interface] : origins_) {
            // Interfaces with the same sources are one change.
            std::map<std::vector<SourceClass>, std::vector<InterfaceClass>> alike;
            for (auto const& [interface, sources] : by_interface)
                alike[sources].push_back(cuts_.interfaces[interface]);
            for (auto const& [sources, interfaces] : alike)
                add(out, what.first, what.second, carried, interfaces, sources);
        }
    }

    void leaving(Fwmark carried, std::vector<MarkChange>& out,
                 Packet::Connection connection = Packet::Connection::any) {
        for (auto const& [change, ports] :
             changes(Direction::leaving, {}, std::nullopt, carried, nullptr, connection)) {
            add(out, change, ports, carried, {}, {});
            out.back().sent_here = true;
        }
    }

private:
    using Connection = Packet::Connection;
    struct Change {
        Outcomes before;
        Outcomes after;
        Connection connection;
        friend auto operator<=>(Change const&, Change const&) = default;
    };
    using ChangedPorts = std::vector<ProtocolPorts>;
    using Changes = std::map<Change, ChangedPorts>;

    /// Relies on the order of the sources: the one that no rule names is the first.
    void enter(std::size_t interface, Fwmark carried) {
        auto const& name = cuts_.interfaces[interface].name;
        std::set<MacAddress> asked;
        std::vector<std::vector<SourceClass>*> unnamed; // the changes of sources that no rule matches
        for (auto const& source : cuts_.sources) {
            if (name == "lo" && source.kind != SourceClass::Kind::none)
                continue; // no packet has a MAC there: `mac` requires an Ethernet device (xt_mac.c)
            bool const is_unnamed = source.kind == SourceClass::Kind::mac && !asked.contains(source.mac);
            auto places =
                is_unnamed ? unnamed
                           : places_of(interface, changes(Direction::entering, name, source.source(), carried, &asked));
            if (source.kind == SourceClass::Kind::other)
                unnamed = places;
            for (auto* sources : places)
                sources->push_back(source);
            work_.add(1 + places.size());
        }
    }

    std::vector<std::vector<SourceClass>*> places_of(std::size_t interface, Changes const& changes) {
        std::vector<std::vector<SourceClass>*> places;
        for (auto const& what : changes)
            places.push_back(&origins_[what][interface]);
        return places;
    }

    void add(std::vector<MarkChange>& out, Change const& change, ChangedPorts const& ports, Fwmark carried,
             std::vector<InterfaceClass> interfaces, std::vector<SourceClass> sources) {
        auto& added = out.emplace_back();
        added.destination = destination_;
        added.ports = ports;
        added.carried = carried;
        added.witness =
            cuts_.packet(destination_, ports.front().protocol, interfaces.empty() ? "" : interfaces.front().name,
                         sources.empty() ? std::nullopt : sources.front().source());
        added.witness.port = ports.front().ports.front().first;
        added.witness.mark = carried;
        added.witness.connection = change.connection;
        added.interfaces = std::move(interfaces);
        added.sources = std::move(sources);
        added.protocols = cuts_.named_protocols();
        added.macs = cuts_.named_macs();
        added.before = only(change.before);
        added.after = only(change.after);
        added.possible = change.after;
    }

    /// The ports whose packets from one origin get another outcome, grouped by outcomes.
    Changes changes(Direction direction, std::string const& interface, std::optional<MacAddress> source, Fwmark carried,
                    std::set<MacAddress>* asked, Connection connection = Connection::any) {
        Changes found;
        for (auto const& protocol : cuts_.protocols) {
            auto packet = cuts_.packet(destination_, protocol, interface, source);
            packet.mark = carried;
            packet.connection = connection;
            auto const before = before_.evaluate(direction, packet, PortRange::all(), asked);
            auto const after = after_.evaluate(direction, packet, PortRange::all(), asked);
            for_each_overlap(before, after, [&](PortRange range, Outcomes const& from, Outcomes const& to) {
                auto const differs = judge_(from, to, packet);
                if (differs == Differs::perhaps && connection == Connection::any)
                    add_first(found, direction, packet, protocol, range, {from, to, connection});
                else if (differs != Differs::no)
                    append_ports(found[{from, to, connection}], protocol, range);
            });
        }
        return found;
    }

    /// Adds a possible difference: in its place the one of the first packet of a connection, where that is certain.
    void add_first(Changes& found, Direction direction, Packet packet, std::optional<std::uint8_t> protocol,
                   PortRange range, Change const& possible) {
        packet.connection = Connection::first;
        for (auto const& [ports, outcomes] : after_.evaluate(direction, packet, range, nullptr)) {
            bool const is_certain = judge_(possible.before, outcomes, packet) == Differs::surely;
            auto const change = is_certain ? Change{possible.before, outcomes, Connection::first} : possible;
            append_ports(found[change], protocol, ports);
        }
    }

    DestinationClass const& destination_;
    Before const& before_;
    After const& after_;
    PacketPartition const& cuts_;
    Work& work_;
    Judge judge_;
    /// For each change and its ports: the sources of each interface, in order.
    std::map<std::pair<Change, ChangedPorts>, std::map<std::size_t, std::vector<SourceClass>>> origins_;
};

} // namespace lbc
