#include "compiler/site/allocate_marks.hpp"

#include "compiler/base/fnv1a.hpp"

#include <algorithm>
#include <unordered_set>

namespace lbc {
namespace {

/// The marks in use: those of the file, and those that were allocated since.
class Taken {
public:
    explicit Taken(Site const& site) {
        pinned_.reserve(site.services.size());
        for (auto const& service : site.services)
            for (auto const& on : service.on)
                if (!on.allocated && (pinned_.empty() || pinned_.back() != on.mark))
                    pinned_.push_back(on.mark);
        if (!std::ranges::is_sorted(pinned_))
            std::ranges::sort(pinned_);
        auto const twice = std::ranges::unique(pinned_);
        pinned_.erase(twice.begin(), twice.end());
    }

    [[nodiscard]] std::size_t size() const { return pinned_.size() + given_.size(); }
    [[nodiscard]] bool contains(Fwmark mark) const {
        return given_.contains(mark.value) || std::ranges::binary_search(pinned_, mark);
    }
    void insert(Fwmark mark) { given_.insert(mark.value); }

private:
    std::vector<Fwmark> pinned_; // sorted, each once
    std::unordered_set<std::uint32_t> given_;
};

std::uint32_t hash_of(std::string_view text) { return Fnv1a<std::uint32_t>().add(text).value(); }

bool needs_guard_mark(Site const& site) { return site.guard == GuardMode::local || site.guard == GuardMode::drop; }

/// The first free mark at offset `start` of the range or after it, wrapping around; 0 if all are taken.
Fwmark next_free(MarkRange const& range, std::uint32_t start, Taken const& taken) {
    auto const size = std::uint64_t{range.last.value} - range.first.value + 1;
    for (std::uint64_t i = 0; i < size && i <= taken.size(); ++i) {
        Fwmark const mark{static_cast<std::uint32_t>(range.first.value + (start + i) % size)};
        if (!taken.contains(mark))
            return mark;
    }
    return {};
}

void allocate_guard(Site& site, Taken& taken, Diagnostics& diagnostics) {
    for (auto value = std::uint64_t{site.marks.last.value}; value >= site.marks.first.value; --value) {
        Fwmark const mark{static_cast<std::uint32_t>(value)};
        if (!taken.contains(mark)) {
            taken.insert(mark);
            site.guard_mark = mark;
            return;
        }
    }
    diagnostics.report(DiagId::marks_full, site.services.empty() ? Span{} : site.services.front().name.span,
                       "no mark of {}-{} is left for the guard; widen `marks`", site.marks.first.str(),
                       site.marks.last.str());
}

/// Allocates one mark for each way to a real server, shared by all services and ports that use it.
void allocate_checks(Site& site, Taken& taken, Diagnostics& diagnostics) {
    auto const size = std::uint64_t{site.marks.last.value} - site.marks.first.value + 1;
    for (auto const& service : site.services)
        for (auto const family : families)
            for (auto const index : service.has_vip(family) ? service.reals_for(family) : std::vector<std::size_t>{}) {
                auto const& real = service.reals[index];
                if (!is_checked_through_vip(service, real) || site.check_mark(family, real))
                    continue;
                auto const slot = static_cast<std::uint32_t>(hash_of("check " + real.address.str()) % size);
                auto const mark = next_free(site.marks, slot, taken);
                if (mark == Fwmark{}) {
                    diagnostics.report(DiagId::marks_full, real.span,
                                       "no mark of {}-{} is left for checks of `{}` through the VIP; widen `marks`",
                                       site.marks.first.str(), site.marks.last.str(), real.address.str());
                    return;
                }
                taken.insert(mark);
                site.check_marks.emplace(CheckWay{family, real.address, real.forwarding}, mark);
            }
}

} // namespace

void allocate_marks(Site& site, Diagnostics& diagnostics) {
    Taken taken(site);
    if (needs_guard_mark(site))
        allocate_guard(site, taken, diagnostics);
    auto const size = std::uint64_t{site.marks.last.value} - site.marks.first.value + 1;
    for (auto& service : site.services) {
        if (std::ranges::none_of(service.on, &ServiceOn::allocated))
            continue;
        auto const slot = static_cast<std::uint32_t>(hash_of(service.name.value) % size);
        auto const mark = next_free(site.marks, slot, taken);
        if (mark == Fwmark{}) {
            diagnostics.report(DiagId::marks_full, service.name.span,
                               "no mark of {}-{} is left for `{}`; widen `marks`", site.marks.first.str(),
                               site.marks.last.str(), service.name.value);
            continue;
        }
        if (mark.value != site.marks.first.value + slot)
            diagnostics.report(DiagId::mark_collision, service.name.span,
                               "the mark of `{}` is taken, so it gets the next one, which other services can move; "
                               "pin it with `mark {}`",
                               service.name.value, mark.str());
        taken.insert(mark);
        for (auto& on : service.on)
            if (on.allocated)
                on.mark = mark;
    }
    if (site.ipvs == IpvsOwner::keepalived)
        allocate_checks(site, taken, diagnostics);
}

} // namespace lbc
