#include "compiler/diff/lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tuple>

namespace lbc {
namespace {

std::string protocol_name(std::uint8_t number) {
    auto const name = to_string(Protocol{number});
    return name.empty() || number == 0 ? fmt::format("protocol {}", number) : std::string(name);
}

std::string text_of(DestinationClass const& destination) {
    if (destination.prefix.length == 0 && destination.except.empty())
        return fmt::format("any {} address", title(destination.prefix.family()));
    if (destination.except.empty())
        return destination.prefix.str();
    std::vector<std::string> except;
    for (auto const& prefix : destination.except)
        except.push_back(prefix.str());
    return fmt::format("{} (but {})", destination.prefix.str(), list_of(except));
}

/// "192.0.2.1:80,443/tcp", "192.0.2.0/24, every protocol"
std::vector<std::string> targets_of(MarkChange const& change) {
    auto const address = text_of(change.destination);
    auto const is_whole = [](ProtocolPorts const& one) { return one.ports.size() == 1 && one.ports[0].is_all(); };
    // Every protocol that a rule names, and all others.
    if (change.ports.size() == change.protocols.size() + 1 && std::ranges::all_of(change.ports, is_whole))
        return {address + " (every protocol)"};
    auto const brackets = change.destination.prefix.family() == Family::ipv6;
    std::vector<std::string> targets;
    for (auto const& one : change.ports) {
        if (!one.protocol) {
            targets.push_back(address + " (every other protocol)");
            continue;
        }
        if (is_whole(one)) {
            targets.push_back(fmt::format("{} (every {} port)", address, protocol_name(*one.protocol)));
            continue;
        }
        std::vector<std::string> ports;
        for (auto const& range : one.ports)
            ports.push_back(range.str());
        targets.push_back(fmt::format("{}{}{}:{}/{}", brackets ? "[" : "", address, brackets ? "]" : "",
                                      fmt::join(ports, ","), protocol_name(*one.protocol)));
    }
    return targets;
}

/// Where the packets enter, as far as it is not where all of this director's clients do.
std::string place_of(MarkChange const& change, DirectorPair const& director) {
    std::set<std::string> entered;
    bool others = false;
    std::vector<std::string> except;
    for (auto const& interface : change.interfaces) {
        entered.insert(interface.pattern ? interface.pattern->str() : interface.name);
        if (!interface.pattern || interface.pattern->str() != "+")
            continue;
        others = true;
        for (auto const& other : interface.except)
            except.push_back(other.str());
    }
    if (others && std::ranges::all_of(except, [&](auto const& name) { return name == "lo" || entered.contains(name); }))
        return {};
    for (auto const* state : {director.after, director.before}) {
        std::set<std::string> usual;
        for (auto const& interface : state->interfaces)
            usual.insert(interface.str());
        if (usual == entered)
            return {};
    }
    std::vector<std::string> names;
    for (auto const& interface : change.interfaces)
        names.push_back(interface.str());
    return " on " + list_of(names);
}

/// Sentences that differ in their targets alone are one.
struct Group {
    Change change; // its text is what stands behind the targets, for one and for several
    std::string tail_of_many;
    std::vector<std::string> targets;
};

class TrafficLines {
public:
    TrafficLines(Comparison const& all, DirectorPair const& director, std::vector<MarkChange> const& traffic)
        : all_(all), director_(director), traffic_(traffic) {}

    void run(Changes& out) {
        for (auto const& change : traffic_)
            add(change);
        finish(out);
    }

private:
    void add(MarkChange const& change) {
        if (change.before.unknown || change.after.unknown) {
            unknown(change);
            return;
        }
        auto const family = change.destination.prefix.family();
        auto const* from = change.before.dropped ? nullptr : director_.before->find({change.before.mark, family});
        auto const* to = change.after.dropped ? nullptr : director_.after->find({change.after.mark, family});
        if (change.sent_here)
            sent_here(change, from, to);
        else if (!change.from_others() && is_macs_alone(change))
            from_macs(change, from, to);
        else
            from_clients(change, from, to);
    }

    void finish(Changes& out) {
        for (auto& [key, group] : groups_) {
            auto const& tail = group.targets.size() == 1 ? group.change.text : group.tail_of_many;
            group.change.text = list_of(group.targets) + tail;
            out.push_back(std::move(group.change));
        }
        for (auto& [key, services] : macs_)
            if (!is_guard_alone(std::get<1>(key)) || !is_told_of(std::get<0>(key)))
                add_mac(std::get<0>(key), std::get<1>(key), services, out);
    }

