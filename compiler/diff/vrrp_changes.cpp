#include "compiler/diff/vrrp_changes.hpp"

#include "compiler/diff/fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace lbc {
namespace {

constexpr Milliseconds usual_advert{1000}; // keepalived's
constexpr int highest_rank = 254;

std::string switch_text(bool on) { return on ? "on" : "off"; }

/// "unset to a secret", "the old secret to the new one", "the old secret to unset".
std::pair<std::string, std::string> secrets(std::string const& before, std::string const& after) {
    return {before.empty() ? "unset" : "the old secret", after.empty()    ? "unset"
                                                         : before.empty() ? "a secret"
                                                                          : "the new one"};
}

bool has(Ranks const& ranks, std::string const& name) {
    return std::ranges::find(ranks, name, &Ranks::value_type::first) != ranks.end();
}

std::vector<std::string> missing_in(Ranks const& ranks, Ranks const& others) {
    std::vector<std::string> names;
    for (auto const& [name, rank] : ranks)
        if (!has(others, name))
            names.push_back(name);
    return names;
}

/// Collects sentences, each with the instances that it is about.
class Steps {
public:
    explicit Steps(Comparison const& all) : all_(all) {}

    std::vector<std::string> run() {
        auto const moved = moved_vips(all_);
        for (auto const& [before, after] : pair_instances(*all_.before.site, *all_.after.site)) {
            if (before != nullptr && after != nullptr)
                compare(*before, *after);
            if (auto const found = moved.find(after); found != moved.end())
                moves(*after, found->second);
        }
        std::vector<std::string> sentences;
        for (auto const& [text, names] : steps_)
            sentences.push_back(fmt::format("vrrp {}: {}", fmt::join(names, ", "), text));
        return sentences;
    }

private:
    void compare(Vrrp const& before, Vrrp const& after) {
        auto const& name = after.name.value;
        if (is_stuck(before, after))
            add(name,
                "stop keepalived on each director before it is changed, and start it behind that, on one after the "
                "other");
        if (auto const differs = unlike(all_, before, after); !differs.empty())
            return apart(before, after, std::ranges::any_of(differs, &Unlike::restarts));
        auto const [joining, leaving] = unicast_peers(all_, before, after);
        if (!joining.empty())
            add(name,
                fmt::format("start keepalived on {} when all others have the new site", fmt::join(joining, ", ")));
        if (!leaving.empty())
            add(name, fmt::format("stop keepalived on {} before others are changed", fmt::join(leaving, ", ")));
        auto const [master, behind, in_front] = detour(all_, before, after);
        if (!behind.empty() && !in_front.empty())
            add(name, fmt::format("in any order, its VIPs leave {} and come back", master));
        else if (!behind.empty())
            add(name, fmt::format("change {} before {}", master, fmt::join(behind, ", ")));
        else if (!in_front.empty())
            add(name, fmt::format("change {} before {}", fmt::join(in_front, ", "), master));
    }

    void moves(Vrrp const& to, std::vector<MovedVip> const& vips) {
        std::map<std::pair<std::string, bool>, std::vector<std::string>> ways; // by step, and whether the master stays
        for (auto const& vip : vips)
            if (auto step = way_of(to, vip); !step.empty())
                ways[{std::move(step), vip.from == vip.to}].push_back(vip.address);
        for (auto const& [way, addresses] : ways) {
            auto const& [step, stays] = way;
            auto const list = list_of(addresses);
            add(to.name.value, stays ? fmt::format("{}: {} is never on two directors, but leaves {} for a moment", step,
                                                   list, vips.front().to)
                                     : fmt::format("{}: {} is on neither in between, and never on both", step, list));
        }
    }

