#include "compiler/diff/steps.hpp"

#include "compiler/checks/checks.hpp"
#include "compiler/diff/lines.hpp"
#include "compiler/layout/layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace lbc {
namespace {

/// A site between the old and the new one.
struct Between {
    Site site;
    std::string words;             // what it is: "this site, but …"
    std::set<std::string> without; // services of it that never have a connection
};

bool has_same_directors(Site const& before, Site const& after) {
    return std::ranges::equal(before.directors, after.directors, {}, &Director::name, &Director::name);
}

Service const* find_service(Site const& site, std::string const& name) {
    auto const found =
        std::ranges::find_if(site.services, [&](Service const& service) { return service.name.value == name; });
    return found == site.services.end() ? nullptr : &*found;
}

/// `site` with the MACs that only `other` lists; nothing if that adds none.
std::optional<Between> with_macs_of(Site const& other, Site site, std::string words) {
    bool adds = false;
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        for (auto const& mac : other.directors[i].macs)
            if (!contains(site.directors[i].macs, mac)) {
                site.directors[i].macs.push_back(mac);
                adds = true;
            }
    return adds ? std::optional(Between{std::move(site), std::move(words), {}}) : std::nullopt;
}

/// The ports without the others.
std::vector<PortRange> without(SmallVector<PortRange, 1> const& ports, std::vector<PortRange> const& others) {
    std::vector<PortRange> left(ports.begin(), ports.end());
    for (auto const& other : others) {
        std::vector<PortRange> next;
        for (auto const& range : left) {
            if (!range.overlaps(other)) {
                next.push_back(range);
                continue;
            }
            if (range.first < other.first)
                next.push_back({range.first, Port{static_cast<std::uint16_t>(other.first.value - 1)}});
            if (other.last < range.last)
                next.push_back({Port{static_cast<std::uint16_t>(other.last.value + 1)}, range.last});
        }
        left = std::move(next);
    }
    return left;
}

std::vector<PortClaim> ports_that_leave(Service const& before, Service const& after) {
    std::vector<PortClaim> leaving;
    for (auto const& claim : before.ports) {
        std::vector<PortRange> kept;
        for (auto const& other : after.ports)
            if (other.protocol == claim.protocol || other.protocol == Protocol::any)
                kept.insert(kept.end(), other.ports.begin(), other.ports.end());
        PortClaim left{claim.protocol, {}, claim.span};
        for (auto const& range : without(claim.ports, kept))
            left.ports.push_back(range);
        if (!left.ports.empty())
            leaving.push_back(std::move(left));
    }
    return leaving;
}

std::string text_of(SmallVector<Located<Prefix>, 1> const& vips) {
    std::vector<std::string> texts;
    for (auto const& vip : vips)
        texts.push_back(vip.value.str());
    return fmt::format("`vip {}`", fmt::join(texts, ", "));
}

std::string text_of(SmallVector<PortClaim, 1> const& ports) {
    std::vector<std::string> texts;
    for (auto const& claim : ports) {
        std::vector<std::string> ranges;
        for (auto const& range : claim.ports)
            ranges.push_back(range.is_all() ? "any" : range.str());
        texts.push_back(claim.protocol == Protocol::any
                            ? "`port any`"
                            : fmt::format("`port {} {}`", to_string(claim.protocol), fmt::join(ranges, ", ")));
    }
    return fmt::format("{}", fmt::join(texts, ", "));
}

/// A mark that nothing on either side has.
std::optional<Fwmark> free_mark(Site const& before, Site const& site) {
    std::set<Fwmark> taken{before.guard_mark, site.guard_mark};
    for (auto const* side : {&before, &site}) {
        for (auto const& service : side->services)
            for (auto const& on : service.on)
                taken.insert(on.mark);
        for (auto const& [way, mark] : side->check_marks)
            taken.insert(mark);
    }
    for (auto mark = site.marks.first.value; site.marks.first.value <= mark && mark <= site.marks.last.value; ++mark)
        if (!taken.contains(Fwmark{mark}))
            return Fwmark{mark};
    return std::nullopt;
}

/// The new site, in which the VIPs and ports that leave a service become a separate service that takes no connection:
/// no director forwards its packets, and the guard handles remembered connections.
class Leaving {
public:
    Leaving(Site const& before, Site const& after) : before_(before), between_{after, {}, {}} {}

    std::optional<Between> run() {
        for (auto const& service : before_.services) {
            auto const* after = find_service(between_.site, service.name.value);
            if (after == nullptr || between_.without.contains(service.name.value))
                continue;
            auto const now = *after; // `add` moves it
            SmallVector<Located<Prefix>, 1> kept;
            SmallVector<Located<Prefix>, 1> leaving;
            for (auto const& vip : service.vips)
                (std::ranges::find(now.vips, vip) != now.vips.end() ? kept : leaving).push_back(vip);
            if (!leaving.empty())
                add(service, leaving, service.ports);
            SmallVector<PortClaim, 1> ports;
            for (auto& claim : ports_that_leave(service, now))
                ports.push_back(std::move(claim));
            if (!ports.empty() && !kept.empty())
                add(service, kept, ports);
        }
        if (between_.without.empty() || failed_)
            return std::nullopt;
        between_.words =
            fmt::format("this site with {} in it whose real servers all have weight 0: {}",
                        words_.size() == 1 ? "one service more" : "further services", fmt::join(words_, "; "));
        return std::move(between_);
    }

private:
    void add(Service const& of, SmallVector<Located<Prefix>, 1> const& vips, SmallVector<PortClaim, 1> const& ports) {
        auto service = of;
        service.name.value += "-leaving";
        while (find_service(between_.site, service.name.value) != nullptr)
            service.name.value += "-too";
        service.vips = vips;
        service.ports = ports;
        for (auto& real : service.reals)
            real.weight = 0;
        auto const mark = free_mark(before_, between_.site);
        failed_ = failed_ || !mark;
        for (auto& on : service.on)
            on.mark = mark.value_or(Fwmark{});
        between_.without.insert(service.name.value);
        words_.push_back(fmt::format("`{}` as it was, by another name and without `mark`, for {} {} alone",
                                     of.name.value, text_of(vips), text_of(ports)));
        between_.site.services.push_back(std::move(service));
    }

