#include "compiler/analysis/handoff.hpp"

#include "compiler/analysis/packet_classes.hpp"

#include <algorithm>
#include <tuple>

namespace lbc {
namespace {

template <typename T>
bool contains(std::vector<T> const& list, T const& item) {
    return std::ranges::find(list, item) != list.end();
}

/// The rules for one destination, and the packets that they tell apart.
struct Place {
    DestinationClass const& destination;
    RulesFor sending;
    RulesFor receiving;
    std::optional<RulesFor> receiving_else; // of the other version, if that differs
    PacketPartition cuts;

    Place(DestinationClass const& of, RulesFor out, RulesFor in, std::optional<RulesFor> other)
        : destination(of), sending(std::move(out)), receiving(std::move(in)), receiving_else(std::move(other)),
          cuts(borders()) {}

private:
    [[nodiscard]] SplitPoints borders() const {
        SplitPoints borders;
        borders.add(sending);
        borders.add(receiving);
        if (receiving_else)
            borders.add(*receiving_else);
        return borders;
    }
};

bool is_unnamed(InterfaceClass const& interface) { return interface.pattern && interface.pattern->str() == "+"; }

std::vector<PortRange> merged(std::vector<PortRange> ranges) {
    std::ranges::sort(ranges);
    std::vector<PortRange> all;
    for (auto const& range : ranges)
        if (!all.empty() && range.first <= all.back().last)
            all.back().last = std::max(all.back().last, range.last);
        else
            all.push_back(range);
    return all;
}

/// Finds faults with the packets that one director forwards to another, each with one of the sites.
class HandoffFinder {
public:
    HandoffFinder(DirectorAcrossRollout const& from, std::size_t from_version, DirectorAcrossRollout const& to,
                  std::size_t to_version, std::set<IpAddress> const& directors, TunnelEntry tunnels, Work& work)
        : from_(from), from_version_(from_version), to_(to), to_version_(to_version), directors_(directors),
          tunnels_(tunnels), work_(work) {}

    Findings run() {
        for (auto const family : families)
            if (sends_any(family))
                look(family);
        // A packet that is balanced again comes back without any memory.
        std::erase_if(findings_, [&](auto const& finding) {
            auto const& [fault, service] = finding.first;
            return fault == Fault::remembered && findings_.contains({Fault::balanced_twice, service});
        });
        return std::move(findings_);
    }

private:
    [[nodiscard]] DirectorState const& sender() const { return *from_.versions[from_version_].state; }
    [[nodiscard]] DirectorState const& receiver() const { return *to_.versions[to_version_].state; }

    [[nodiscard]] Destination const* real_at_receiver(VirtualService const& service) const {
        auto const found = std::ranges::find_if(
            service.reals, [&](Destination const& real) { return contains(to_.addresses, real.address); });
        return found == service.reals.end() ? nullptr : &*found;
    }

    [[nodiscard]] bool sends_any(Family family) const {
        return std::ranges::any_of(sender().services, [&](NamedService const& service) {
            work_.add(service.service.reals.size());
            return service.service.family == family && real_at_receiver(service.service) != nullptr;
        });
    }

    /// Whether some rule sets a mark that can lead a packet to the receiver.
    [[nodiscard]] bool leads_to_receiver(RulesFor const& rules, Family family) const {
        for (auto const& table : rules.tables())
            for (auto const& chain : table.chains)
                for (auto const& placed : chain.rules)
                    if (may_lead_to_receiver(placed.rule->then, family))
                        return true;
        return false;
    }

    [[nodiscard]] bool may_lead_to_receiver(Target const& target, Family family) const {
        auto const* set = std::get_if<SetMark>(&target);
        if (set == nullptr)
            return std::holds_alternative<UnknownMark>(target) || std::holds_alternative<RestoreMark>(target) ||
                   std::holds_alternative<MapMark>(target);
        auto const* service = sender().find({set->mark, family});
        return set->mask != whole_mark || (service != nullptr && real_at_receiver(service->service) != nullptr);
    }

