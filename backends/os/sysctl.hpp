// The kernel settings that a site can need. lbc sets and restores them.
#pragma once

#include "compiler/plan/plan.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lbc {

enum class Sysctl : std::uint8_t {
    backup_only,     // `guard backup-only`
    accept_local,    // a check through the VIP is answered from the VIP, which this box has, too
    conn_reuse_mode, // the next check may come from a port that IPVS remembers for another real server
    ip_forward,      // answers of `nat` real servers pass this box
    ipv6_forwarding, // the same for IPv6
};

inline constexpr std::array sysctls{Sysctl::backup_only, Sysctl::accept_local, Sysctl::conn_reuse_mode,
                                    Sysctl::ip_forward, Sysctl::ipv6_forwarding};

/// The name for sysctl(8): "net.ipv4.vs.backup_only".
[[nodiscard]] constexpr std::string_view title(Sysctl sysctl) {
    switch (sysctl) {
    case Sysctl::backup_only: return "net.ipv4.vs.backup_only";
    case Sysctl::accept_local: return "net.ipv4.conf.all.accept_local";
    case Sysctl::conn_reuse_mode: return "net.ipv4.vs.conn_reuse_mode";
    case Sysctl::ip_forward: return "net.ipv4.ip_forward";
    case Sysctl::ipv6_forwarding: break;
    }
    return "net.ipv6.conf.all.forwarding";
}

/// Values by setting.
using Sysctls = std::map<Sysctl, int>;

/// "/proc/sys/net/ipv4/vs/backup_only"
[[nodiscard]] std::string sysctl_path(Sysctl sysctl);

/// The settings that a director's plan needs.
[[nodiscard]] Sysctls sysctls_of(Plan const& plan);

} // namespace lbc
