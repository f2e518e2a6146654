#include "compiler/diff/meeting.hpp"

#include "compiler/diff/lines.hpp"

#include <fmt/format.h>

namespace lbc {
namespace {

/// What one director does with the packets that another forwards to it, each with one of the sites.
class Meeting {
public:
    Meeting(Box const& from, std::size_t from_version, Box const& to, std::size_t to_version,
            std::set<IpAddress> const& directors)
        : from_(from), from_version_(from_version), to_(to), to_version_(to_version), directors_(directors) {}

    Findings run() {
        for (auto const family : families)
            if (sends_any(family))
                look(family);
        // What is balanced again needs no memory to come back.
        std::erase_if(findings_, [&](auto const& finding) {
            auto const& [kind, service] = finding.first;
            return kind == Hazard::Kind::remembered && findings_.contains({Hazard::Kind::balanced_twice, service});
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
            return service.service.family == family && real_at_receiver(service.service) != nullptr;
        });
    }

    /// Whether some rule gives a mark by which a packet can come to the receiver.
    [[nodiscard]] bool leads_to_receiver(RulesFor const& rules, Family family) const {
        for (auto const& chain : rules.chains())
            for (auto const* rule : chain.rules)
                if (auto const* target = std::get_if<SetMark>(&rule->then))
                    if (auto const* service = sender().find({target->mark, family}))
                        if (real_at_receiver(service->service) != nullptr)
                            return true;
        return false;
    }

    void look(Family family) {
        auto const index = static_cast<std::size_t>(family);
        auto const& out = *from_.versions[from_version_].rules[index];
        auto const& in = *to_.versions[to_version_].rules[index];
        auto const& other = *to_.versions[1 - to_version_].rules[index];
        auto prefixes = out.destinations();
        add_all_of(in, prefixes);
        add_all_of(other, prefixes);
        for (auto const& destination : destination_classes(family, std::move(prefixes))) {
            RulesFor const sending = out.at(destination.prefix);
            if (!leads_to_receiver(sending, family))
                continue;
            RulesFor const receiving = in.at(destination.prefix);
            RulesFor const receiving_else = other.at(destination.prefix);
            PacketCuts const cuts(std::array{&sending, &receiving, &receiving_else});
            for (auto const& ports : cuts.ports)
                look(cuts, destination, ports, sending, receiving, receiving_else);
        }
    }

    static void add_all_of(RuleIndex const& index, std::vector<Prefix>& out) {
        out.insert(out.end(), index.destinations().begin(), index.destinations().end());
    }

    void look(PacketCuts const& cuts, DestinationClass const& destination, ProtocolPorts const& ports,
              RulesFor const& sending, RulesFor const& receiving, RulesFor const& receiving_else) {
        auto const client = cuts.sources.front().source();
        auto const& macs = from_.macs_in(from_version_, to_version_);
        for (auto const& interface : cuts.interfaces) {
            auto const packet = cuts.packet(destination, ports, interface.name, client);
            auto const* service = balanced(sender(), sending, packet);
            auto const* real = service == nullptr ? nullptr : real_at_receiver(service->service);
            if (real == nullptr || real->forwarding.method == Forwarding::Method::nat)
                continue;
            std::vector<std::optional<MacAddress>> sources{std::nullopt};
            if (real->forwarding.method == Forwarding::Method::dr)
                sources.assign(macs.begin(), macs.end());
            // What it knows may be from before it had the new site.
            bool const may_remember =
                remembers(cuts, packet, receiving, receiver()) ||
                (to_version_ == 1 && remembers(cuts, packet, receiving_else, *to_.versions[0].state));
            for (auto const& entry : cuts.interfaces)
                for (auto const& source : sources)
                    if (entry.name != "lo")
                        receive(cuts.packet(destination, ports, entry.name, source), receiving, *service, may_remember);
        }
    }

    static NamedService const* balanced(DirectorState const& state, RulesFor const& rules, Packet const& packet) {
        auto const outcome = rules.walk("PREROUTING", packet);
        return outcome.dropped ? nullptr : state.find({outcome.mark, packet.destination.family()});
    }

    /// Whether IPVS may know a connection of a client's packet, and lead it to another director. It goes by a real
    /// server that is still there; what has lost its own is dropped (ip_vs_in).
    [[nodiscard]] bool remembers(PacketCuts const& cuts, Packet packet, RulesFor const& rules,
                                 DirectorState const& state) const {
        return std::ranges::any_of(cuts.interfaces, [&](InterfaceClass const& interface) {
            packet.interface = interface.name;
            auto const* service = balanced(state, rules, packet);
            auto const* now = service == nullptr ? nullptr : receiver().find(service->key());
            if (now == nullptr || service->service.one_packet)
                return false;
            return std::ranges::any_of(service->service.reals, [&](Destination const& real) {
                return directors_.contains(real.address) && !contains(to_.addresses, real.address) &&
                       now->service.find(real) != nullptr;
            });
        });
    }

    void receive(Packet const& packet, RulesFor const& receiving, NamedService const& service, bool may_remember) {
        auto outcome = receiving.walk("PREROUTING", packet);
        if (outcome.dropped)
            return;
        if (receiver().find({outcome.mark, packet.destination.family()}) != nullptr) {
            find(Hazard::Kind::balanced_twice, service, packet);
            return;
        }
        if (!may_remember || receiver().backup_only || !packet.source)
            return;
        // IPVS looks a connection up before any mark; what it forwards leaves through OUTPUT.
        auto leaving = packet;
        leaving.mark = outcome.mark;
        leaving.interface.clear();
        leaving.source.reset();
        auto const left = receiving.walk("OUTPUT", leaving);
        if (!left.dropped && left.mark == leaving.mark)
            find(Hazard::Kind::remembered, service, packet);
    }

    void find(Hazard::Kind kind, NamedService const& service, Packet const& packet) {
        auto const target =
            fmt::format("{}/{}", endpoint(packet.destination, packet.port), protocol_name(packet.protocol));
        findings_.try_emplace({kind, service.name}, packet.source
                                                        ? fmt::format("{} from {}", target, packet.source->str())
                                                        : fmt::format("{} through a tunnel", target));
    }

    Box const& from_;
    std::size_t from_version_;
    Box const& to_;
    std::size_t to_version_;
    std::set<IpAddress> const& directors_;
    Findings findings_;
};

} // namespace

Findings meet_boxes(Box const& from, std::size_t from_version, Box const& to, std::size_t to_version,
                    std::set<IpAddress> const& directors) {
    return Meeting(from, from_version, to, to_version, directors).run();
}

} // namespace lbc