    enum class Turn : std::uint8_t { balanced, not_balanced, moved, guarded, unguarded };

    void from_clients(MarkChange const& change, NamedService const* from, NamedService const* to) {
        auto where = place_of(change, director_);
        if (!change.from_others())
            where += " from devices without Ethernet addresses";
        if (from != nullptr && to != nullptr)
            moved(change, *from, *to, where);
        else if (to != nullptr)
            add(change, Change::Kind::balanced, to->name,
                {fmt::format(" is now balanced{} (mark {})", where, to->service.mark.str()),
                 fmt::format(" are now balanced{} (mark {})", where, to->service.mark.str())},
                {"open TCP connections stay where they are", false});
        else if (from != nullptr)
            not_balanced(change, *from, where);
    }

    void not_balanced(MarkChange const& change, NamedService const& from, std::string const& where) {
        auto fate = fate_of(from, *director_.after);
        // Clients that come anew find nobody, whatever becomes of those that are there.
        add(change, Change::Kind::not_balanced, all_.name_of(from),
            {fmt::format(" is no longer balanced{}", where), fmt::format(" are no longer balanced{}", where)},
            {std::move(fate.text), true});
    }

    void moved(MarkChange const& change, NamedService const& from, NamedService const& to, std::string const& where) {
        auto fate = fate_of(from, *director_.after);
        auto const marks = fmt::format("mark {} to {}", from.service.mark.str(), to.service.mark.str());
        if (from.service.persistence)
            fate.text += "; clients are scheduled anew, whatever server they were held at";
        if (all_.name_of(from) != to.name) {
            auto const tail = fmt::format("{} from {} to {} ({})", where, from.name, to.name, marks);
            add(change, Change::Kind::moved, to.name, {" goes" + tail, " go" + tail}, std::move(fate));
            return;
        }
        Change line{Change::Kind::mark, "service " + to.name, {director_.name}, {}, std::move(fate.text), fate.breaks};
        auto& group = groups_[{line.subject, line.kind, marks, line.connections}];
        line.text = ": the service is made anew";
        group.tail_of_many = line.text;
        group.change = std::move(line);
        group.targets = {marks};
    }

    void sent_here(MarkChange const& change, NamedService const* from, NamedService const* to) {
        auto const* service = to != nullptr ? to : from;
        if (service == nullptr || (from != nullptr && to != nullptr && all_.name_of(*from) == to->name))
            return; // the guard's, or a mark that the sentence about clients tells
        auto const name = to != nullptr ? to->name : all_.name_of(*from);
        std::string const what = to != nullptr ? "now" : "no longer";
        add(change, to != nullptr ? Change::Kind::balanced : Change::Kind::not_balanced, name,
            {fmt::format(" is {} balanced for this director's own connections", what),
             fmt::format(" are {} balanced for this director's own connections", what)},
            {to != nullptr ? std::string("open TCP connections stay where they are")
                           : fate_of(*from, *director_.after).text,
             to == nullptr && fate_of(*from, *director_.after).breaks});
    }

    /// Peers and bypassed boxes: one sentence for a box, not for each of its packets.
    void from_macs(MarkChange const& change, NamedService const* from, NamedService const* to) {
        Turn turn = Turn::moved;
        if (from == nullptr && to != nullptr)
            turn = Turn::balanced;
        else if (from != nullptr && to == nullptr)
            turn = Turn::not_balanced;
        else if (from == nullptr) {
            if (is_guard_told(change))
                return;
            turn = change.after.mark == Fwmark{} ? Turn::unguarded : Turn::guarded;
        }
        std::string name;
        if (to != nullptr)
            name = to->name;
        else if (from != nullptr)
            name = all_.name_of(*from);
        for (auto const& source : change.sources)
            macs_[{source.mac, turn}].insert(name);
    }

