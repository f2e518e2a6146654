#include "compiler/checks/checks.hpp"
#include "compiler/plan/plan.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <tuple>
#include <vector>

namespace lbc {
namespace {

/// One port range of a claim: the packets that a service takes on one director.
struct Claim {
    PortRange ports;
    MarkClass const* mark_class = nullptr;
};

/// The claims on one prefix and protocol, sorted by first port, as a range of `list_`.
struct Claims {
    Prefix prefix;
    Protocol protocol{};
    std::size_t first = 0; // index in the list of all claims
    std::size_t last = 0;
};

/// A packet that the director itself sends enters on no interface, so two classes that take such packets share it
/// whatever interfaces they name.
bool share_interface(MarkClass const& a, MarkClass const& b) {
    if (a.interfaces.empty() || b.interfaces.empty() || (a.from_director && b.from_director))
        return true;
    return std::ranges::any_of(a.interfaces, [&](auto const& mine) {
        return std::ranges::any_of(b.interfaces, [&](auto const& other) { return mine.overlaps(other); });
    });
}

/// Finds classes of one director that share a packet. Of two prefixes one contains the other, or they are disjoint. So
/// a walk in the order of addresses compares each prefix only with those that contain it, which are kept open.
class ClaimCheck {
public:
    ClaimCheck(Site const& site, DirectorId director, Diagnostics& diagnostics)
        : site_(site), director_(director), diagnostics_(diagnostics) {}

    void run(MarkTable const& table) {
        auto const sorted = sorted_classes(table);
        auto const holds_next = [](MarkClass const* a, MarkClass const* b) {
            return a->destination.contains(b->destination);
        };
        if (std::ranges::adjacent_find(sorted, holds_next) == sorted.end())
            return; // the usual site: a prefix that contains another contains its own successor, too
        auto const all = claims_of(sorted);
        std::vector<std::span<Claims const>> open;
        for (auto first = all.begin(); first != all.end();) {
            auto const last =
                std::find_if(first, all.end(), [&](Claims const& c) { return c.prefix != first->prefix; });
            while (!open.empty() && !open.back().front().prefix.contains(first->prefix))
                open.pop_back();
            open.emplace_back(first, last);
            for (auto const outer : open)
                compare(outer, open.back());
            first = last;
        }
    }

private:
    /// Sorted by address, then by length: a prefix comes before those that it contains.
    static std::vector<MarkClass const*> sorted_classes(MarkTable const& table) {
        std::vector<MarkClass const*> sorted;
        sorted.reserve(table.classes.size());
        for (auto const& mark_class : table.classes)
            sorted.push_back(&mark_class);
        auto const comes_before = [&](MarkClass const* a, MarkClass const* b) {
            return std::tie(a->destination, a->protocol) < std::tie(b->destination, b->protocol);
        };
        if (!std::ranges::is_sorted(sorted, comes_before))
            std::ranges::stable_sort(sorted, comes_before);
        return sorted;
    }

    /// The claims of these classes, in the same order.
    std::vector<Claims> claims_of(std::vector<MarkClass const*> const& sorted) {
        list_.reserve(sorted.size());
        std::vector<Claims> all;
        all.reserve(sorted.size());
        for (auto const* mark_class : sorted) {
            if (all.empty() || all.back().prefix != mark_class->destination ||
                all.back().protocol != mark_class->protocol)
                all.push_back({mark_class->destination, mark_class->protocol, list_.size(), list_.size()});
            for (auto const& ports : mark_class->ports)
                list_.push_back({ports, mark_class});
            all.back().last = list_.size();
        }
        for (auto const& claims : all)
            if (auto const list = list_of(claims); list.size() > 1)
                std::ranges::stable_sort(list, {}, [](Claim const& claim) { return claim.ports; });
        return all;
    }

    [[nodiscard]] std::span<Claim> list_of(Claims const& claims) {
        return std::span(list_).subspan(claims.first, claims.last - claims.first);
    }

    /// Compares the claims on one prefix with those on a prefix within it, or on itself.
    void compare(std::span<Claims const> outers, std::span<Claims const> inners) {
        for (auto const& outer : outers)
            for (auto const& inner : inners)
                if (outer.protocol == inner.protocol || outer.protocol == Protocol::any ||
                    inner.protocol == Protocol::any)
                    sweep(list_of(outer), list_of(inner));
    }

