#include "compiler/diff/lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tuple>

namespace lbc {
namespace {

std::set<std::string> texts_of(std::vector<InterfacePattern> const& patterns) {
    std::set<std::string> texts;
    for (auto const& pattern : patterns)
        texts.emplace(pattern.str());
    return texts;
}

/// The interfaces where the packets enter. Empty if that is anywhere, or where all clients of this director enter
/// before and after.
std::string place_of(MarkChange const& change, DirectorPair const& director) {
    std::set<std::string> entered;
    std::set<std::string> except;
    std::vector<std::string> names;
    for (auto const& interface : change.interfaces) {
        entered.emplace(interface.pattern ? interface.pattern->str() : interface.name);
        except.merge(texts_of(interface.except));
        names.push_back(interface.str());
    }
    // An exception of a pattern that is listed by its own name is no exception of the whole.
    std::erase_if(except, [&](std::string const& name) { return entered.contains(name); });
    if (entered.contains("+") && except == std::set<std::string>{"lo"})
        return {};
    auto const usual = texts_of((director.leaves() ? director.before : director.after)->interfaces);
    bool const same = director.joins() || director.leaves() || usual == texts_of(director.before->interfaces);
    if (same && except.empty() && usual == entered)
        return {};
    return " on " + list_of(names);
}

/// Merges sentences that differ only in their targets.
struct Group {
    Change change; // its text follows a single target
    std::string tail_of_many;
    std::vector<std::string> targets;
};

class TrafficLines {
public:
    TrafficLines(Comparison const& all, DirectorPair const& director, std::vector<MarkChange> const& traffic)
        : all_(all), director_(director), traffic_(traffic) {}

    std::set<ServiceKey> run(ChangeList& out) {
        for (auto const& change : traffic_)
            if (change.from_others())
                for (auto const& ports : change.ports)
                    of_clients_.emplace(change.destination.prefix, ports);
        for (auto const& change : traffic_)
            add(change);
        finish(out);
        return std::move(told_);
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
        if (change.carried != Fwmark{})
            guard(change);
        else if (change.sent_here)
            sent_here(change, from, to);
        else if (!change.from_others() && is_macs_alone(change))
            from_macs(change, from, to);
        else
            from_clients(change, from, to);
    }

    void finish(ChangeList& out) {
        for (auto& [key, group] : groups_) {
            auto const& tail = group.targets.size() == 1 ? group.change.text : group.tail_of_many;
            group.change.text = list_of(group.targets) + tail;
            out.push_back(std::move(group.change));
        }
        for (auto const& text : guards_)
            out.push_back({Change::Kind::guard,
                           "site",
                           {director_.name},
                           text,
                           "established connections go on",
                           text.ends_with("let go")});
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
        else
            unserved(change, where);
    }

    /// Packets that neither side balances: the rules are not those of a site.
    void unserved(MarkChange const& change, std::string const& where) {
        auto const what = [](Outcome const& outcome) {
            if (outcome.dropped)
                return std::string("dropped");
            return outcome.mark == Fwmark{} ? std::string("left alone")
                                            : fmt::format("given mark {}, which no service has", outcome.mark.str());
        };
        auto const tail = fmt::format("{} {}, and will be {}", where, what(change.before), what(change.after));
        add(change, Change::Kind::unknown, {}, {" is now" + tail, " are now" + tail},
            {"", change.before.dropped || change.after.dropped});
    }

    void not_balanced(MarkChange const& change, NamedService const& from, std::string const& where) {
        told_.insert(from.key());
        auto fate = fate_of(from, *director_.after);
        // New clients are not served, whatever the fate of established connections.
        add(change, Change::Kind::not_balanced, all_.name_of(from),
            {fmt::format(" is no longer balanced{}", where), fmt::format(" are no longer balanced{}", where)},
            {std::move(fate.text), true});
    }