    void add_mac(MacAddress const& mac, Turn turn, std::set<std::string> const& services, Changes& out) const {
        auto const owner = all_.owner_of(mac);
        auto const what = owner.empty() ? fmt::format("packets from {}", mac.str())
                                        : fmt::format("packets from {} ({})", mac.str(), owner);
        auto const of = list_of({services.begin(), services.end()});
        Change change{
            Change::Kind::peer, owner.empty() ? "site" : "director " + owner, {director_.name}, {}, {}, false};
        if (services.size() == 1 && owner.empty() && !services.begin()->empty())
            change.subject = "service " + *services.begin();
        switch (turn) {
        case Turn::balanced:
            change.text = fmt::format("{} are balanced as any client's: {}", what, of);
            change.connections = "open TCP connections stay where they are";
            break;
        case Turn::not_balanced:
            change.text = fmt::format("{} are no longer balanced: {}", what, of);
            change.connections = "established connections go on";
            break;
        case Turn::moved:
            change.text = fmt::format("{} go to another service: {}", what, of);
            change.connections = "as for any client";
            break;
        case Turn::guarded:
        case Turn::unguarded:
            change.kind = Change::Kind::guard;
            change.text = turn == Turn::guarded
                              ? fmt::format("{} that IPVS remembers get the guard mark", what)
                              : fmt::format("{} that IPVS remembers lose the guard mark, and can loop", what);
            change.connections = "established connections go on";
            change.disruptive = turn == Turn::unguarded;
            break;
        }
        out.push_back(std::move(change));
    }

    /// Whether the guard comes or goes with a service's packets, or with the guard of the whole site: these have
    /// sentences of their own. A guard mark with another number is as good.
    [[nodiscard]] bool is_guard_told(MarkChange const& change) const {
        if (change.before.mark != Fwmark{} && change.after.mark != Fwmark{})
            return true;
        if (all_.before.site != nullptr && all_.after.site != nullptr &&
            all_.before.site->guard != all_.after.site->guard)
            return true;
        return std::ranges::any_of(traffic_, [&](MarkChange const& other) {
            return other.from_others() && other.destination.prefix == change.destination.prefix &&
                   other.ports == change.ports;
        });
    }

    static bool is_guard_alone(Turn turn) { return turn == Turn::guarded || turn == Turn::unguarded; }

    /// Whether a box becomes a peer, or is none any more: its packets get the guard or lose it on other interfaces too.
    [[nodiscard]] bool is_told_of(MacAddress const& mac) const {
        return std::ranges::any_of(macs_, [&](auto const& entry) {
            return std::get<0>(entry.first) == mac && !is_guard_alone(std::get<1>(entry.first));
        });
    }

    static bool is_macs_alone(MarkChange const& change) {
        return std::ranges::all_of(change.sources,
                                   [](auto const& source) { return source.kind == SourceClass::Kind::mac; });
    }

    void unknown(MarkChange const& change) {
        add(change, Change::Kind::unknown, {},
            {" meets a rule that lbc does not understand", " meet a rule that lbc does not understand"}, {{}, true});
    }

    struct Tails {
        std::string of_one;
        std::string of_many;
    };

    void add(MarkChange const& change, Change::Kind kind, std::string const& service, Tails tails, Fate fate) {
        Change line{kind,
                    service.empty() ? "site" : "service " + service,
                    {director_.name},
                    std::move(tails.of_one),
                    std::move(fate.text),
                    fate.breaks};
        auto& group = groups_[{line.subject, kind, tails.of_many, line.connections}];
        group.tail_of_many = std::move(tails.of_many);
        group.change = std::move(line);
        for (auto& target : targets_of(change))
            if (!contains(group.targets, target))
                group.targets.push_back(std::move(target));
    }

    Comparison const& all_;
    DirectorPair const& director_;
    std::vector<MarkChange> const& traffic_;
    std::map<std::tuple<std::string, Change::Kind, std::string, std::string>, Group> groups_;
    std::map<std::tuple<MacAddress, Turn>, std::set<std::string>> macs_;
};

} // namespace

std::string list_of(std::vector<std::string> const& items) {
    constexpr std::size_t most = 6;
    if (items.size() <= most)
        return fmt::format("{}", fmt::join(items, ", "));
    return fmt::format("{}, and {} more", fmt::join(items.begin(), items.begin() + most, ", "), items.size() - most);
}

void add_traffic_lines(Comparison const& all, DirectorPair const& director, std::vector<MarkChange> const& traffic,
                       Changes& out) {
    TrafficLines(all, director, traffic).run(out);
}

} // namespace lbc
