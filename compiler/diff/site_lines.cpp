#include "compiler/diff/fields.hpp"
#include "compiler/diff/lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lbc {
namespace {

/// "tcp (every 2s, port 80)"
std::string new_check(Check const& check) {
    Check usual;
    usual.kind = check.kind;
    auto const fields = set_fields(fields_of(check), fields_of(usual));
    return fmt::format("{}{}", to_string(check.kind), fields.empty() ? "" : fmt::format(" ({})", fields));
}

/// The differences between two lists of checks. Of the checks that are on one side only, the first of a kind becomes
/// the first of that kind on the other side.
std::string check_words(std::vector<Check> const& before, std::vector<Check> const& after) {
    auto const missing_in = [](std::vector<Check> const& list, std::vector<Check> const& other) {
        std::vector<Check const*> missing;
        for (auto const& check : list)
            if (!contains(other, check))
                missing.push_back(&check);
        return missing;
    };
    auto wanted = missing_in(after, before);
    std::vector<std::string> changed;
    std::vector<std::string> removed;
    for (auto const* old : missing_in(before, after)) {
        auto const same = std::ranges::find(wanted, old->kind, &Check::kind);
        if (same == wanted.end()) {
            removed.push_back(new_check(*old));
            continue;
        }
        changed.push_back(
            fmt::format("changed {}: {}", to_string(old->kind), changed_fields(fields_of(*old), fields_of(**same))));
        wanted.erase(same);
    }
    std::vector<std::string> parts;
    if (!wanted.empty()) {
        std::vector<std::string> added;
        std::ranges::transform(wanted, std::back_inserter(added), [](Check const* check) { return new_check(*check); });
        parts.push_back(fmt::format("added {}", fmt::join(added, ", ")));
    }
    if (!removed.empty())
        parts.push_back(fmt::format("removed {}", fmt::join(removed, ", ")));
    std::ranges::move(changed, std::back_inserter(parts));
    return parts.empty() && before != after ? "order changed" : fmt::format("{}", fmt::join(parts, "; "));
}

/// Compares the parts of a service that only keepalived reads.
class CheckLines {
public:
    CheckLines(Comparison const& all, Service const& before, Service const& after, ChangeList& out)
        : all_(all), before_(before), after_(after), out_(out) {}

    void run() {
        if (auto const words = check_words(before_.checks, after_.checks); !words.empty())
            line("checks of every real server: " + words);
        std::map<SiteCommand::Real, RealServer const*> old;
        for (auto const& real : before_.reals)
            old.emplace(SiteCommand::Real{real.address, real.port}, &real);
        for (auto const& real : after_.reals) {
            auto const found = old.find({real.address, real.port});
            compare(found == old.end() ? RealServer{} : *found->second, real);
        }
        fields("", fields_of(before_.quorum), fields_of(after_.quorum));
        if (before_.sorry != after_.sorry)
            line("sorry server: " + added_and_removed(names(before_.sorry), names(after_.sorry)));
        fields("", fields_of(before_), fields_of(after_));
        fields("checks through the VIP: ", checked_vips(before_), checked_vips(after_));
    }

private:
    /// The VIPs to which checks go, if both sides check through the VIP.
    [[nodiscard]] FieldTexts checked_vips(Service const& side) const {
        FieldTexts texts;
        for (auto const family : families)
            if (is_through_vip(before_, family) && is_through_vip(after_, family)) {
                auto const vip = side.checked_vip(family);
                texts.push_back({std::string(title(family)), vip ? vip->str() : std::string()});
            }
        return texts;
    }

    [[nodiscard]] static bool is_through_vip(Service const& service, Family family) {
        return std::ranges::any_of(service.reals_for(family), [&](std::size_t index) {
            return is_checked_through_vip(service, service.reals[index]);
        });
    }

    void compare(RealServer const& before, RealServer const& after) {
        auto const name = all_.name_of(after.address, after.port);
        if (auto const words = check_words(before.checks, after.checks); !words.empty())
            line(fmt::format("checks of real server {}: {}", name, words));
        fields(fmt::format("real server {}: ", name), fields_of(before), fields_of(after));
    }

    std::vector<std::string> names(std::vector<SorryServer> const& list) {
        std::vector<std::string> names;
        for (auto const& sorry : list)
            names.push_back(
                fmt::format("{} by {}", all_.name_of(sorry.address, sorry.port), to_string(sorry.forwarding)));
        return names;
    }

    void fields(std::string const& whose, FieldTexts const& before, FieldTexts const& after) {
        if (auto const words = changed_fields(before, after); !words.empty())
            line(whose + words);
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
    ChangeList& out_;
};

/// Whether some director serves what another balances, so that a packet can come back.
bool may_loop(Site const& site) {
    return std::ranges::any_of(site.services, [&](Service const& service) {
        return std::ranges::any_of(service.reals,
                                   [&](RealServer const& real) { return director_of(site, real).has_value(); });
    });
}

template <typename T>
std::vector<std::string> texts(std::vector<T> const& list) {
    std::vector<std::string> texts;
    for (auto const& item : list)
        texts.push_back(item.str());
    return texts;
}

/// Compares the statements of a director that neither traffic nor the writes show.
class DirectorLines {
public:
    DirectorLines(Comparison const& all, DirectorPair const& pair, ChangeList& out)
        : before_(*all.before.site), after_(*all.after.site), pair_(pair), out_(out) {}