    void look(Family family) {
        auto const index = static_cast<std::size_t>(family);
        auto const& out = *from_.versions[from_version_].rules[index];
        auto const& in = *to_.versions[to_version_].rules[index];
        auto const& other = *to_.versions[1 - to_version_].rules[index];
        bool const has_other = &in != &other;
        auto prefixes = out.destinations();
        for (auto const* rules : {&in, &other})
            if (rules == &in || has_other)
                prefixes.insert(prefixes.end(), rules->destinations().begin(), rules->destinations().end());
        for (auto const& destination : destination_classes(family, std::move(prefixes))) {
            if (work_.is_spent())
                return;
            auto sending = out.at(destination.prefix);
            if (!leads_to_receiver(sending, family))
                continue;
            Place const place(destination, std::move(sending), in.at(destination.prefix),
                              has_other ? std::optional(other.at(destination.prefix)) : std::nullopt);
            for (auto const& protocol : place.cuts.protocols)
                look(place, protocol);
        }
    }

    /// Examines packets of one protocol, with all their ports.
    void look(Place const& place, std::optional<std::uint8_t> protocol) {
        auto packet = place.cuts.packet(place.destination, protocol, {}, place.cuts.sources.front().source());
        Arrivals arrivals{place, packet, {}, {}, {}};
        for (auto const& interface : place.cuts.interfaces) {
            packet.interface = interface.name;
            auto const sent = place.sending.evaluate(Direction::entering, packet, PortRange::all());
            if (std::ranges::none_of(sent, [&](PortOutcomes const& piece) { return goes_to_receiver(packet, piece); }))
                continue;
            if (arrivals.by_entry.empty())
                arrive(arrivals);
            for (auto const& arrived : arrivals.by_entry) {
                work_.add(sent.size() + arrived.second.size());
                if (work_.is_spent())
                    return;
                for_each_overlap(sent, arrived.second, [&](PortRange ports, Outcomes const& out, Outcomes const& in) {
                    for (auto const& outcome : out)
                        if (auto const* service = sent_on(packet, outcome, arrived.first.second.has_value()))
                            for (auto const& what : in)
                                receive(arrivals, {packet, arrived.first, ports, what, *service});
                });
            }
        }
    }

    using Entry = std::pair<std::string, std::optional<MacAddress>>; // the interface, the source

    /// The outcomes of the packets that reach the receiver.
    struct Arrivals {
        Place const& place;
        Packet packet; // as a client sends it
        std::map<Entry, std::vector<PortOutcomes>> by_entry;
        std::vector<PortRange> remembered; // sorted, disjoint; of connections that its IPVS may know
        std::map<Fwmark, std::vector<PortOutcomes>> leaving;
    };

    void arrive(Arrivals& arrivals) const {
        auto packet = arrivals.packet;
        std::vector<std::optional<MacAddress>> sources{std::nullopt};
        auto const& macs = from_.macs_in(from_version_, to_version_);
        sources.insert(sources.end(), macs.begin(), macs.end());
        for (auto const& interface : arrivals.place.cuts.interfaces)
            for (auto const& source : sources) {
                if (interface.name == "lo")
                    continue;
                if (!source && tunnels_ == TunnelEntry::unnamed && !is_unnamed(interface))
                    continue;
                packet.interface = interface.name;
                packet.source = source;
                arrivals.by_entry.emplace(
                    Entry{interface.name, source},
                    arrivals.place.receiving.evaluate(Direction::entering, packet, PortRange::all()));
            }
        arrivals.remembered = remembered_ports(arrivals.place, arrivals.packet);
    }

    [[nodiscard]] bool goes_to_receiver(Packet const& packet, PortOutcomes const& piece) const {
        return std::ranges::any_of(piece.outcomes, [&](Outcome const& outcome) {
            return sent_on(packet, outcome, true) != nullptr || sent_on(packet, outcome, false) != nullptr;
        });
    }

    /// The service that leads a packet to the receiver, as a frame of the sender or out of a tunnel; null: none.
    [[nodiscard]] NamedService const* sent_on(Packet const& packet, Outcome const& outcome, bool as_frame) const {
        auto const* service = balanced(sender(), packet, outcome);
        auto const* real = service == nullptr ? nullptr : real_at_receiver(service->service);
        if (real == nullptr)
            return nullptr;
        auto const wanted = as_frame ? Forwarding::Method::dr : Forwarding::Method::tun;
        return real->forwarding.method == wanted ? service : nullptr;
    }

    static NamedService const* balanced(DirectorState const& state, Packet const& packet, Outcome const& outcome) {
        return outcome.is_marked() ? state.find({outcome.mark, packet.destination.family()}) : nullptr;
    }