    Site const& before_;
    Between between_;
    std::vector<std::string> words_;
    bool failed_ = false; // no mark is free
};

/// The new site, in which `first` is the only director with its new forwarding method, if several change theirs.
std::optional<Between> forwarded_first(Site const& before, Site const& after, DirectorId first) {
    Between between{after, {}, {}};
    bool keeps = false;
    bool takes = false;
    for (auto& service : between.site.services) {
        auto const* old = find_service(before, service.name.value);
        if (old == nullptr)
            continue;
        for (auto& real : service.reals) {
            auto const was = std::ranges::find_if(old->reals, [&](RealServer const& other) {
                return other.address == real.address && other.port == real.port;
            });
            if (was == old->reals.end() || was->forwarding == real.forwarding)
                continue;
            bool const is_first = director_of(after, real) == first;
            takes = takes || is_first;
            keeps = keeps || !is_first;
            if (!is_first)
                real.forwarding = was->forwarding;
        }
    }
    if (!takes || !keeps)
        return std::nullopt;
    between.words =
        fmt::format("this site with the old `forward` for every real server but {}", after[first].name.value);
    return between;
}

/// Each site between needs two comparisons of whole sites; larger ones would take minutes.
constexpr std::size_t most_services = 500;

bool is_too_large(Site const& before, Site const& after) {
    return std::max(before.services.size(), after.services.size()) > most_services;
}

std::vector<Between> candidates(Site const& before, Site const& after) {
    if (!has_same_directors(before, after) || is_too_large(before, after))
        return {};
    std::vector<Between> list;
    auto const add = [&](std::optional<Between> between) {
        if (between)
            list.push_back(std::move(*between));
    };
    add(with_macs_of(after, before, "the old site with each director's new MACs listed beside the old ones"));
    add(with_macs_of(before, after, "this site with each director's old MACs listed beside the new ones"));
    add(Leaving(before, after).run());
    for (std::size_t i = 0; i < after.directors.size(); ++i)
        add(forwarded_first(before, after, DirectorId{i}));
    return list;
}

/// Checks the rules for a site that a site between two may break.
bool is_sound(Site const& site) {
    Diagnostics diagnostics;
    if (!check_sizes(site, diagnostics))
        return false;
    check_claims(site, diagnostics);
    check_marks(site, diagnostics);
    check_directors(site, diagnostics);
    return !diagnostics.has_errors();
}

/// One step with its order; nothing if no order is safe.
std::optional<RolloutStep> prove(Side const& from, Side const& to, std::string words) {
    auto rollout = plan_rollout(from, to, compare(from, to));
    if (rollout.verdict == Rollout::Verdict::no_order || rollout.verdict == Rollout::Verdict::unknown)
        return std::nullopt;
    return RolloutStep{std::move(words), rollout.verdict == Rollout::Verdict::in_order ? std::move(rollout.order)
                                                                                       : std::vector<std::string>{}};
}

std::string otherwise(Rollout const& rollout, bool is_searched) {
    std::set<std::string> services;
    bool only_remembered = true;
    for (auto const& hazard : rollout.avoided) {
        if (!contains(rollout.cycle, hazard.from) || !contains(rollout.cycle, hazard.to))
            continue;
        services.insert(hazard.service);
        only_remembered = only_remembered && hazard.kind == Hazard::Kind::remembered;
    }
    auto const of = list_of({services.begin(), services.end()});
    auto const why = is_searched
                         ? std::string("no site between the two was found that is safe")
                         : fmt::format("no site between the two is searched for beyond {} services", most_services);
    if (only_remembered)
        return fmt::format("{}; apply it when the connections of {} from earlier roles are over", why, of);
    return fmt::format("{}; apply it while no director sends to another: give {} weight 0 as real servers of {} first, "
                       "and wait until their connections are over",
                       why, list_of(rollout.cycle), of);
}

} // namespace

Remedy find_remedy(Side const& before, Side const& after, Rollout const& rollout) {
    for (auto& between : candidates(*before.site, *after.site)) {
        if (!is_sound(between.site))
            continue;
        Side side{states_of(between.site, layout_auto), &between.site, {}, after.keepalived};
        for (auto& director : side.directors)
            for (auto& service : director.services)
                if (between.without.contains(service.name))
                    service.service.reals.clear();
        auto first = prove(before, side, std::move(between.words));
        if (!first)
            continue;
        if (auto second = prove(side, after, "this one"))
            return {{std::move(*first), std::move(*second)}, {}};
    }
    return {{}, otherwise(rollout, !is_too_large(*before.site, *after.site))};
}

std::string sentence(Remedy const& remedy) {
    if (remedy.steps.empty())
        return remedy.otherwise;
    std::string text = "two steps are: first ";
    for (auto const& step : remedy.steps) {
        if (&step != &remedy.steps.front())
            text += ", everywhere; then ";
        text += step.site;
        if (!step.order.empty())
            text += fmt::format(" ({}, in this order)", fmt::join(step.order, ", then "));
    }
    return text;
}

} // namespace lbc
