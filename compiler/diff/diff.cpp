#include "compiler/diff/lines.hpp"

#include <algorithm>
#include <tuple>

namespace lbc {
namespace {

bool is_same_box(DirectorState const& a, DirectorState const& b) {
    return std::ranges::any_of(a.macs, [&](auto const& mac) { return !mac.is_vrrp() && contains(b.macs, mac); }) ||
           std::ranges::any_of(a.addresses, [&](auto const& address) { return contains(b.addresses, address); });
}

std::set<std::string_view> service_names(DirectorStates const& states) {
    std::set<std::string_view> names;
    for (auto const& state : states)
        for (auto const& service : state.services)
            names.insert(service.name);
    return names;
}

/// The name of the service that takes over the packets of another one on a director: the one with its mark, else the
/// one to which packets move.
std::string successor_of(NamedService const& service, DirectorPair const& director,
                         std::vector<MarkChange> const& traffic) {
    if (auto const* same = director.after->find(service.key()))
        return same->name;
    for (auto const& change : traffic)
        if (change.from_others() && change.destination.prefix.family() == service.service.family &&
            change.before.mark == service.service.mark)
            if (auto const* to = director.after->find({change.after.mark, service.service.family}))
                return to->name;
    return {};
}

/// The services that are on both sides with different names.
std::map<std::string, std::string> find_renamed(std::vector<DirectorPair> const& directors,
                                                std::vector<std::vector<MarkChange>> const& traffic, Side const& before,
                                                Side const& after) {
    std::map<std::string, std::string> renamed;
    std::set<std::string> taken;
    auto const names_before = service_names(before.directors);
    auto const names_after = service_names(after.directors);
    for (std::size_t i = 0; i < directors.size(); ++i)
        for (auto const& service : directors[i].before->services) {
            if (renamed.contains(service.name) || names_after.contains(service.name))
                continue;
            auto name = successor_of(service, directors[i], traffic[i]);
            if (!name.empty() && !names_before.contains(name) && taken.insert(name).second)
                renamed.emplace(service.name, std::move(name));
        }
    return renamed;
}

/// The position of a subject in the output.
class SubjectOrder {
public:
    explicit SubjectOrder(Comparison const& all) {
        for (auto const* side : {&all.after, &all.before}) {
            std::map<std::size_t, std::string> names; // by their places in the source
            for (auto const& director : side->directors)
                for (auto const& service : director.services)
                    names.emplace(service.service.service, "service " + service.name);
            for (auto const& [index, name] : names)
                places_.emplace(name, places_.size());
            for (auto const& director : side->directors)
                places_.emplace("director " + director.name, places_.size());
        }
    }

