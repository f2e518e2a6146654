// Two sayings of what becomes of packets, rules or a MarkTable, compared for every packet: of the pieces that the
// borders of both make, one packet each, with all its ports.
#pragma once

#include "compiler/proof/packet_space.hpp"
#include "compiler/proof/rule_index.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace lbc {

/// Packets that a director treated alike and treats alike, but not as before.
struct MarkChange {
    DestinationClass destination;
    std::vector<ProtocolPorts> ports;
    bool sent_here = false;                 // the director itself sends them, or IPVS forwards them
    Fwmark carried;                         // what they carry when they enter, or leave
    std::vector<InterfaceClass> interfaces; // where they enter; empty where they leave
    std::vector<SourceClass> sources;       // likewise
    std::vector<std::uint8_t> protocols;    // that a rule for the destination names: `ports` without one is no other
    std::vector<MacAddress> macs;           // likewise: a source that is `other` is none of them
    Outcome before;
    Outcome after;
    Outcomes possible; // after; what a rule that lbc does not know leaves open
    Packet witness;    // the first of them

    [[nodiscard]] bool from_others() const; // any client's MAC is among the sources
};

/// What differs between two Rulesets of one family, for packets that enter without a mark, and for those that leave
/// with 0 or one that a rule asks for. Each packet is in one of them at most. Once `work` is spent, some are missing.
[[nodiscard]] std::vector<MarkChange> compare_rulesets(Ruleset const& before, Ruleset const& after, Work& work);

/// The packets for one destination. `Before` and `After` have `walk`, as RulesFor has it; `Differs` says of the
/// outcomes of one packet whether they are no match, given the mark that it carried. Most rules ask for an interface
/// before they ask for a source, so that on each interface few sources are told apart: those that nothing there asked
/// for share one walk.
template <typename Before, typename After, typename Differs>
class DestinationComparison {
public:
    DestinationComparison(DestinationClass const& destination, Before const& before, After const& after,
                          PacketCuts const& cuts, Work& work, Differs differs)
        : destination_(destination), before_(before), after_(after), cuts_(cuts), work_(work),
          differs_(std::move(differs)) {}

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

    void leaving(Fwmark carried, std::vector<MarkChange>& out) {
        for (auto const& [change, ports] : changes(Direction::leaving, {}, std::nullopt, carried, nullptr)) {
            add(out, change, ports, carried, {}, {});
            out.back().sent_here = true;
        }
    }

private:
    using Change = std::pair<Outcomes, Outcomes>; // before, after
    using ChangedPorts = std::vector<ProtocolPorts>;
    using Changes = std::map<Change, ChangedPorts>;

    /// The sources are in order, the one that no rule names first.
    void enter(std::size_t interface, Fwmark carried) {
        auto const& name = cuts_.interfaces[interface].name;
        std::set<MacAddress> asked;
        std::vector<std::vector<SourceClass>*> unnamed; // what changes for the sources that nothing asked for
        for (auto const& source : cuts_.sources) {
            if (name == "lo" && source.kind != SourceClass::Kind::none)
                continue; // no packet has a MAC there: `mac` asks for an Ethernet device (xt_mac.c)
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
        added.interfaces = std::move(interfaces);
        added.sources = std::move(sources);
        added.protocols = cuts_.named_protocols();
        added.macs = cuts_.named_macs();
        added.before = only(change.first);
        added.after = only(change.second);
        added.possible = change.second;
    }

    /// The ports whose packets of one origin have another outcome, by outcomes.
    Changes changes(Direction direction, std::string const& interface, std::optional<MacAddress> source, Fwmark carried,
                    std::set<MacAddress>* asked) {
        Changes found;
        for (auto const& protocol : cuts_.protocols) {
            auto packet = cuts_.packet(destination_, protocol, interface, source);
            packet.mark = carried;
            auto const before = before_.walk(direction, packet, PortRange::all(), asked);
            auto const after = after_.walk(direction, packet, PortRange::all(), asked);
            for_each_overlap(before, after, [&](PortRange range, Outcomes const& from, Outcomes const& to) {
                if (differs_(from, to, packet))
                    append_ports(found[{from, to}], protocol, range);
            });
        }
        return found;
    }

    DestinationClass const& destination_;
    Before const& before_;
    After const& after_;
    PacketCuts const& cuts_;
    Work& work_;
    Differs differs_;
    /// By what changes, the sources of each interface, in order.
    std::map<std::pair<Change, ChangedPorts>, std::map<std::size_t, std::vector<SourceClass>>> origins_;
};

} // namespace lbc