    void moved(MarkChange const& change, NamedService const& from, NamedService const& to, std::string const& where) {
        told_.insert(from.key());
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
        auto const* owner = director_.before->find(to.key());
        line.text =
            owner == nullptr ? ": the service is made anew" : fmt::format(", which was that of {}", owner->name);
        if (from.name != to.name && owner == nullptr)
            line.text += fmt::format("; write `mark {}` to keep it", from.service.mark.str());
        group.tail_of_many = line.text;
        group.change = std::move(line);
        group.targets = {marks};
    }

    void sent_here(MarkChange const& change, NamedService const* from, NamedService const* to) {
        auto const* service = to != nullptr ? to : from;
        if (service == nullptr || (from != nullptr && to != nullptr && all_.name_of(*from) == to->name))
            return; // the guard's, or a mark that the sentence about clients names
        auto const name = to != nullptr ? to->name : all_.name_of(*from);
        std::string const what = to != nullptr ? "now" : "no longer";
        add(change, to != nullptr ? Change::Kind::balanced : Change::Kind::not_balanced, name,
            {fmt::format(" is {} balanced for this director's own connections", what),
             fmt::format(" are {} balanced for this director's own connections", what)},
            {to != nullptr ? std::string("open TCP connections stay where they are")
                           : fate_of(*from, *director_.after).text,
             to == nullptr && fate_of(*from, *director_.after).breaks});
    }

    /// Packets of peers and bypassed boxes: one sentence for each box, not for each kind of packet.
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

    void add_mac(MacAddress const& mac, Turn turn, std::set<std::string> const& services, ChangeList& out) const {
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
            change.connections = owner.empty() ? "open TCP connections stay where they are"
                                               : fmt::format("if {} still sends with it, they loop", owner);
            change.disruptive = !owner.empty();
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

    /// Whether the guard changes with a service's packets, or with the guard of the whole site: these have sentences of
    /// their own. A guard mark with another number counts as the same.
    [[nodiscard]] bool is_guard_told(MarkChange const& change) const {
        if (change.carried == Fwmark{} && change.before.mark != Fwmark{} && change.after.mark != Fwmark{})
            return true;
        if (all_.before.site != nullptr && all_.after.site != nullptr &&
            all_.before.site->guard != all_.after.site->guard)
            return true;
        return std::ranges::all_of(change.ports, [&](ProtocolPorts const& ports) {
            return of_clients_.contains({change.destination.prefix, ports});
        });
    }

    static bool is_guard_alone(Turn turn) { return turn == Turn::guarded || turn == Turn::unguarded; }

    /// Whether a box becomes a peer or stops being one: its packets also get or lose the guard on other interfaces.
    [[nodiscard]] bool is_told_of(MacAddress const& mac) const {
        return std::ranges::any_of(macs_, [&](auto const& entry) {
            return std::get<0>(entry.first) == mac && !is_guard_alone(std::get<1>(entry.first));
        });
    }

    static bool is_macs_alone(MarkChange const& change) {
        return std::ranges::all_of(change.sources,
                                   [](auto const& source) { return source.kind == SourceClass::Kind::mac; });
    }

    /// Packets that leave with a mark that a rule matches: the guard's.
    void guard(MarkChange const& change) {
        // Between two sites, other sentences state the cause: the guard's mode, a service, a real server.
        auto const of_service = of_clients_.lower_bound({change.destination.prefix, {}});
        if (all_.before.site != nullptr ||
            (of_service != of_clients_.end() && of_service->first == change.destination.prefix))
            return;
        auto const what = [&](Outcome const& outcome) {
            if (outcome.dropped)
                return "dropped";
            return outcome.mark == change.carried ? "let go" : "delivered here";
        };
        guards_.insert(fmt::format("what IPVS would forward a second time is now {}, and will be {}",
                                   what(change.before), what(change.after)));
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
    std::set<std::pair<Prefix, ProtocolPorts>> of_clients_; // the changes for clients
    std::set<std::string> guards_;                          // the changes in what the guard does
    std::set<ServiceKey> told_;
};

} // namespace

std::set<ServiceKey> add_traffic_lines(Comparison const& all, DirectorPair const& director,
                                       std::vector<MarkChange> const& traffic, ChangeList& out) {
    return TrafficLines(all, director, traffic).run(out);
}

} // namespace lbc
