#include "backends/limits.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace lbc {
namespace {

/// Places of statements by what they are.
using Places = std::map<std::string_view, std::vector<Span>>;

void add_reals(Service const& service, Places& places) {
    for (auto const& real : service.reals) {
        for (auto const& check : real.checks)
            places["check"].push_back(check.span);
        if (!real.notify_up.empty() || !real.notify_down.empty())
            places["notify-up, notify-down"].push_back(real.span);
        if (real.inhibit_on_failure)
            places["inhibit-on-failure"].push_back(real.span);
    }
}

/// What keepalived alone can do.
Places health(Site const& site) {
    Places places;
    for (auto const& service : site.services) {
        for (auto const& check : service.checks)
            places["check"].push_back(check.span);
        for (auto const& sorry : service.sorry)
            places["sorry"].push_back(sorry.span);
        if (service.quorum)
            places["quorum"].push_back(service.quorum->span);
        if (service.alpha)
            places["alpha"].push_back(service.name.span);
        if (service.omega)
            places["omega"].push_back(service.name.span);
        if (service.inhibit_on_failure)
            places["inhibit-on-failure"].push_back(service.name.span);
        add_reals(service, places);
    }
    if (site.ipvs == IpvsOwner::lbc)
        places.erase("check"); // `check-not-run` has said it
    for (auto const& vrrp : site.vrrps)
        places["vrrp"].push_back(vrrp.name.span);
    if (site.sync && site.sync->instance)
        places["sync with an instance"].push_back(site.sync->span);
    return places;
}

std::string_view name_of(Output output) {
    switch (output) {
    case Output::marks: return "the marks";
    case Output::ipvsadm: return "ipvsadm's input";
    case Output::sh: break;
    }
    return "the script";
}

} // namespace

void report_limits(Site const& site, Output output, Diagnostics& diagnostics) {
    Places places;
    if (output != Output::marks && site.ipvs == IpvsOwner::lbc)
        places = health(site);
    if (output != Output::marks && site.ipvs == IpvsOwner::keepalived)
        for (auto const& service : site.services)
            places["service under `ipvs keepalived`"].push_back(service.name.span);
    if (output == Output::ipvsadm && site.sync && !site.sync->instance)
        places["sync"].push_back(site.sync->span);
    if (output != Output::sh && site.guard == GuardMode::backup_only)
        places["guard backup-only"].push_back(site.guard_span);
    for (auto const& [what, spans] : places)
        diagnostics.report(DiagId::not_in_output, spans.front(), "{} has no place for {} ({} in this site); {}",
                           name_of(output), what, spans.size(),
                           what == "guard backup-only" ? "set net.ipv4.vs.backup_only=1 on the directors"
                                                       : "keepalived does that");
}

} // namespace lbc
