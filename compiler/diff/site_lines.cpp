#include "compiler/diff/lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

namespace lbc {
namespace {

/// Items by their names, in order; `name` takes an item and gives a string.
template <typename T, typename Name>
T const* find_named(std::vector<T> const& list, Name name, std::string const& wanted) {
    for (auto const& item : list)
        if (std::string(std::invoke(name, item)) == wanted)
            return &item;
    return nullptr;
}

/// Words about what is on one side alone: "added a, b; removed c".
std::string added_and_removed(std::vector<std::string> before, std::vector<std::string> after) {
    for (auto item = before.begin(); item != before.end();) {
        auto const same = std::ranges::find(after, *item);
        if (same == after.end()) {
            ++item;
            continue;
        }
        after.erase(same);
        item = before.erase(item);
    }
    std::vector<std::string> parts;
    if (!after.empty())
        parts.push_back(fmt::format("added {}", fmt::join(after, ", ")));
    if (!before.empty())
        parts.push_back(fmt::format("removed {}", fmt::join(before, ", ")));
    return fmt::format("{}", fmt::join(parts, "; "));
}

/// What differs between two lists of checks, by kind.
std::string check_words(std::vector<Check> const& before, std::vector<Check> const& after) {
    auto const kinds = [](std::vector<Check> const& list, std::vector<Check> const& other) {
        std::vector<std::string> names;
        for (auto const& check : list)
            if (!contains(other, check))
                names.emplace_back(to_string(check.kind));
        return names;
    };
    auto old = kinds(before, after);
    auto wanted = kinds(after, before);
    std::vector<std::string> changed;
    for (auto item = old.begin(); item != old.end();) {
        auto const same = std::ranges::find(wanted, *item);
        if (same == wanted.end()) {
            ++item;
            continue;
        }
        changed.push_back(*item);
        wanted.erase(same);
        item = old.erase(item);
    }
    auto text = added_and_removed(old, wanted);
    if (!changed.empty())
        text += fmt::format("{}changed {}", text.empty() ? "" : "; ", fmt::join(changed, ", "));
    return text.empty() && before != after ? "order changed" : text;
}

/// What only keepalived reads of a service.
class CheckLines {
public:
    CheckLines(Comparison const& all, Service const& before, Service const& after, Changes& out)
        : all_(all), before_(before), after_(after), out_(out) {}

    void run() {
        if (auto const words = check_words(before_.checks, after_.checks); !words.empty())
            line("checks of every real server: " + words);
        for (auto const& real : after_.reals)
            for (auto const& old : before_.reals)
                if (old.address == real.address && old.port == real.port)
                    compare(old, real);
        if (before_.quorum != after_.quorum)
            line("quorum changed");
        if (before_.sorry != after_.sorry)
            line("sorry server: " + added_and_removed(names(before_.sorry), names(after_.sorry)));
        flag("alpha", before_.alpha, after_.alpha);
        flag("omega", before_.omega, after_.omega);
        flag("inhibit-on-failure", before_.inhibit_on_failure, after_.inhibit_on_failure);
    }

private:
    void compare(RealServer const& before, RealServer const& after) {
        auto const name = all_.name_of(after.address, after.port);
        if (auto const words = check_words(before.checks, after.checks); !words.empty())
            line(fmt::format("checks of real server {}: {}", name, words));
        if (before.notify_up != after.notify_up || before.notify_down != after.notify_down)
            line(fmt::format("notices of real server {} changed", name));
        flag(fmt::format("inhibit-on-failure of real server {}", name), before.inhibit_on_failure,
             after.inhibit_on_failure);
    }

    std::vector<std::string> names(std::vector<SorryServer> const& list) {
        std::vector<std::string> names;
        for (auto const& sorry : list)
            names.push_back(
                fmt::format("{} by {}", all_.name_of(sorry.address, sorry.port), to_string(sorry.forwarding)));
        return names;
    }

    void flag(std::string const& name, bool before, bool after) {
        if (before != after)
            line(fmt::format("{} is {}", name, after ? "on" : "off"));
    }

    void line(std::string text) {
        out_.push_back({Change::Kind::checks,
                        "service " + after_.name.value,
                        {},
                        std::move(text),
                        "established connections go on",
                        false});
    }

