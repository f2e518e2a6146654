#include "compiler/diff/rollout.hpp"

#include "compiler/analysis/handoff.hpp"
#include "compiler/diff/vrrp_changes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace lbc {
namespace {

template <typename T>
void add_all(std::vector<T>& list, std::vector<T> const& more) {
    for (auto const& item : more)
        if (!contains(list, item))
            list.push_back(item);
}

std::vector<DirectorAcrossRollout> directors_across(Side const& before, Side const& after, Difference const& difference,
                                                    Work& work) {
    std::vector<DirectorAcrossRollout> boxes;
    for (auto const& pair : pair_directors(before, after)) {
        auto& box = boxes.emplace_back();
        box.name = pair.name;
        auto const states = std::array{pair.before, pair.after};
        for (std::size_t i = 0; i < states.size(); ++i) {
            box.versions[i].state = states[i];
            for (std::size_t family = 0; family < families.size(); ++family)
                box.versions[i].rules[family] = std::make_shared<RuleIndex const>(states[i]->marks[family], &work);
            add_all(box.macs, states[i]->macs);
            add_all(box.addresses, states[i]->addresses);
        }
        box.changes = pair.before->marks != pair.after->marks || pair.before->backup_only != pair.after->backup_only ||
                      !std::ranges::is_permutation(pair.before->macs, pair.after->macs) ||
                      !std::ranges::is_permutation(pair.before->addresses, pair.after->addresses) ||
                      std::ranges::any_of(difference.changes, [&](Change const& change) {
                          return contains(change.directors, pair.name); // its services among them
                      });
    }
    return boxes;
}

/// Puts directors into an order that keeps every `first` before its `second`.
class Order {
public:
    explicit Order(std::vector<std::string> names) : left_(std::move(names)) {}

    void need(std::string first, std::string second) { needs_.emplace(std::move(first), std::move(second)); }
    [[nodiscard]] bool is_free() const { return needs_.empty(); }

    void run(Rollout& rollout) {
        for (bool found = true; found;) {
            found = false;
            for (auto name = left_.begin(); name != left_.end(); ++name)
                if (!waits(*name)) {
                    rollout.order.push_back(*name);
                    left_.erase(name);
                    found = true;
                    break;
                }
        }
        // Directors for which no other waits come after the cycle.
        for (bool found = true; found;)
            found = std::erase_if(left_, [&](std::string const& name) { return !is_needed(name); }) > 0;
        rollout.cycle = left_;
    }

private:
    [[nodiscard]] bool waits(std::string const& name) const {
        return std::ranges::any_of(
            needs_, [&](auto const& need) { return need.second == name && contains(left_, need.first); });
    }

    [[nodiscard]] bool is_needed(std::string const& name) const {
        return std::ranges::any_of(
            needs_, [&](auto const& need) { return need.first == name && contains(left_, need.second); });
    }

    std::vector<std::string> left_;
    std::set<std::pair<std::string, std::string>> needs_;
};

/// Whether two hazards differ in their service alone.
bool is_alike(Hazard const& a, Hazard const& b) {
    return std::tie(a.kind, a.from, a.to, a.from_new, a.to_new) ==
               std::tie(b.kind, b.from, b.to, b.from_new, b.to_new) &&
           (a.kind != Hazard::Kind::lost || a.detail == b.detail);
}

std::string when_of(Hazard const& hazard) {
    auto const version = [](bool is_new) { return is_new ? "the new site" : "the old site"; };
    if (hazard.from_new == hazard.to_new)
        return fmt::format("with {}", version(hazard.to_new));
    return fmt::format("while {} has {} and {} {}", hazard.from, version(hazard.from_new), hazard.to,
                       version(hazard.to_new));
}

class RolloutPlanner {
public:
    RolloutPlanner(Side const& before, Side const& after, Difference const& difference)
        : before_(before), after_(after), renamed_(difference.renamed),
          boxes_(directors_across(before, after, difference, work_)) {
        for (auto const& box : boxes_)
            directors_.insert(box.addresses.begin(), box.addresses.end());
    }

    Rollout run() {
        std::vector<std::string> changing;
        for (auto const& box : boxes_)
            if (box.changes)
                changing.push_back(box.name);
        if (changing.empty())
            return {};
        Order order(changing);
        for (auto const& from : boxes_)
            for (auto const& to : boxes_)
                if (from.name != to.name && !work_.is_spent())
                    meet(from, to, order);
        if (work_.is_spent())
            return {Rollout::Verdict::unknown, {}, {}, {}, {}, {}, {}};
        if (before_.site->sync && after_.site->sync)
            sync();
        if (changing.size() <= 1)
            rollout_.verdict = Rollout::Verdict::one_director;
        else if (order.is_free())
            rollout_.verdict = Rollout::Verdict::any_order;
        else {
            order.run(rollout_);
            rollout_.verdict = rollout_.cycle.empty() ? Rollout::Verdict::in_order : Rollout::Verdict::no_order;
        }
        return std::move(rollout_);
    }

private:
    void meet(DirectorAcrossRollout const& from, DirectorAcrossRollout const& to, Order& order) {
        auto const old = find_handoffs(from, 0, to, 0, directors_, TunnelEntry::anywhere, work_);
        auto const wanted = find_handoffs(from, 1, to, 1, directors_, TunnelEntry::anywhere, work_);
        for (auto const& finding : wanted)
            rollout_.standing.push_back(hazard(finding, from, true, to, true));
        lost(from, to);
        if (!from.changes || !to.changes)
            return;
        for (bool const from_new : {false, true})
            for (auto const& finding : find_handoffs(from, from_new ? 1 : 0, to, from_new ? 0 : 1, directors_,
                                                     TunnelEntry::anywhere, work_)) {
                if (old.contains(finding.first) || wanted.contains(finding.first))
                    continue; // it does not depend on the order
                rollout_.avoided.push_back(hazard(finding, from, from_new, to, !from_new));
                if (from_new)
                    order.need(to.name, from.name);
                else
                    order.need(from.name, to.name);
            }
    }

