#include "backends/ipvs/ipvs_refusal.hpp"

#include <fmt/format.h>

#include <linux/ip_vs.h>

#include <cerrno>
#include <system_error>

namespace lbc {
namespace {

using Action = IpvsChange::Action;
using Kind = SystemError::Kind;

struct Meaning {
    Kind kind;
    std::string words;
};

bool is_service(Action action) { return action <= Action::delete_service; }

/// ip_vs_add_service and ip_vs_edit_service (ip_vs_ctl.c): ENOENT means a scheduler or engine that did not load.
Meaning missing(IpvsChange const& change) {
    if (!is_service(change.action))
        return {Kind::changed, "another program has removed it"};
    if (change.parameters.engine.empty()) {
        return {Kind::unsupported,
                fmt::format("it has no scheduler `{0}` (module ip_vs_{0})", change.parameters.scheduler)};
    }
    return {Kind::unsupported, fmt::format("it has no scheduler `{0}` (module ip_vs_{0}), or no persistence engine "
                                           "`{1}` (module ip_vs_pe_{1})",
                                           change.parameters.scheduler, change.parameters.engine)};
}

/// ip_vs_add_dest and ip_vs_genl_set_cmd.
Meaning invalid(IpvsChange const& change) {
    if (is_service(change.action)) {
        return {Kind::failed,
                fmt::format("it takes no such value: netmask /{}, timeout {}s, scheduler `{}`",
                            change.parameters.netmask, change.parameters.timeout, change.parameters.scheduler)};
    }
    bool const mixed = change.real.address.family() != change.key.family;
    return {Kind::failed, mixed ? "a tunnel between address families does not go with the sync daemon, and older "
                                  "kernels have none"
                                : "the address is none that it can send to from this box, such as a broadcast address"};
}

Meaning meaning(IpvsChange const& change, int code) {
    switch (code) {
    case EPERM: return {Kind::permission, errno_text(code) + "; lbc needs CAP_NET_ADMIN"};
    case EEXIST: return {Kind::changed, "another program has made it in the meantime"};
    case ESRCH: return {Kind::changed, "another program has removed the service"};
    case ENOENT: return missing(change);
    case EINVAL: return invalid(change);
    case ERANGE: return {Kind::failed, "the weight or the limits are out of its range"};
    case EAFNOSUPPORT: return {Kind::unsupported, "its IPVS is built without this address family"};
    default: return {Kind::failed, errno_text(code)};
    }
}

} // namespace

SystemError ipvs_refusal(IpvsChange const& change, int code) {
    Meaning said = meaning(change, code);
    return {said.kind, code, fmt::format("the kernel cannot {}: {}", change.str(), said.words), change.span};
}

std::string_view title(SyncDaemon::Role role) { return role == SyncDaemon::Role::master ? "master" : "backup"; }

SystemError ipvs_daemon_refusal(SyncDaemon const& daemon, int code) {
    auto error = ipvs_error(fmt::format("start the {} sync daemon on {}", title(daemon.role), daemon.interface), code);
    if (code == ENODEV) {
        error.message += fmt::format("; this box has no interface {} that is up", daemon.interface);
    } else if (code == EINVAL) {
        error.message += "; a service has a tunnel to real servers of the other address family, which the kernel "
                         "does not synchronise";
    } else if (code == EEXIST) {
        error = {Kind::changed, code, error.message + "; another program has started one in the meantime", {}};
    }
    error.place = daemon.span;
    return error;
}

SystemError ipvs_error(std::string_view what, int code) {
    bool const denied = code == EPERM || code == EACCES;
    return {denied ? Kind::permission : Kind::failed, code,
            fmt::format("cannot {}: {}{}", what, errno_text(code), denied ? "; lbc needs CAP_NET_ADMIN" : "")};
}

} // namespace lbc