    /// Both lists are sorted by first port. `live` holds the claims of `left` that can still overlap the rest of
    /// `right`.
    void sweep(std::span<Claim const> left, std::span<Claim const> right) {
        std::vector<Claim> live;
        std::size_t next = 0;
        if (left.data() == right.data() && left.size() == 1)
            return; // no other claimant
        for (auto const& claim : right) {
            while (next < left.size() && left[next].ports.first <= claim.ports.last)
                live.push_back(left[next++]);
            // One message for each service is enough, and bounds the work if all claim the same.
            std::erase_if(live, [&](Claim const& other) {
                return other.ports.last < claim.ports.first || reported_.contains(other.mark_class->service);
            });
            for (auto const& other : live)
                if (other.ports.overlaps(claim.ports))
                    report(
                        *other.mark_class, *claim.mark_class,
                        {std::max(other.ports.first, claim.ports.first), std::min(other.ports.last, claim.ports.last)});
        }
    }

    void report(MarkClass const& a, MarkClass const& b, PortRange ports) {
        if (a.service == b.service || !share_interface(a, b))
            return;
        auto const& first = a.service < b.service ? a : b;
        auto const& second = a.service < b.service ? b : a;
        if (!reported_.insert(second.service).second)
            return;
        auto const& service = site_.services[second.service];
        auto const what = second.protocol == Protocol::any
                              ? second.destination.str()
                              : fmt::format("{}, {} {}", second.destination.str(), to_string(second.protocol),
                                            ports.is_all() ? "any" : ports.str());
        diagnostics_
            .report(DiagId::duplicate_vip, vip_span(second), "{} of `{}` is already claimed by service `{}` on `{}`",
                    what, service.name.value, site_.services[first.service].name.value, site_[director_].name.value)
            .note(vip_span(first), "first claimed here");
    }

    [[nodiscard]] Span vip_span(MarkClass const& mark_class) const {
        auto const& service = site_.services[mark_class.service];
        for (auto const& vip : service.vips)
            if (vip.value == mark_class.destination)
                return vip.span;
        return service.name.span;
    }

    Site const& site_;
    DirectorId director_;
    Diagnostics& diagnostics_;
    std::vector<Claim> list_;
    std::set<std::size_t> reported_; // services with a message
};

/// Whether two directors balance the same services for clients on the same interfaces.
bool have_same_claims(Site const& site, DirectorId a, DirectorId b) {
    return site[a].interfaces == site[b].interfaces && std::ranges::all_of(site.services, [&](Service const& service) {
               return (service.on_director(a) == nullptr) == (service.on_director(b) == nullptr);
           });
}

} // namespace

void check_claims(Site const& site, Diagnostics& diagnostics) {
    std::vector<DirectorId> checked;
    for (std::size_t i = 0; i < site.directors.size(); ++i) {
        DirectorId const director{i};
        if (std::ranges::any_of(checked, [&](DirectorId other) { return have_same_claims(site, other, director); }))
            continue; // it would repeat the messages
        ClaimCheck(site, director, diagnostics).run(make_mark_table(site, director));
        checked.push_back(director);
    }
}

void check_marks(Site const& site, Diagnostics& diagnostics) {
    using Owner = std::pair<Fwmark, Service const*>;
    for (std::size_t i = 0; i < site.directors.size(); ++i) {
        DirectorId const director{i};
        std::vector<Owner> owners; // in the order of the source
        owners.reserve(site.services.size());
        for (auto const& service : site.services)
            if (auto const* on = service.on_director(director); on != nullptr && on->mark != Fwmark{})
                owners.emplace_back(on->mark, &service);
        if (!std::ranges::is_sorted(owners, {}, &Owner::first))
            std::ranges::stable_sort(owners, {}, &Owner::first);
        for (std::size_t first = 0, next = 1; next < owners.size(); ++next) {
            if (owners[next].first != owners[first].first) {
                first = next;
                continue;
            }
            auto const& [mark, service] = owners[next];
            auto const* owner = owners[first].second;
            auto const span = service->on_director(director)->span;
            diagnostics
                .report(DiagId::duplicate_mark, span, "mark {} of `{}` is service `{}`'s on `{}` already", mark.str(),
                        service->name.value, owner->name.value, site[director].name.value)
                .note(owner->on_director(director)->span, "first used here");
        }
    }
    for (auto const& service : site.services)
        for (auto const& on : service.on)
            if (!on.allocated && !site.marks.contains(on.mark) && (on.mark.value & 0xC000U) != 0)
                diagnostics.report(DiagId::foreign_mark, on.span,
                                   "mark {} has a bit that kube-proxy uses (0x4000, 0x8000); take one from {}-{}",
                                   on.mark.str(), site.marks.first.str(), site.marks.last.str());
}

} // namespace lbc
