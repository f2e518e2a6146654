#include "compiler/diff/fields.hpp"
#include "compiler/diff/vrrp_changes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace lbc {
namespace {

/// The first item with a name; `name` takes an item and returns a string. Null if there is none.
template <typename T, typename Name>
T const* find_named(std::vector<T> const& list, Name name, std::string const& wanted) {
    for (auto const& item : list)
        if (std::invoke(name, item) == wanted)
            return &item;
    return nullptr;
}

std::string vip_name(VrrpVip const& vip) {
    auto text = fmt::format("{}/{}", vip.address.str(), vip.length);
    return vip.device.empty() ? text : text + " dev " + vip.device;
}

bool is_same_router(Vrrp const& a, Vrrp const& b) {
    return a.router_id == b.router_id && a.interface == b.interface && a.family() == b.family();
}

} // namespace

std::vector<std::pair<Vrrp const*, Vrrp const*>> pair_instances(Site const& before, Site const& after) {
    auto const name = [](Vrrp const& vrrp) -> std::string const& { return vrrp.name.value; };
    std::vector<std::pair<Vrrp const*, Vrrp const*>> pairs;
    std::set<Vrrp const*> taken;
    for (auto const& vrrp : after.vrrps) {
        auto const* old = find_named(before.vrrps, name, vrrp.name.value);
        taken.insert(old);
        pairs.emplace_back(old, &vrrp);
    }
    for (auto& [old, wanted] : pairs)
        for (auto const& vrrp : before.vrrps)
            if (old == nullptr && !taken.contains(&vrrp) && is_same_router(vrrp, *wanted)) {
                old = &vrrp;
                taken.insert(old);
            }
    for (auto const& vrrp : before.vrrps)
        if (!taken.contains(&vrrp))
            pairs.emplace_back(&vrrp, nullptr);
    return pairs;
}

namespace {

class VrrpLines {
public:
    VrrpLines(Comparison const& all, ChangeList& out)
        : all_(all), before_(*all.before.site), after_(*all.after.site), moved_(moved_vips(all)), out_(out) {
        for (auto const& vrrp : after_.vrrps)
            if (!vrrp.group.empty())
                masters_[vrrp.group].insert(master_of(ranks(all, vrrp, after_)));
    }

    void run() {
        for (auto const& [old, vrrp] : pair_instances(before_, after_)) {
            subject_ = "vrrp " + (vrrp != nullptr ? vrrp : old)->name.value;
            if (old == nullptr)
                added(*vrrp);
            else if (vrrp != nullptr)
                compare(*old, *vrrp);
            else
                removed(*old);
        }
    }

private:
    [[nodiscard]] bool is_carried(IpAddress const& address) const {
        return std::ranges::any_of(after_.vrrps, [&](Vrrp const& vrrp) {
            return std::ranges::find(vrrp.vips, address, &VrrpVip::address) != vrrp.vips.end();
        });
    }

    /// The VIPs of an instance that nothing carries any more.
    [[nodiscard]] std::vector<std::string> lost(Vrrp const& before) const {
        std::vector<std::string> names;
        for (auto const& vip : before.vips)
            if (!is_carried(vip.address))
                names.push_back(vip.address.str());
        return names;
    }

    void added(Vrrp const& after) {
        line(fmt::format("new instance, router id {} on {}: carries {}", after.router_id, after.interface,
                         fmt::join(vips(after), ", ")));
        moved(after);
        std::vector<std::string> words;
        for (auto const& [director, priority] : after.priorities)
            words.push_back(fmt::format("{} {}", after_[director].name.value, priority));
        auto text = fmt::format("priorities: {}", fmt::join(words, ", "));
        if (after.unicast)
            text += "; unicast on";
        if (!after.auth.empty())
            text += "; auth with a secret";
        if (auto const more = set_fields(fields_of(after), fields_of(Vrrp{})); !more.empty())
            text += "; " + more;
        line(std::move(text));
    }