    static Hazard hazard(Findings::value_type const& finding, DirectorAcrossRollout const& from, bool from_new,
                         DirectorAcrossRollout const& to, bool to_new) {
        auto const& [fault, service] = finding.first;
        auto const kind = fault == Fault::balanced_twice ? Hazard::Kind::balanced_twice : Hazard::Kind::remembered;
        return {kind, from.name, to.name, from_new, to_new, service, title(finding.second.received)};
    }

    /// Adds addresses that `to` has given up while `from` still sends there.
    void lost(DirectorAcrossRollout const& from, DirectorAcrossRollout const& to) {
        if (to.versions[1].state == &empty_state())
            return;
        for (auto const& service : from.versions[0].state->services)
            for (auto const& real : service.service.reals)
                if (contains(to.versions[0].state->addresses, real.address) &&
                    !contains(to.versions[1].state->addresses, real.address))
                    rollout_.unavoidable.push_back(
                        {Hazard::Kind::lost, from.name, to.name, false, true, service.name, real.address.str()});
    }

    /// Adds synchronised connections that a failover loses: such a connection finds its service by mark
    /// (ip_vs_proc_conn).
    void sync() {
        for (auto const& from : boxes_)
            for (auto const& to : boxes_) {
                if (from.name == to.name || !from.changes || !to.changes)
                    continue;
                for (auto const& service : from.versions[0].state->services) {
                    auto const was = mark_of(to, 0, service);
                    auto const is = mark_of(to, 1, service);
                    if (was == service.service.mark && is && *is != service.service.mark)
                        rollout_.unavoidable.push_back(
                            {Hazard::Kind::sync, from.name, to.name, false, true, service.name,
                             fmt::format("{} and {}", service.service.mark.str(), is->str())});
                }
            }
    }

    [[nodiscard]] std::optional<Fwmark> mark_of(DirectorAcrossRollout const& box, std::size_t version,
                                                NamedService const& like) const {
        auto const found = renamed_.find(like.name);
        auto const& new_name = found == renamed_.end() ? like.name : found->second;
        for (auto const& service : box.versions[version].state->services)
            if (service.name == (version == 0 ? like.name : new_name) && service.service.family == like.service.family)
                return service.service.mark;
        return std::nullopt;
    }

    Side const& before_;
    Side const& after_;
    std::map<std::string, std::string> const& renamed_;
    Work work_;
    std::vector<DirectorAcrossRollout> boxes_;
    std::set<IpAddress> directors_; // addresses of all of them
    Rollout rollout_;
};

} // namespace

std::string_view to_string(Hazard::Kind kind) {
    switch (kind) {
    case Hazard::Kind::balanced_twice: return "balanced-twice";
    case Hazard::Kind::remembered: return "remembered";
    case Hazard::Kind::lost: return "lost";
    case Hazard::Kind::sync: return "sync";
    }
    return {};
}

std::string_view to_string(Rollout::Verdict verdict) {
    switch (verdict) {
    case Rollout::Verdict::one_director: return "one-director";
    case Rollout::Verdict::any_order: return "any-order";
    case Rollout::Verdict::in_order: return "in-order";
    case Rollout::Verdict::no_order: return "no-order";
    case Rollout::Verdict::unknown: return "unknown";
    }
    return {};
}

std::string sentence(Hazard const& hazard) { return sentences(std::span(&hazard, 1)).front(); }

std::vector<std::string> sentences(std::span<Hazard const> hazards) {
    std::vector<std::string> texts;
    for (std::size_t first = 0; first < hazards.size();) {
        auto last = first;
        std::vector<std::string> services;
        for (; last < hazards.size() && is_alike(hazards[first], hazards[last]); ++last)
            if (!contains(services, hazards[last].service))
                services.push_back(hazards[last].service);
        auto const [from, to] = std::tie(hazards[first].from, hazards[first].to);
        auto const of = list_of(services);
        auto const& detail = hazards[first].detail;
        auto const& when = when_of(hazards[first]);
        switch (hazards[first].kind) {
        case Hazard::Kind::balanced_twice:
            texts.push_back(
                fmt::format("{}, {} balances again what {} forwards to it: {} ({})", when, to, from, of, detail));
            break;
        case Hazard::Kind::remembered:
            texts.push_back(fmt::format("{}, {} may send back what it remembers of {}, and no guard stops it ({})",
                                        when, to, of, detail));
            break;
        case Hazard::Kind::lost:
            texts.push_back(fmt::format("{}, {} sends a share of {} to {}: {} must keep that address until then", when,
                                        from, of, detail, to));
            break;
        case Hazard::Kind::sync:
            texts.push_back(fmt::format(
                "{}, a failover between them loses the synchronised connections of {} (marks {})", when, of, detail));
            break;
        }
        first = last;
    }
    return texts;
}

Rollout plan_rollout(Side const& before, Side const& after, Difference const& difference) {
    auto rollout = RolloutPlanner(before, after, difference).run();
    rollout.vrrp = vrrp_steps({before, after, pair_directors(before, after), difference.renamed});
    return rollout;
}

} // namespace lbc