    /// The order in which no two directors hold the VIP; empty if every order is such.
    [[nodiscard]] std::string way_of(Vrrp const& to, MovedVip const& vip) const {
        if (vip.from != vip.to)
            return fmt::format("change {} before {}", vip.from, vip.to);
        std::vector<std::string> others;
        for (auto const& [name, rank] : ranks(all_, to, *all_.after.site))
            if (name != vip.to)
                others.push_back(name);
        if (others.empty() || !vip.may_be_on_two())
            return {};
        auto const names = fmt::format("{}", fmt::join(others, ", "));
        if (vip.to_new && vip.from_old)
            return fmt::format("stop keepalived on {}, change all directors, and start it there again", names);
        return vip.to_new ? fmt::format("change {} before {}", vip.to, names)
                          : fmt::format("change {} before {}", names, vip.to);
    }

    /// Adds the step for directors that would not hear each other.
    void apart(Vrrp const& before, Vrrp const& after, bool restarts) {
        auto const old = ranks(all_, before, *all_.before.site);
        auto const wanted = ranks(all_, after, *all_.after.site);
        auto const was = master_of(old);
        auto const master = has(wanted, was) ? was : master_of(wanted);
        std::vector<std::string> others;
        for (auto const* list : {&wanted, &old})
            for (auto const& [name, rank] : *list)
                if (name != master && !contains(others, name))
                    others.push_back(name);
        if (others.empty())
            return;
        auto text = fmt::format("stop keepalived on {}, change all directors, and start it there again: no two are "
                                "master then",
                                fmt::join(others, ", "));
        if (restarts)
            text += fmt::format(", but the VIPs leave {} for a moment", master);
        auto const moved = held_by(others, before);
        if (!moved.empty())
            text += fmt::format("; the VIPs of {} move meanwhile", fmt::join(moved, ", "));
        add(after.name.value, std::move(text));
    }

    /// Other instances whose master is one of these.
    [[nodiscard]] std::vector<std::string> held_by(std::vector<std::string> const& directors, Vrrp const& but) const {
        std::vector<std::string> names;
        for (auto const& vrrp : all_.before.site->vrrps)
            if (&vrrp != &but && contains(directors, master_of(ranks(all_, vrrp, *all_.before.site))))
                names.push_back(vrrp.name.value);
        return names;
    }

    void add(std::string const& instance, std::string text) {
        auto const found = std::ranges::find(steps_, text, &Step::first);
        (found == steps_.end() ? steps_.emplace_back(std::move(text), std::vector<std::string>()) : *found)
            .second.push_back(instance);
    }

    using Step = std::pair<std::string, std::vector<std::string>>;
    Comparison const& all_;
    std::vector<Step> steps_;
};

} // namespace

std::vector<Unlike> unlike(Comparison const& all, Vrrp const& before, Vrrp const& after) {
    std::vector<Unlike> found;
    auto const compare = [&](std::string what, std::string was, std::string is, bool restarts = false) {
        if (was != is)
            found.push_back({std::move(what), std::move(was), std::move(is), restarts});
    };
    compare("router id", std::to_string(before.router_id), std::to_string(after.router_id), true);
    compare("interface", before.interface, after.interface, true);
    compare("family", std::string(title(before.family())), std::string(title(after.family())), true);
    if (before.family() == after.family() && !before.vips.empty() && !after.vips.empty())
        compare("first VIP", before.vips.front().address.str(), after.vips.front().address.str());
    compare("version", std::to_string(before.version()), std::to_string(after.version()));
    // With version 3, a backup uses the interval of the master (RFC 5798, 5.2.7).
    auto const was = before.advert.value_or(usual_advert);
    auto const is = after.advert.value_or(usual_advert);
    if (before.version() == 2 || after.version() == 2)
        compare("advert", time_text(was), time_text(is));
    if (before.auth != after.auth) {
        auto const [old_secret, secret] = secrets(before.auth, after.auth);
        found.push_back({"auth", old_secret, secret});
    }
    compare("unicast", switch_text(before.unicast), switch_text(after.unicast), true);
    if (before.unicast && after.unicast && before.family() == after.family())
        for (auto const& [old_id, old_priority] : before.priorities)
            for (auto const& [id, priority] : after.priorities) {
                auto const& name = (*all.after.site)[id].name.value;
                auto const from = unicast_address(*all.before.site, before, old_id);
                auto const to = unicast_address(*all.after.site, after, id);
                if (from && to && all.director_name((*all.before.site)[old_id].name.value) == name)
                    compare("unicast address of " + name, from->str(), to->str(), true);
            }
    return found;
}