    template <typename Line>
    [[nodiscard]] std::tuple<int, std::size_t> operator()(Line const& change) const {
        static constexpr std::array<std::string_view, 4> kinds{"service ", "director ", "vrrp ", "site"};
        auto const kind = std::ranges::find_if(
            kinds, [&](std::string_view begin) { return std::string_view(change.subject).starts_with(begin); });
        auto const place = places_.find(change.subject);
        return {static_cast<int>(kind - kinds.begin()), place == places_.end() ? places_.size() : place->second};
    }

private:
    std::map<std::string, std::size_t> places_;
};

/// Adds the old name of a renamed service, if it has other changes.
void name_renamed(std::map<std::string, std::string> const& renamed, ChangeList& changes) {
    for (auto const& [before, after] : renamed) {
        auto const subject = "service " + after;
        if (!before.starts_with("fwmark ") && // a kernel's service has no name
            std::ranges::find(changes, subject, &Change::subject) != changes.end())
            changes.insert(changes.begin(), {Change::Kind::service_changed,
                                             subject,
                                             {},
                                             "was called " + before,
                                             "established connections go on",
                                             false});
    }
}

/// One sentence for all directors that it is true of.
ChangeList merged(ChangeList const& changes) {
    auto const key = [](Change const& change) {
        return std::tie(change.subject, change.kind, change.text, change.connections, change.disruptive);
    };
    ChangeList out;
    std::map<decltype(key(changes.front())), std::size_t> places;
    out.reserve(changes.size());
    for (auto const& change : changes) {
        auto const [place, added] = places.emplace(key(change), out.size());
        if (added) {
            out.push_back(change);
            continue;
        }
        auto& directors = out[place->second].directors;
        for (auto const& name : change.directors)
            if (!contains(directors, name))
                directors.push_back(name);
    }
    return out;
}

} // namespace

std::string_view to_string(Change::Kind kind) {
    switch (kind) {
    case Change::Kind::balanced: return "balanced";
    case Change::Kind::not_balanced: return "not-balanced";
    case Change::Kind::moved: return "moved";
    case Change::Kind::mark: return "mark";
    case Change::Kind::peer: return "peer";
    case Change::Kind::guard: return "guard";
    case Change::Kind::unknown: return "unknown";
    case Change::Kind::service_added: return "service-added";
    case Change::Kind::service_removed: return "service-removed";
    case Change::Kind::service_changed: return "service-changed";
    case Change::Kind::real_added: return "real-added";
    case Change::Kind::real_removed: return "real-removed";
    case Change::Kind::real_changed: return "real-changed";
    case Change::Kind::checks: return "checks";
    case Change::Kind::director: return "director";
    case Change::Kind::vrrp: return "vrrp";
    case Change::Kind::sync: return "sync";
    case Change::Kind::setting: return "setting";
    }
    return {};
}

std::size_t Difference::disruptive() const {
    return static_cast<std::size_t>(std::ranges::count_if(changes, &Change::disruptive));
}

void Difference::keep_only(std::string const& director) {
    auto const keep = [&](auto& list) {
        std::erase_if(list, [&](auto const& change) {
            return !change.directors.empty() && !contains(change.directors, director);
        });
        for (auto& change : list)
            if (!change.directors.empty())
                change.directors = {director};
    };
    keep(changes);
    keep(runs);
    std::erase_if(traffic, [&](DirectorTraffic const& other) { return other.director != director; });
}

std::string const& Comparison::name_of(NamedService const& old) const {
    auto const found = renamed.find(old.name);
    return found == renamed.end() ? old.name : found->second;
}

std::vector<ServicePair> Comparison::services(DirectorPair const& director) const {
    std::map<std::pair<std::string, Family>, ServicePair> pairs;
    for (auto const& service : director.before->services)
        pairs[{name_of(service), service.service.family}].before = &service;
    for (auto const& service : director.after->services)
        pairs[{service.name, service.service.family}].after = &service;
    std::vector<ServicePair> list;
    for (auto const& [name, pair] : pairs)
        list.push_back(pair);
    return list;
}

std::string Comparison::owner_of(MacAddress const& mac) const {
    for (auto const* side : {&after, &before})
        for (auto const& director : side->directors)
            if (contains(director.macs, mac))
                return director.name;
    return {};
}

std::string Comparison::director_name(std::string const& old) const {
    auto const found = std::ranges::find_if(
        directors, [&](DirectorPair const& pair) { return !pair.joins() && pair.before->name == old; });
    return found == directors.end() ? old : found->name;
}

std::vector<std::string> Comparison::director_names() const {
    std::vector<std::string> names;
    for (auto const& director : directors)
        names.push_back(director.name);
    return names;
}

std::vector<DirectorPair> pair_directors(Side const& before, Side const& after) {
    std::vector<DirectorPair> pairs;
    std::set<DirectorState const*> taken;
    for (auto const& director : after.directors) {
        auto const* old = find(before.directors, director.name);
        taken.insert(old);
        pairs.push_back({director.name, old == nullptr ? &empty_state() : old, &director});
    }
    for (auto& pair : pairs)
        for (auto const& old : before.directors)
            if (pair.joins() && !taken.contains(&old) && is_same_box(old, *pair.after)) {
                pair.before = &old;
                taken.insert(&old);
            }
    for (auto const& old : before.directors)
        if (!taken.contains(&old))
            pairs.push_back({old.name, &old, &empty_state()});
    if (!before.only.empty())
        std::erase_if(pairs, [&](DirectorPair const& pair) { return pair.name != before.only; });
    return pairs;
}

namespace {

/// The changes of traffic for each director. A comparison that takes too much work is reported, and never counts as "no
/// difference".
std::vector<std::vector<MarkChange>> compare_traffic(std::vector<DirectorPair> const& directors, ChangeList& out) {
    std::vector<std::vector<MarkChange>> traffic(directors.size());
    Work work;
    for (std::size_t i = 0; i < directors.size(); ++i) {
        auto const& [name, before, after] = directors[i];
        if (before->marks == after->marks)
            continue;
        for (std::size_t family = 0; family < families.size() && !work.is_spent(); ++family) {
            auto changes = compare_rulesets(before->marks[family], after->marks[family], work);
            std::ranges::move(changes, std::back_inserter(traffic[i]));
        }
        if (!work.is_spent())
            continue;
        traffic[i].clear();
        out.push_back({Change::Kind::unknown,
                       "site",
                       {name},
                       "what becomes of packets is not compared: the rules tell too many kinds of them apart",
                       {},
                       true});
    }
    return traffic;
}

} // namespace

Difference compare(Side const& before, Side const& after) {
    Difference difference;
    Comparison all{before, after, pair_directors(before, after), {}};
    ChangeList changes;
    auto traffic = compare_traffic(all.directors, changes);
    all.renamed = find_renamed(all.directors, traffic, before, after);
    for (std::size_t i = 0; i < traffic.size(); ++i) {
        auto const told = add_traffic_lines(all, all.directors[i], traffic[i], changes);
        add_service_lines(all, all.directors[i], told, changes);
        if (!traffic[i].empty())
            difference.traffic.push_back({all.directors[i].name, std::move(traffic[i])});
    }
    if (before.site != nullptr && after.site != nullptr) {
        add_check_lines(all, changes);
        add_director_lines(all, changes);
        add_vrrp_lines(all, changes);
        add_setting_lines(all, changes);
        difference.runs = run_changes(all);
        std::ranges::stable_sort(difference.runs, {}, SubjectOrder(all));
    }
    name_renamed(all.renamed, changes);
    difference.changes = merged(changes);
    std::ranges::stable_sort(difference.changes, {}, SubjectOrder(all));
    difference.renamed = std::move(all.renamed);
    return difference;
}

} // namespace lbc
