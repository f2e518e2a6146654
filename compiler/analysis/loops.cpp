#include "compiler/analysis/loops.hpp"

#include "compiler/analysis/packet_classes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc {
namespace {

DirectorAcrossRollout director_across(DirectorRules const& director) {
    DirectorAcrossRollout box;
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
                auto const found = find_handoffs(director_across(from), 1, director_across(to), 1, addresses_,
                                                 TunnelEntry::unnamed, work_);
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
        path.hops.front().source.reset(); // from a client
        // The first director among the real servers need not be the one of the finding.
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
        auto const outcomes = index.at(Prefix::host(packet.destination))
                                  .evaluate(Direction::entering, packet, {packet.port, packet.port});
        for (auto const& outcome : outcomes.front().outcomes)
            if (outcome.is_marked() && director.state->find({outcome.mark, packet.destination.family()}) != nullptr)
                return outcome.mark;
        return {};
    }

    /// The hop of a packet with a mark: to another director, if one is a real server of the service.
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

    /// The hop of a packet that reaches a director: by its mark, or from memory if no guard stops it.
    [[nodiscard]] Hop step(DirectorRules const& at, Packet const& packet, Packet const& as_sent, bool knows) const {
        auto const mark = mark_at(at, packet);
        if (mark != Fwmark{} || !knows || !forgets_guard(at, packet))
            return hop(at, packet, mark);
        // A remembered connection has the mark of the time when its packets came from a client.
        auto next = hop(at, packet, mark_at(at, as_sent));
        next.mark = {};
        return next;
    }

    /// Whether packets that IPVS forwards from memory leave the box.
    static bool forgets_guard(DirectorRules const& at, Packet const& packet) {
        if (at.state->backup_only)
            return false;
        auto const rules = at.rules[index_of(packet.destination.family())]->at(Prefix::host(packet.destination));
        auto leaving = packet;
        leaving.mark = rules.evaluate(Direction::entering, packet).mark;
        leaving.interface.clear();
        leaving.source.reset();
        auto const left = rules.evaluate(Direction::leaving, leaving);
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