    void moved(Vrrp const& after) {
        auto const found = moved_.find(&after);
        if (found == moved_.end())
            return;
        for (auto const& vip : found->second) {
            if (!vip.may_be_on_two()) {
                line(fmt::format("{} moves here from {}: keepalived takes it away and puts it there anew", vip.address,
                                 vip.instance),
                     "it is gone for a moment, and established connections go on", true);
                continue;
            }
            auto const way = vip.from == vip.to ? "" : fmt::format(", and from {} to {}", vip.from, vip.to);
            line(fmt::format("{} moves here from {}{}: two directors may hold it, or none, until all have it",
                             vip.address, vip.instance, way),
                 "connections to it break", true);
        }
    }

    void removed(Vrrp const& before) {
        auto const names = lost(before);
        if (names.empty())
            line("instance removed: others carry its VIPs", "connections break where a VIP changes its director", true);
        else
            line(fmt::format("instance removed: nothing carries {}", fmt::join(names, ", ")),
                 "connections to these addresses break", true);
    }

    void compare(Vrrp const& before, Vrrp const& after) {
        if (before.name.value != after.name.value)
            line("was called " + before.name.value);
        compare_vips(before, after);
        moved(after);
        for (auto const& [what, was, is, restarts] : unlike(all_, before, after))
            line(fmt::format("{} {} to {}: until all directors have it, they do not hear each other", what, was, is),
                 "each is master and holds the VIPs meanwhile", true);
        if (before.virtual_mac != after.virtual_mac)
            virtual_mac(before, after);
        priorities(before, after);
        others(before, after);
    }

    void compare_vips(Vrrp const& before, Vrrp const& after) {
        std::vector<std::string> old;
        std::vector<std::string> wanted;
        for (auto const& vip : after.vips) {
            auto const same = std::ranges::find(before.vips, vip.address, &VrrpVip::address);
            if (same == before.vips.end())
                wanted.push_back(vip_name(vip));
            else if (vip_name(*same) != vip_name(vip))
                line(fmt::format("VIP {} to {}: keepalived takes it away and puts it there anew", vip_name(*same),
                                 vip_name(vip)),
                     "it is gone for a moment, and established connections go on", true);
        }
        for (auto const& vip : before.vips)
            if (std::ranges::find(after.vips, vip.address, &VrrpVip::address) == after.vips.end())
                old.push_back(vip_name(vip));
        auto const words = added_and_removed(std::move(old), std::move(wanted));
        if (words.empty())
            return;
        auto const names = lost(before);
        line("VIPs: " + words,
             names.empty() ? "established connections go on"
                           : fmt::format("connections to {} break", fmt::join(names, ", ")),
             !names.empty());
    }

    void virtual_mac(Vrrp const& before, Vrrp const& after) {
        auto const what = fmt::format("virtual-mac {}", after.virtual_mac ? "off to on" : "on to off");
        if (!is_stuck(before, after))
            line(what + ": keepalived starts the instance anew, and the VIPs move to another director and back",
                 connections_that_move(), true);
        else if (after.virtual_mac)
            line(what +
                 ": by unicast, keepalived does it when it is started anew, and not when it reads its file again");
        else
            line(what +
                     ": by unicast, the VIPs are nowhere from when keepalived reads its file again until it is started "
                     "anew",
                 "established connections break", true);
    }

    /// Every other value: those that `unlike` and `virtual_mac` do not cover.
    void others(Vrrp const& before, Vrrp const& after) {
        auto const said = unlike(all_, before, after);
        auto const is_said = [&](FieldText const& field) {
            return field.name == "virtual-mac" || std::ranges::find(said, field.name, &Unlike::what) != said.end();
        };
        auto old = fields_of(before);
        auto wanted = fields_of(after);
        std::erase_if(old, is_said);
        std::erase_if(wanted, is_said);
        if (auto const words = changed_fields(old, wanted); !words.empty())
            line("changed: " + words);
        if (before.group != after.group && !after.group.empty())
            joins_group(after.group);
    }

    /// keepalived moves the instances of a group together, to the director where the first of them fails or wins.
    void joins_group(std::string const& group) {
        auto const& masters = masters_.at(group);
        if (masters.size() > 1)
            line(fmt::format(
                     "group {}: its instances have different masters, {}: keepalived moves all their VIPs to one "
                     "director",
                     group, fmt::join(masters, ", ")),
                 connections_that_move(), true);
    }

