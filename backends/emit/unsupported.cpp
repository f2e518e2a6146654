#include "backends/emit/unsupported.hpp"

#include <fmt/ranges.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {
namespace {

/// Places of statements by kind.
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

/// Statements that only keepalived can carry out.
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
        places.erase("check"); // `check-not-run` reports them
    for (auto const& vrrp : site.vrrps)
        places["vrrp"].push_back(vrrp.name.span);
    if (site.sync && site.sync->instance)
        places["sync with an instance"].push_back(site.sync->span);
    return places;
}

std::string_view title(Output output) {
    switch (output) {
    case Output::marks: return "the marks";
    case Output::ipvsadm: return "ipvsadm's input";
    case Output::sh: return "the script";
    case Output::keepalived: return "keepalived's configuration";
    case Output::realserver: return "a real server";
    case Output::networkd: return "systemd-networkd";
    case Output::apply: break;
    }
    return "apply";
}

/// Under `ipvs lbc`, keepalived has no virtual services to which these statements could belong.
Places without_services(Site const& site) {
    Places places;
    if (site.ipvs == IpvsOwner::lbc)
        places = health(site);
    places.erase("vrrp");
    places.erase("sync with an instance");
    return places;
}

/// One end of a GRE tunnel takes headers with checksums, or headers without.
Places two_checksums(Site const& site) {
    Places places;
    std::map<IpAddress, bool> first;
    for (auto const& service : site.services) {
        for (auto const& real : service.reals) {
            auto const& how = real.forwarding;
            if (how.method != Forwarding::Method::tun || how.tunnel != Forwarding::Tunnel::gre)
                continue;
            auto const checksum = how.checksum == Forwarding::Checksum::csum;
            if (first.try_emplace(real.address, checksum).first->second != checksum)
                places["gre with csum beside gre without"].push_back(real.span);
        }
    }
    return places;
}

Places beyond_networkd(Site const& site) {
    Places places;
    for (auto const& service : site.services) {
        for (auto const& real : service.reals) {
            auto const& how = real.forwarding;
            if (how.method != Forwarding::Method::tun)
                continue;
            if (how.tunnel == Forwarding::Tunnel::gre && how.checksum == Forwarding::Checksum::csum)
                places["gre with csum"].push_back(real.span);
            if (how.tunnel == Forwarding::Tunnel::gue) // systemd 252 fails to open the port
                places["gue"].push_back(real.span);
        }
    }
    return places;
}

Places places_of_limits(Site const& site, Output output) {
    if (output == Output::realserver)
        return two_checksums(site);
    if (output == Output::networkd)
        return beyond_networkd(site);
    if (output == Output::keepalived)
        return without_services(site);
    Places places;
    if (output != Output::marks && site.ipvs == IpvsOwner::lbc)
        places = health(site);
    // The script then has only the marks, as the site requires.
    if (output == Output::ipvsadm && site.ipvs == IpvsOwner::keepalived)
        for (auto const& service : site.services)
            places["service under `ipvs keepalived`"].push_back(service.name.span);
    if (output == Output::ipvsadm && site.sync && !site.sync->instance)
        places["sync"].push_back(site.sync->span);
    if ((output == Output::marks || output == Output::ipvsadm) && site.guard == GuardMode::backup_only)
        places["guard backup-only"].push_back(site.guard_span);
    return places;
}

std::string_view way_out(std::string_view what, Site const& site, Output output) {
    if (output == Output::keepalived)
        return "write `ipvs keepalived`, and it has virtual services";
    if (output == Output::realserver)
        return "the first form is taken, and packets in the other are dropped";
    if (output == Output::networkd)
        return "`--emit realserver` and `--emit ifupdown` have it";
    if (what == "guard backup-only")
        return "set net.ipv4.vs.backup_only=1 on the directors";
    return what == "sync" && site.ipvs == IpvsOwner::lbc ? "the script does that" : "keepalived does that";
}

} // namespace

void report_unsupported(Site const& site, Output output, Diagnostics& diagnostics) {
    // Kinds with one first place share a message, since a second one there would be dropped as an echo.
    std::map<Span, std::vector<std::string>> kinds;
    std::map<Span, std::string_view> ways_out;
    for (auto const& [what, spans] : places_of_limits(site, output)) {
        kinds[spans.front()].push_back(fmt::format("{} ({} in this site)", what, spans.size()));
        ways_out[spans.front()] = way_out(what, site, output);
    }
    for (auto const& [span, names] : kinds)
        // Each kind is a cause of its own: its name is no value of one message.
        diagnostics.add(
            DiagId::not_in_output, span,
            fmt::format("{} cannot represent {}; {}", title(output), fmt::join(names, ", "), ways_out[span]));
}

} // namespace lbc
