#include "compiler/diff/fields.hpp"
#include "compiler/diff/lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

namespace lbc {
namespace {

/// Items by their names, in order; `name` takes an item and gives a string.
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

/// The director that holds an instance's VIPs at first.
std::string master_of(Vrrp const& vrrp, Site const& site) {
    auto const highest = std::ranges::max_element(vrrp.priorities, {}, [](auto const& entry) { return entry.second; });
    return highest == vrrp.priorities.end() ? std::string() : site[highest->first].name.value;
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
        : all_(all), before_(*all.before.site), after_(*all.after.site), out_(out) {}

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
        if (auto const words = added_and_removed(vips(before), vips(after)); !words.empty()) {
            auto const names = lost(before);
            line("VIPs: " + words,
                 names.empty() ? "established connections go on"
                               : fmt::format("connections to {} break", fmt::join(names, ", ")),
                 !names.empty());
        }
        advertised(before, after);
        alone("router id", std::to_string(before.router_id), std::to_string(after.router_id));
        alone("family", std::string(title(before.family())), std::string(title(after.family())));
        alone("version", std::to_string(before.version()), std::to_string(after.version()));
        if (before.auth != after.auth)
            alone("auth", "the old secret", "the new one");
        alone("unicast", before.unicast ? "on" : "off", after.unicast ? "on" : "off");
        if (before.interface != after.interface)
            line(fmt::format("interface {} to {}", before.interface, after.interface),
                 "the VIP moves, and connections with it", true);
        priorities(before, after);
        others(before, after);
    }

    /// Which VIPs advertisements say, where they do not say all: the order decides. keepalived ignores one that says
    /// others than its own (vrrp.c).
    void advertised(Vrrp const& before, Vrrp const& after) {
        auto const [old_said, old_more] = before.by_advertisement();
        auto const [said, more] = after.by_advertisement();
        if (old_more.empty() && more.empty())
            return;
        auto const words = added_and_removed(addresses(old_said), addresses(said));
        if (!words.empty())
            line(fmt::format("VIPs in advertisements, which say the first ones: {}; until all directors have it, they "
                             "do not hear each other",
                             words),
                 "the VIP is on several boxes meanwhile", true);
    }

    void others(Vrrp const& before, Vrrp const& after) {
        if (auto const words = changed_fields(fields_of(before), fields_of(after)); !words.empty())
            line("changed: " + words);
    }

    /// What both ends of an advertisement must have alike.
    void alone(std::string_view what, std::string const& before, std::string const& after) {
        if (before != after)
            line(fmt::format("{} {} to {}: until all directors have it, they do not hear each other", what, before,
                             after),
                 "the VIP is on several boxes meanwhile", true);
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
        if (words.empty())
            return;
        auto const from = all_.director_name(master_of(before, before_));
        auto const to = master_of(after, after_);
        if (from == to || !after.preempt)
            line(fmt::format("priorities: {}", fmt::join(words, ", ")));
        else
            line(fmt::format("priorities: {}; the VIP moves from {} to {}", fmt::join(words, ", "), from, to),
                 after_.sync && before_.sync ? "synchronised connections go on" : "established connections break",
                 true);
    }

    static std::vector<std::string> addresses(std::vector<VrrpVip> const& vips) {
        std::vector<std::string> texts;
        for (auto const& vip : vips)
            texts.push_back(vip.address.str());
        return texts;
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
    ChangeList& out_;
    std::string subject_;
};

} // namespace

/// Whether both sites run the same sync daemon, bound to the same instance whatever it is called.
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