    void priorities(Vrrp const& before, Vrrp const& after) {
        std::vector<std::string> words;
        for (auto const& [director, priority] : after.priorities) {
            auto const& name = after_[director].name.value;
            auto const old = std::ranges::find_if(before.priorities, [&](auto const& entry) {
                return all_.director_name(before_[entry.first].name.value) == name;
            });
            if (old == before.priorities.end())
                words.push_back(fmt::format("{} {}", name, priority));
            else if (old->second != priority)
                words.push_back(fmt::format("{} {} to {}", name, old->second, priority));
        }
        for (auto const& [director, priority] : before.priorities)
            if (std::ranges::none_of(after.priorities, [&](auto const& entry) {
                    return after_[entry.first].name.value == all_.director_name(before_[director].name.value);
                }))
                words.push_back(fmt::format("{} no more", before_[director].name.value));
        roles(before, after, words.empty() ? std::string() : fmt::format("priorities: {}", fmt::join(words, ", ")));
        auto const [joining, leaving] = unicast_peers(all_, before, after);
        for (auto const* names : {&joining, &leaving})
            if (!names->empty())
                line(fmt::format("{} {}: until all directors have it, some do not speak to it", fmt::join(*names, ", "),
                                 names == &joining ? "joins" : "leaves"),
                     "it may be master beside another meanwhile", true);
    }

    /// The holder of the VIPs, after the change and on the way there.
    void roles(Vrrp const& before, Vrrp const& after, std::string words) {
        auto const old = ranks(all_, before, before_);
        auto const wanted = ranks(all_, after, after_);
        auto const from = master_of(old);
        auto const to = master_of(wanted);
        bool const leaves = std::ranges::find(wanted, from, &Ranks::value_type::first) == wanted.end();
        if (from != to && (after.preempt || leaves))
            return line(fmt::format("{}{}the VIP moves from {} to {}", words, words.empty() ? "" : "; ", from, to),
                        connections_that_move(), true);
        if (!words.empty())
            line(std::move(words));
        auto const [master, behind, in_front] = detour(all_, before, after);
        if (!behind.empty())
            line(fmt::format("the VIP moves to {} and back, unless {} is changed first", fmt::join(behind, " or "),
                             master),
                 connections_that_move(), true);
        if (!in_front.empty())
            line(fmt::format("the VIP moves to {} and back, unless that is changed first", fmt::join(in_front, " or ")),
                 connections_that_move(), true);
    }

    [[nodiscard]] std::string connections_that_move() const {
        return after_.sync && before_.sync ? "synchronised connections go on" : "established connections break";
    }

    static std::vector<std::string> vips(Vrrp const& vrrp) {
        std::vector<std::string> names;
        for (auto const& vip : vrrp.vips)
            names.push_back(vip_name(vip));
        return names;
    }

    void line(std::string text, std::string connections = "established connections go on", bool disruptive = false) {
        out_.push_back({Change::Kind::vrrp, subject_, {}, std::move(text), std::move(connections), disruptive});
    }

    Comparison const& all_;
    Site const& before_;
    Site const& after_;
    std::map<Vrrp const*, std::vector<MovedVip>> moved_;
    std::map<std::string, std::set<std::string>> masters_; // of the instances of each group
    ChangeList& out_;
    std::string subject_;
};

} // namespace

bool is_same_sync(Site const& before, Site const& after) {
    if (!before.sync || !after.sync || before.sync->instance.has_value() != after.sync->instance.has_value())
        return before.sync == after.sync;
    auto const& old = before.sync->instance;
    auto const& wanted = after.sync->instance;
    if (old && !contains(pair_instances(before, after), {&before.vrrps[*old], &after.vrrps[*wanted]}))
        return false;
    auto sync = *before.sync;
    sync.instance = wanted;
    return sync == *after.sync;
}

void add_vrrp_lines(Comparison const& all, ChangeList& out) { VrrpLines(all, out).run(); }

} // namespace lbc