    Comparison const& all_;
    Service const& before_;
    Service const& after_;
    Changes& out_;
};

std::string vip_name(VrrpVip const& vip) {
    auto text = fmt::format("{}/{}", vip.address.str(), vip.length);
    return vip.device.empty() ? text : text + " dev " + vip.device;
}

/// The director that holds an instance's VIPs at first.
std::string master_of(Vrrp const& vrrp, Site const& site) {
    auto const highest = std::ranges::max_element(vrrp.priorities, {}, [](auto const& entry) { return entry.second; });
    return highest == vrrp.priorities.end() ? std::string() : site[highest->first].name.value;
}

class VrrpLines {
public:
    VrrpLines(Comparison const& all, Changes& out) : before_(*all.before.site), after_(*all.after.site), out_(out) {}

    void run() {
        auto const name = [](Vrrp const& vrrp) { return vrrp.name.value; };
        for (auto const& vrrp : after_.vrrps) {
            subject_ = "vrrp " + vrrp.name.value;
            if (auto const* old = find_named(before_.vrrps, name, vrrp.name.value))
                compare(*old, vrrp);
            else
                line(
                    fmt::format("new instance, router id {}: carries {}", vrrp.router_id, fmt::join(vips(vrrp), ", ")));
        }
        for (auto const& vrrp : before_.vrrps)
            if (find_named(after_.vrrps, name, vrrp.name.value) == nullptr) {
                subject_ = "vrrp " + vrrp.name.value;
                line(fmt::format("instance removed: nothing carries {}", fmt::join(vips(vrrp), ", ")),
                     "connections to these addresses break", true);
            }
    }

private:
    void compare(Vrrp const& before, Vrrp const& after) {
        if (auto const words = added_and_removed(vips(before), vips(after)); !words.empty()) {
            bool const less = words.find("removed") != std::string::npos;
            line("VIPs: " + words, less ? "connections to what is removed break" : "established connections go on",
                 less);
        }
        alone("router id", std::to_string(before.router_id), std::to_string(after.router_id));
        alone("version", std::to_string(before.version()), std::to_string(after.version()));
        if (before.auth != after.auth)
            alone("auth", "the old secret", "the new one");
        alone("unicast", before.unicast ? "on" : "off", after.unicast ? "on" : "off");
        if (before.interface != after.interface)
            line(fmt::format("interface {} to {}", before.interface, after.interface),
                 "the VIP moves, and connections with it", true);
        priorities(before, after);
        std::vector<std::string> others;
        auto const other = [&](std::string_view what, bool same) {
            if (!same)
                others.emplace_back(what);
        };
        other("advert", before.advert == after.advert);
        other("nopreempt", before.preempt == after.preempt);
        other("preempt-delay", before.preempt_delay == after.preempt_delay);
        other("virtual-mac", before.virtual_mac == after.virtual_mac);
        other("track interface", before.track_interfaces == after.track_interfaces);
        other("track script", before.track_scripts == after.track_scripts);
        other("notify", before.notify == after.notify);
        other("group", before.group == after.group);
        if (!others.empty())
            line(fmt::format("changed: {}", fmt::join(others, ", ")));
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
            auto const old = std::ranges::find_if(
                before.priorities, [&](auto const& entry) { return before_[entry.first].name.value == name; });
            if (old == before.priorities.end())
                words.push_back(fmt::format("{} {}", name, priority));
            else if (old->second != priority)
                words.push_back(fmt::format("{} {} to {}", name, old->second, priority));
        }
        for (auto const& [director, priority] : before.priorities)
            if (std::ranges::none_of(after.priorities, [&](auto const& entry) {
                    return after_[entry.first].name.value == before_[director].name.value;
                }))
                words.push_back(fmt::format("{} no more", before_[director].name.value));
        if (words.empty())
            return;
        auto const from = master_of(before, before_);
        auto const to = master_of(after, after_);
        if (from == to)
            line(fmt::format("priorities: {}", fmt::join(words, ", ")));
        else
            line(fmt::format("priorities: {}; the VIP moves from {} to {}", fmt::join(words, ", "), from, to),
                 after_.sync && before_.sync ? "synchronised connections go on" : "established connections break",
                 true);
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