    void run() {
        if (pair_.joins())
            joins();
        else if (pair_.leaves())
            line("leaves the site: `lbc remove` on it takes off what it has", "");
        else
            compare();
    }

private:
    void joins() {
        auto const& wanted = after_[*after_.find_director(pair_.after->name)];
        // Its name is the default.
        auto const fields = set_fields({{"MAC", fmt::format("{}", fmt::join(texts(pair_.after->macs), ", "))},
                                        {"address", fmt::format("{}", fmt::join(texts(pair_.after->addresses), ", "))},
                                        {"hostname", wanted.hostname == wanted.name.value ? "" : wanted.hostname}},
                                       {});
        line("joins the site" + (fields.empty() ? "" : ", " + fields), "no connection is touched");
    }

    void compare() {
        auto const& before = before_[*before_.find_director(pair_.before->name)];
        auto const& after = after_[*after_.find_director(pair_.after->name)];
        if (before.name.value != after.name.value)
            line("was called " + before.name.value, go_on);
        if (auto const words = added_and_removed(texts(pair_.before->macs), texts(pair_.after->macs)); !words.empty())
            line("MAC: " + words + "; its peers tell its packets from clients' by it", go_on);
        auto const addresses = added_and_removed(texts(pair_.before->addresses), texts(pair_.after->addresses));
        if (!addresses.empty())
            line("address: " + addresses, "");
        for (auto const family : families)
            sources(before.address(family), after.address(family));
        if (auto const words = changed_fields(fields_of(before), fields_of(after)); !words.empty())
            line(words + ": its machine is the one with that name", go_on);
    }

    /// Checks through a VIP come from the director's first address of the family.
    void sources(std::optional<IpAddress> const& before, std::optional<IpAddress> const& after) {
        if (before && after && *before != *after && after_.ipvs == IpvsOwner::keepalived)
            line(fmt::format("address for checks {} to {}", before->str(), after->str()), go_on);
    }

    void line(std::string text, std::string connections, bool disruptive = false) {
        out_.push_back({Change::Kind::director,
                        "director " + pair_.name,
                        {},
                        std::move(text),
                        std::move(connections),
                        disruptive});
    }

    static constexpr auto go_on = "established connections go on";
    Site const& before_;
    Site const& after_;
    DirectorPair const& pair_;
    ChangeList& out_;
};

} // namespace

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

void add_check_lines(Comparison const& all, ChangeList& out) {
    auto const& after = *all.after.site;
    std::map<std::string_view, Service const*> before;
    for (auto const& service : all.before.site->services) {
        auto const found = all.renamed.find(service.name.value);
        before.emplace(found == all.renamed.end() ? service.name.value : found->second, &service);
    }
    for (auto const& service : after.services) {
        auto const old = before.find(service.name.value);
        auto const is_new = old == before.end();
        if (!is_new && old->second->description != service.description)
            out.push_back({Change::Kind::service_changed,
                           "service " + service.name.value,
                           {},
                           changed_fields({{"description", quoted(old->second->description.get())}},
                                          {{"description", quoted(service.description.get())}}),
                           "established connections go on",
                           false});
        if (after.ipvs != IpvsOwner::keepalived)
            continue; // nothing runs checks
        // Checks that nothing ran before count as new.
        bool const ran = !is_new && all.before.site->ipvs == IpvsOwner::keepalived;
        CheckLines(all, ran ? *old->second : Service{}, service, out).run();
    }
}

void add_director_lines(Comparison const& all, ChangeList& out) {
    for (auto const& pair : all.directors)
        DirectorLines(all, pair, out).run();
}

void add_setting_lines(Comparison const& all, ChangeList& out) {
    auto const& before = *all.before.site;
    auto const& after = *all.after.site;
    auto const line = [&](Change::Kind kind, std::string text, std::string connections, bool disruptive = false) {
        out.push_back({kind, "site", all.director_names(), std::move(text), std::move(connections), disruptive});
    };
    std::string const go_on = "established connections go on";
    bool const unguarded = after.guard == GuardMode::off && may_loop(after);
    bool const drops = after.guard == GuardMode::drop;
    if (before.guard != after.guard)
        line(Change::Kind::setting, fmt::format("guard {} to {}", to_string(before.guard), to_string(after.guard)),
             unguarded ? "those that IPVS remembers from an earlier role can loop"
             : drops   ? "those that IPVS remembers from an earlier role are dropped"
                       : go_on,
             unguarded || drops);
    if (before.ipvs != after.ipvs && after.ipvs == IpvsOwner::keepalived)
        line(Change::Kind::setting, "ipvs lbc to keepalived: keepalived programs IPVS from now on", go_on);
    // keepalived removes the services that it knows when it ends or gets another file.
    if (before.ipvs != after.ipvs && after.ipvs == IpvsOwner::lbc)
        line(Change::Kind::setting,
             fmt::format("ipvs keepalived to lbc: first {}, then `lbc apply`, which programs IPVS from now on",
                         after.vrrps.empty() ? "stop keepalived"
                                             : "give keepalived its configuration of this site, which has no services"),
             "connections of every service break when keepalived takes its services off", true);
    if (before.marks.first != after.marks.first || before.marks.last != after.marks.last)
        line(Change::Kind::setting,
             fmt::format("marks {}-{} to {}-{}: every service with such a mark is lbc's", before.marks.first.str(),
                         before.marks.last.str(), after.marks.first.str(), after.marks.last.str()),
             go_on);
    if (!before.sync && after.sync)
        line(Change::Kind::sync,
             fmt::format("connection sync on {}: connections outlive a failover",
                         set_fields(fields_of(*after.sync, after), {})),
             go_on);
    else if (before.sync && !after.sync)
        line(Change::Kind::sync, "connection sync off: a failover loses all connections", go_on);
    else if (!is_same_sync(before, after))
        line(Change::Kind::sync,
             fmt::format("connection sync changed: {}; until all directors have it, a failover loses connections",
                         changed_fields(fields_of(*before.sync, before), fields_of(*after.sync, after))),
             go_on);
}

} // namespace lbc
