#include "compiler/checks/checks.hpp"

#include "compiler/analysis/loops.hpp"
#include "compiler/layout/layout.hpp"

#include <algorithm>

namespace lbc {
namespace {

/// Packets pass from one director to another only if the other is a real server. By the definition of a MarkTable, a
/// packet from the MAC of a director never gets the mark of a service, and the guard stops remembered connections. What
/// is left to prove concerns tunnels, whose packets have no source MAC, and sites without a guard.
bool may_loop(Site const& site) {
    bool const is_guarded = site.guard != GuardMode::off;
    return std::ranges::any_of(site.services, [&](Service const& service) {
        return std::ranges::any_of(service.reals, [&](RealServer const& real) {
            bool const is_told_by_mac = real.forwarding.method == Forwarding::Method::dr;
            return !(is_guarded && is_told_by_mac) && director_of(site, real).has_value();
        });
    });
}

Span place_of(Site const& site, LoopPath const& path) {
    auto const found =
        std::ranges::find_if(site.services, [&](Service const& service) { return service.name.value == path.service; });
    return found == site.services.end() ? Span{} : found->name.span;
}

/// Adds a note for each hop, at the definition of its director.
void add_path(Diagnostic& message, LoopPath const& path, Site const& site) {
    auto const lines = lines_of(path);
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (auto const director = site.find_director(path.hops[i].director))
            message.note(site[*director].name.span, lines[i]);
}

} // namespace

void check_loops(Site const& site, Diagnostics& diagnostics) {
    if (diagnostics.has_errors() || !may_loop(site))
        return;
    auto const states = states_of(site, layout_linear);
    Work work;
    auto const paths = find_loops(rules_of(states, work), work);
    if (work.is_spent()) {
        diagnostics.report(DiagId::too_large, site.directors.front().name.span,
                           "these directors tell too many kinds of packets apart to prove that none is balanced twice; "
                           "take directors off `real`, or give services the same `interface` and `bypass`");
        return;
    }
    for (auto const& path : paths)
        if (auto const place = place_of(site, path); path.fault == Fault::balanced_twice)
            add_path(diagnostics.report(DiagId::packet_loop, place, "{}", title(path)), path, site);
    auto const is_remembered = [](LoopPath const& path) { return path.fault == Fault::remembered; };
    auto const stale = std::ranges::find_if(paths, is_remembered);
    if (stale == paths.end())
        return;
    auto const place = site.guard_span == Span{} ? place_of(site, *stale) : site.guard_span;
    auto const more = std::ranges::count_if(paths, is_remembered) - 1;
    auto& message = diagnostics.report(DiagId::stale_loop, place, "without a guard, {}{}", title(*stale),
                                       more == 0 ? "" : fmt::format("; and {} more like it", more));
    add_path(message, *stale, site);
}

} // namespace lbc