bool is_stuck(Vrrp const& before, Vrrp const& after) {
    return before.virtual_mac != after.virtual_mac && before.unicast && after.unicast &&
           before.interface == after.interface && before.router_id == after.router_id &&
           before.family() == after.family();
}

Ranks ranks(Comparison const& all, Vrrp const& vrrp, Site const& site) {
    auto const weights = std::accumulate(
        vrrp.track_scripts.begin(), vrrp.track_scripts.end(), 0,
        [](int sum, TrackScript const& script) { return sum + std::max(script.weight.value_or(0), 0); });
    Ranks found;
    for (auto const& [id, priority] : vrrp.priorities) {
        auto const& name = site[id].name.value;
        found.emplace_back(&site == all.before.site ? all.director_name(name) : name,
                           std::min(priority + weights, highest_rank));
    }
    return found;
}

std::string master_of(Ranks const& ranks) {
    auto const highest = std::ranges::max_element(ranks, {}, &Ranks::value_type::second);
    return highest == ranks.end() ? std::string() : highest->first;
}

Detour detour(Comparison const& all, Vrrp const& before, Vrrp const& after) {
    auto const old = ranks(all, before, *all.before.site);
    auto const wanted = ranks(all, after, *all.after.site);
    Detour found{master_of(old), {}, {}};
    if (found.master != master_of(wanted))
        return found;
    auto const rank_of = [&](Ranks const& list) {
        return std::ranges::find(list, found.master, &Ranks::value_type::first)->second;
    };
    if (old.empty() || wanted.empty())
        return found;
    // A backup with version 3 that has read its file waits three of its own intervals until it knows the master's.
    auto const interval = [](Vrrp const& vrrp) { return vrrp.advert.value_or(usual_advert); };
    bool const is_hasty = before.version() == 3 && after.version() == 3 && 3 * interval(after) < interval(before);
    for (auto const& [name, rank] : wanted)
        if (name != found.master && (is_hasty || (after.preempt && rank > rank_of(old))))
            found.behind.push_back(name);
    for (auto const& [name, rank] : old)
        if (name != found.master && before.preempt && rank > rank_of(wanted))
            found.in_front.push_back(name);
    return found;
}

std::map<Vrrp const*, std::vector<MovedVip>> moved_vips(Comparison const& all) {
    std::map<IpAddress, Vrrp const*> carriers;
    for (auto const& vrrp : all.before.site->vrrps)
        for (auto const& vip : vrrp.vips)
            carriers.emplace(vip.address, &vrrp);
    std::map<Vrrp const*, std::vector<MovedVip>> moved;
    auto const pairs = pair_instances(*all.before.site, *all.after.site);
    for (auto const& [before, after] : pairs) {
        if (after == nullptr)
            continue;
        auto const to = master_of(ranks(all, *after, *all.after.site));
        for (auto const& vip : after->vips) {
            auto const former = carriers.find(vip.address);
            if (former == carriers.end() || former->second == before)
                continue;
            auto const from = master_of(ranks(all, *former->second, *all.before.site));
            bool const ends = contains(pairs, {former->second, nullptr});
            moved[after].push_back({vip.address.str(), former->second->name.value, from, to, before == nullptr, ends});
        }
    }
    return moved;
}

UnicastPeers unicast_peers(Comparison const& all, Vrrp const& before, Vrrp const& after) {
    if (!before.unicast || !after.unicast)
        return {};
    auto const old = ranks(all, before, *all.before.site);
    auto const wanted = ranks(all, after, *all.after.site);
    return {missing_in(wanted, old), missing_in(old, wanted)};
}

std::vector<std::string> vrrp_steps(Comparison const& all) { return Steps(all).run(); }

} // namespace lbc
