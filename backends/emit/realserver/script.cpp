#include "backends/emit/realserver/realserver.hpp"
#include "backends/emit/realserver/shell_text.hpp"
#include "backends/emit/sh/sh.hpp"
#include "compiler/base/shell_quote.hpp"

#include <fmt/format.h>

namespace lbc {
namespace {

constexpr std::string_view script_header = R"sh(#!/bin/sh
# The real servers' side of an LVS site. Made by lbc from the site file: change that instead.
#
#     sh realserver.sh [[apply|show] [NAME...] | remove]
#
# apply (the default) gives this machine what stands below for it, and takes away what an earlier apply gave it and the
# site no longer has; again, it changes nothing. show prints what is there. remove takes all of it off.
# NAME is a real server's address, or the director's name where the real server is a director. Without NAME it is every
# entry that has an address of this machine.
#
# apply sets the sysctls first, since a VIP on lo would be announced without them; then come tunnels, then the VIPs on
# lo. remove goes the other way. What apply has added is written down before, in /run/lbc/realserver-N; that alone is
# taken away again. An address that is on lo already stays as it is, and so does one of the same VIP on another
# interface, such as VRRP's.
#
# Environment: IP names the program ip, which must be iproute2's; LBC_STATE another file than that.
#
# Exit status: 0 done; 1 a step failed, the steps before it stay done, and another run goes on from there; for show:
# something is missing; 2 wrong usage, or no entry fits; 3 something is missing or not permitted, and nothing was
# changed.
set -euf
)sh";

std::string names(std::span<RealServerHost const> hosts) {
    std::string out;
    for (auto const& host : hosts)
        out += (out.empty() ? "" : " ") + host.name;
    return out;
}

std::string addresses(std::span<RealServerHost const> hosts) {
    std::string out = "\n# addresses: those by which a machine is an entry.\naddresses() {\n    cat <<'END'\n";
    for (auto const& host : hosts)
        for (auto const& address : host.addresses)
            out += fmt::format("{} {}\n", host.name, address.str());
    return out + "END\n}\n";
}

std::string items(RealServerHost const& host) {
    std::string out = host.has_vip(Family::ipv4) ? "arp\n" : "";
    for (auto const& gue : host.gue_ports)
        out += fmt::format("gue {} {}\n", to_string(gue.family), gue.port.value);
    for (auto const& tunnel : host.tunnels)
        out += fmt::format("tunnel {} {} {}{}\n", to_string(tunnel.kind), tunnel.local.str(),
                           tunnel.inner ? tunnel.inner->str() : "-", tunnel.checksum ? " icsum" : "");
    for (auto const& vip : host.vips)
        out += fmt::format("{} {}/{}\n", vip.is_host() ? "address" : "route", vip.address.str(), vip.length);
    return out;
}

std::string entries(std::span<RealServerHost const> hosts) {
    std::string out = "\n# entry NAME: what it is to have.\nentry() {\n    case $1 in\n";
    for (auto const& host : hosts)
        out += fmt::format("    {}) cat <<'END' ;;\n{}END\n", shell_quote(host.name), items(host));
    return out + "    *) return 1 ;;\n    esac\n}\n";
}

} // namespace

std::string realserver_script(std::span<RealServerHost const> hosts) {
    return std::string(script_header) + fmt::format("\nnames={}\n", shell_quote(names(hosts))) + addresses(hosts) +
           entries(hosts) + fmt::format("\n{}\n{}", realserver_change, realserver_show);
}

} // namespace lbc