    /// The ports of connections that the receiver may remember, also from before it had the new site.
    [[nodiscard]] std::vector<PortRange> remembered_ports(Place const& place, Packet const& packet) const {
        std::vector<PortRange> ports;
        add_remembered(place, packet, place.receiving, receiver(), ports);
        if (to_version_ == 1 && place.receiving_else)
            add_remembered(place, packet, *place.receiving_else, *to_.versions[0].state, ports);
        return merged(std::move(ports));
    }

    /// Adds the ports of clients' packets that it forwards to another director, if the real server is still there. A
    /// packet of a connection without its real server is dropped (ip_vs_in).
    void add_remembered(Place const& place, Packet packet, RulesFor const& rules, DirectorState const& state,
                        std::vector<PortRange>& out) const {
        for (auto const& interface : place.cuts.interfaces) {
            packet.interface = interface.name;
            for (auto const& [ports, outcomes] : rules.evaluate(Direction::entering, packet, PortRange::all()))
                for (auto const& outcome : outcomes)
                    if (auto const* service = balanced(state, packet, outcome);
                        service != nullptr && leads_on(*service))
                        out.push_back(ports);
        }
    }

    [[nodiscard]] bool leads_on(NamedService const& service) const {
        auto const* now = receiver().find(service.key());
        return now != nullptr && !service.service.one_packet &&
               std::ranges::any_of(service.service.reals, [&](Destination const& real) {
                   return directors_.contains(real.address) && !contains(to_.addresses, real.address) &&
                          now->service.find(real) != nullptr;
               });
    }

    /// Packets that the sender has forwarded, as they enter the receiver.
    struct Arrival {
        Packet const& sent;
        Entry const& entry;
        PortRange ports;
        Outcome const& outcome;
        NamedService const& service;
    };

    void receive(Arrivals& arrivals, Arrival const& arrival) {
        if (arrival.outcome.dropped)
            return;
        if (balanced(receiver(), arrival.sent, arrival.outcome) != nullptr) {
            find(Fault::balanced_twice, arrival, arrival.ports.first);
            return;
        }
        if (receiver().backup_only || !arrival.entry.second || !arrival.outcome.is_marked())
            return;
        auto const known = std::ranges::lower_bound(arrivals.remembered, arrival.ports.first, {}, &PortRange::last);
        if (known == arrivals.remembered.end() || known->first > arrival.ports.last)
            return;
        // IPVS looks a connection up before any mark; what it forwards leaves through OUTPUT.
        auto [left, is_new] = arrivals.leaving.try_emplace(arrival.outcome.mark);
        if (is_new) {
            auto packet = arrival.sent;
            packet.mark = arrival.outcome.mark;
            packet.interface.clear();
            packet.source.reset();
            left->second = arrivals.place.receiving.evaluate(Direction::leaving, packet, PortRange::all());
        }
        std::vector<PortOutcomes> const coming{{arrival.ports, {}}};
        for_each_overlap(coming, left->second, [&](PortRange ports, Outcomes const&, Outcomes const& outcomes) {
            auto const again = std::ranges::lower_bound(arrivals.remembered, ports.first, {}, &PortRange::last);
            if (again == arrivals.remembered.end() || again->first > ports.last)
                return;
            for (auto const& outcome : outcomes)
                if (outcome.may_have(arrival.outcome.mark))
                    find(Fault::remembered, arrival, std::max(ports.first, again->first));
        });
    }

    void find(Fault fault, Arrival const& arrival, Port port) {
        auto const [place, is_new] = findings_.try_emplace({fault, arrival.service.name});
        if (!is_new)
            return;
        auto& [sent, received] = place->second;
        sent = received = arrival.sent;
        sent.port = received.port = port;
        std::tie(received.interface, received.source) = arrival.entry;
    }

    DirectorAcrossRollout const& from_;
    std::size_t from_version_;
    DirectorAcrossRollout const& to_;
    std::size_t to_version_;
    std::set<IpAddress> const& directors_;
    TunnelEntry tunnels_;
    Work& work_;
    Findings findings_;
};

} // namespace

Findings find_handoffs(DirectorAcrossRollout const& from, std::size_t from_version, DirectorAcrossRollout const& to,
                       std::size_t to_version, std::set<IpAddress> const& directors, TunnelEntry tunnels, Work& work) {
    return HandoffFinder(from, from_version, to, to_version, directors, tunnels, work).run();
}

} // namespace lbc
