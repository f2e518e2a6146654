#include "compiler/proof/loops.hpp"

#include "compiler/proof/packet_space.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc {
namespace {

Box box_of(DirectorRules const& director) {
    Box box;
    box.name = director.state->name;
    box.macs = director.state->macs;
    box.addresses = director.state->addresses;
    for (auto& version : box.versions)
        version = {director.state, director.rules};
    return box;
}

class PathFinder {
public:
    PathFinder(std::span<DirectorRules const> directors, Work& work) : directors_(directors), work_(work) {
        for (auto const& director : directors)
            addresses_.insert(director.state->addresses.begin(), director.state->addresses.end());
    }

    std::vector<LoopPath> run() {
        std::vector<LoopPath> paths;
        for (auto const& from : directors_)
            for (auto const& to : directors_) {
                if (&from == &to)
                    continue;
                auto const found = meet_boxes(box_of(from), 1, box_of(to), 1, addresses_, TunnelEntry::unnamed, work_);
                if (work_.is_spent())
                    return paths;
                for (auto const& [what, finding] : found)
                    paths.push_back(path(from, to, what.first, what.second, finding));
            }
        return paths;
    }

private:
    LoopPath path(DirectorRules const& from, DirectorRules const& to, Fault fault, std::string const& service,
                  Finding const& finding) const {
        LoopPath path{fault, service, finding.sent, {}, false};
        path.hops.push_back(hop(from, finding.sent, mark_at(from, finding.sent)));
        path.hops.front().source.reset(); // a client's
        // The first of the services' directors need not be the one that was found.
        path.hops.front().next_director = to.state->name;
        if (auto const address = common_address(from, to, path.hops.front()))
            path.hops.front().next = *address;
        auto packet = finding.received;
        auto const* at = &to;
        std::set<std::string> knows{from.state->name}; // whose IPVS has the connection
        if (fault == Fault::remembered)
            knows.insert(to.state->name);
        std::set<std::pair<std::string, std::optional<MacAddress>>> seen;
        while (at != nullptr) {
            auto next = step(*at, packet, finding.sent, knows.contains(at->state->name));
            path.hops.push_back(next);
            if (next.next_director.empty())
                break;
            path.goes_round = !seen.emplace(at->state->name, packet.source).second;
            if (path.goes_round)
                break;
            knows.insert(at->state->name);
            packet.source = at->state->macs.empty() ? std::nullopt : std::optional(at->state->macs.front());
            at = find(next.next_director);
        }
        if (path.goes_round)
            path.hops.pop_back(); // it is the first of the round
        return path;
    }

    [[nodiscard]] DirectorRules const* find(std::string_view name) const {
        auto const found =
            std::ranges::find_if(directors_, [&](DirectorRules const& one) { return one.state->name == name; });
        return found == directors_.end() ? nullptr : &*found;
    }

    static Fwmark mark_at(DirectorRules const& director, Packet const& packet) {
        auto const& index = *director.rules[index_of(packet.destination.family())];
        auto const outcomes =
            index.at(Prefix::host(packet.destination)).walk(Direction::entering, packet, {packet.port, packet.port});
        for (auto const& outcome : outcomes.front().outcomes)
            if (outcome.is_marked() && director.state->find({outcome.mark, packet.destination.family()}) != nullptr)
                return outcome.mark;
        return {};
    }

    /// What a director does with a packet of a mark: it goes to another director, where the service has one.
    [[nodiscard]] Hop hop(DirectorRules const& at, Packet const& packet, Fwmark mark) const {
        Hop hop{at.state->name, packet.source, mark, {}, {}, {}};
        auto const* service = at.state->find({mark, packet.destination.family()});
        if (service == nullptr)
            return hop;
        hop.service = service->name;
        for (auto const& real : service->service.reals)
            for (auto const& director : directors_) {
                auto const& own = director.state->addresses;
                if (&director == &at || !hop.next_director.empty() || std::ranges::find(own, real.address) == own.end())
                    continue;
                hop.next = real.address;
                hop.next_director = director.state->name;
            }
        return hop;
    }

    /// What a director does with a packet that comes to it: by its mark, or by its memory, if no guard is on it.
    [[nodiscard]] Hop step(DirectorRules const& at, Packet const& packet, Packet const& as_sent, bool knows) const {
        auto const mark = mark_at(at, packet);
        if (mark != Fwmark{} || !knows || !forgets_guard(at, packet))
            return hop(at, packet, mark);
        // Of what is remembered, the mark is that of the time when it was a client's packet.
        auto next = hop(at, packet, mark_at(at, as_sent));
        next.mark = {};
        return next;
    }

    /// Whether what IPVS forwards from memory leaves the box.
    static bool forgets_guard(DirectorRules const& at, Packet const& packet) {
        if (at.state->backup_only)
            return false;
        auto const rules = at.rules[index_of(packet.destination.family())]->at(Prefix::host(packet.destination));
        auto leaving = packet;
        leaving.mark = rules.walk(Direction::entering, packet).mark;
        leaving.interface.clear();
        leaving.source.reset();
        auto const left = rules.walk(Direction::leaving, leaving);
        return left.may_have(leaving.mark);
    }

    static std::optional<IpAddress> common_address(DirectorRules const& from, DirectorRules const& to, Hop const& hop) {
        for (auto const& service : from.state->services)
            if (service.service.mark == hop.mark && service.name == hop.service)
                for (auto const& real : service.service.reals)
                    if (std::ranges::find(to.state->addresses, real.address) != to.state->addresses.end())
                        return real.address;
        return std::nullopt;
    }

    std::span<DirectorRules const> directors_;
    Work& work_;
    std::set<IpAddress> addresses_;
};

} // namespace

std::vector<LoopPath> find_loops(std::span<DirectorRules const> directors, Work& work) {
    return PathFinder(directors, work).run();
}

std::vector<DirectorRules> rules_of(DirectorStates const& states, Work& work) {
    std::vector<DirectorRules> all;
    for (auto const& state : states) {
        auto& added = all.emplace_back(DirectorRules{&state, {}});
        for (auto const family : families)
            added.rules[index_of(family)] = std::make_shared<RuleIndex const>(state.marks[index_of(family)], &work);
    }
    return all;
}

std::string title(LoopPath const& path) {
    auto const& to = path.hops[1];
    auto received = path.packet;
    received.source = to.source;
    if (path.fault == Fault::balanced_twice)
        return fmt::format("{} balances again what {} forwards to it: {}", to.director, path.hops.front().director,
                           title(received));
    return fmt::format("{} sends back what {} forwards to it, if its IPVS remembers the connection: {}", to.director,
                       path.hops.front().director, title(received));
}

std::vector<std::string> lines_of(LoopPath const& path) {
    std::vector<std::string> lines;
    auto before = std::string("a client");
    for (auto const& hop : path.hops) {
        auto line = fmt::format("{} to {}", before, hop.director);
        if (hop.source)
            line += fmt::format(", from {}", hop.source->str());
        if (hop.service.empty())
            line += ": no mark, so it is delivered there";
        else if (hop.mark == Fwmark{})
            line += fmt::format(": no mark, but the connection is remembered, of {}", hop.service);
        else
            line += fmt::format(": mark {}, {}", hop.mark.str(), hop.service);
        if (!hop.next_director.empty())
            line += fmt::format("; on to {} ({})", hop.next.str(), hop.next_director);
        lines.push_back(std::move(line));
        before = hop.director;
    }
    if (path.goes_round)
        lines.back() += ", and so on until its TTL is gone";
    return lines;
}

} // namespace lbc
