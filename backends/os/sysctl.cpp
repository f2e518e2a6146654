#include "backends/os/sysctl.hpp"

#include <algorithm>

namespace lbc {

std::string sysctl_path(Sysctl sysctl) {
    std::string name(title(sysctl));
    std::ranges::replace(name, '.', '/');
    return "/proc/sys/" + name;
}

Sysctls sysctls_of(Plan const& plan) {
    Sysctls wanted;
    if (plan.backup_only)
        wanted[Sysctl::backup_only] = 1;
    // RTN_LOCAL in fib_validate_source (fib_frontend.c); bit 2 in is_new_conn_expected (ip_vs_core.c).
    if (!plan.checks.empty()) {
        wanted[Sysctl::accept_local] = 1;
        wanted[Sysctl::conn_reuse_mode] = 3;
    }
    // IPVS forwards requests by itself; answers are routed (ip_forward.c, ip6_forward in ip6_output.c).
    if (plan.forwards[index_of(Family::ipv4)])
        wanted[Sysctl::ip_forward] = 1;
    if (plan.forwards[index_of(Family::ipv6)])
        wanted[Sysctl::ipv6_forwarding] = 1;
    return wanted;
}

} // namespace lbc