    Site const& before_;
    Site const& after_;
    Changes& out_;
    std::string subject_;
};

/// The sync daemon with its instance's name in place of the instance.
std::pair<std::optional<Sync>, std::string> named_sync(Site const& site) {
    auto sync = site.sync;
    if (!sync || !sync->instance)
        return {sync, {}};
    auto name = site.vrrps[*sync->instance].name.value;
    sync->instance.reset();
    return {sync, std::move(name)};
}

std::vector<std::string> texts(std::vector<Located<MacAddress>> const& macs) {
    std::vector<std::string> list;
    for (auto const& mac : macs)
        list.push_back(mac.value.str());
    return list;
}

std::vector<std::string> texts(std::vector<Located<IpAddress>> const& addresses) {
    std::vector<std::string> list;
    for (auto const& address : addresses)
        list.push_back(address.value.str());
    return list;
}

} // namespace

void add_check_lines(Comparison const& all, Changes& out) {
    auto const& after = *all.after.site;
    if (after.ipvs != IpvsOwner::keepalived)
        return; // nothing runs them
    auto const name = [&](Service const& service) {
        auto const found = all.renamed.find(service.name.value);
        return found == all.renamed.end() ? service.name.value : found->second;
    };
    for (auto const& service : after.services)
        if (auto const* old = find_named(all.before.site->services, name, service.name.value))
            CheckLines(all, *old, service, out).run();
}

void add_director_lines(Comparison const& all, Changes& out) {
    auto const name = [](Director const& director) { return director.name.value; };
    auto const line = [&](std::string const& director, std::string text, std::string connections) {
        out.push_back(
            {Change::Kind::director, "director " + director, {}, std::move(text), std::move(connections), false});
    };
    for (auto const& director : all.after.site->directors) {
        auto const* old = find_named(all.before.site->directors, name, director.name.value);
        if (old == nullptr) {
            line(director.name.value, "joins the site", "no connection is touched");
            continue;
        }
        if (auto const words = added_and_removed(texts(old->macs), texts(director.macs)); !words.empty())
            line(director.name.value, "MAC: " + words + "; its peers tell its packets from clients' by it",
                 "established connections go on");
        if (auto const words = added_and_removed(texts(old->addresses), texts(director.addresses)); !words.empty())
            line(director.name.value, "address: " + words, "established connections go on");
    }
    for (auto const& director : all.before.site->directors)
        if (find_named(all.after.site->directors, name, director.name.value) == nullptr)
            line(director.name.value, "leaves the site: `lbc remove` on it takes off what it has", "");
}

void add_vrrp_lines(Comparison const& all, Changes& out) { VrrpLines(all, out).run(); }

void add_setting_lines(Comparison const& all, Changes& out) {
    auto const& before = *all.before.site;
    auto const& after = *all.after.site;
    auto const line = [&](Change::Kind kind, std::string text, std::string connections) {
        out.push_back({kind, "site", {}, std::move(text), std::move(connections), false});
    };
    std::string const go_on = "established connections go on";
    if (before.guard != after.guard)
        line(Change::Kind::setting, fmt::format("guard {} to {}", to_string(before.guard), to_string(after.guard)),
             after.guard == GuardMode::off ? "those that IPVS remembers from an earlier role can loop" : go_on);
    if (before.ipvs != after.ipvs)
        line(Change::Kind::setting,
             after.ipvs == IpvsOwner::keepalived ? "ipvs lbc to keepalived: keepalived programs IPVS from now on"
                                                 : "ipvs keepalived to lbc: `lbc apply` programs IPVS from now on",
             go_on);
    if (before.marks.first != after.marks.first || before.marks.last != after.marks.last)
        line(Change::Kind::setting,
             fmt::format("marks {}-{} to {}-{}: every service with such a mark is lbc's", before.marks.first.str(),
                         before.marks.last.str(), after.marks.first.str(), after.marks.last.str()),
             go_on);
    if (!before.sync && after.sync)
        line(Change::Kind::sync,
             fmt::format("connection sync on {}, id {}: connections outlive a failover", after.sync->interface,
                         after.sync->id),
             go_on);
    else if (before.sync && !after.sync)
        line(Change::Kind::sync, "connection sync off: a failover loses all connections", go_on);
    else if (named_sync(before) != named_sync(after))
        line(Change::Kind::sync, "connection sync changed: until all directors have it, a failover loses connections",
             go_on);
}

} // namespace lbc
