#include "backends/emit/realserver/realserver.hpp"

#include <fmt/format.h>

namespace lbc {
namespace {

constexpr std::string_view header =
    R"(# The real servers' side of an LVS site, for {}. Made by lbc from the site file: change that instead.
# A file for /etc/network/interfaces.d: `ifup lbc` and `ifdown lbc` put the VIPs on lo and take them off, and nothing
# else of lo changes. There is no interface of the name lbc. The sysctls come first, since a VIP on lo would be
# announced without them, and `ifdown lbc` leaves them.
auto lbc
iface lbc inet manual
    pre-up ip link set dev lo up
)";

std::string_view flag(Family family) { return family == Family::ipv4 ? "-4" : "-6"; }

/// Does the same as add_tunnel of the script.
std::string tunnel_up(std::string const& device, RealServerTunnel const& tunnel) {
    auto const kind = to_string(tunnel.kind);
    auto const more = tunnel.kind == RealServerTunnel::Kind::ip6tnl ? " mode any allow-localremote"
                      : tunnel.checksum                             ? " icsum"
                                                                    : "";
    // `|| true`: a device of an earlier run mostly does not exist, and ifup continues.
    auto out = fmt::format("    pre-up ip link delete dev {} 2>/dev/null || true\n", device);
    out += fmt::format("    pre-up ip link add name {} type {} local {}{}\n", device, kind, tunnel.local.str(), more);
    if (tunnel.inner) {
        out += fmt::format("    pre-up echo 2 >/proc/sys/net/ipv4/conf/{}/rp_filter\n", device);
        out += fmt::format("    pre-up ip address add {}/32 dev {} scope host\n", tunnel.inner->str(), device);
    }
    return out + fmt::format("    pre-up ip link set dev {} up\n", device);
}

std::string vip_up(Prefix const& vip) {
    auto const text = fmt::format("{}/{}", vip.address.str(), vip.length);
    if (!vip.is_host())
        return fmt::format("    up ip {} route replace local {} dev lo\n", flag(vip.family()), text);
    auto const how = vip.family() == Family::ipv4 ? "scope host" : "preferred_lft 0";
    return fmt::format("    up ip address replace {} dev lo {}\n", text, how);
}

/// `|| true`: if an address or route is missing already, ifdown still removes the rest.
std::string vip_down(Prefix const& vip) {
    auto const text = fmt::format("{}/{}", vip.address.str(), vip.length);
    return vip.is_host()
               ? fmt::format("    down ip address delete {} dev lo || true\n", text)
               : fmt::format("    down ip {} route delete local {} dev lo || true\n", flag(vip.family()), text);
}

} // namespace

std::string ifupdown_text(RealServerHost const& host) {
    auto out = fmt::format(header, host.name);
    if (host.has_vip(Family::ipv4))
        out += "    pre-up echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore\n"
               "    pre-up echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce\n";
    // `|| true`: a kernel may have fou built in, and the port open; without either, the tunnel's own line fails.
    if (!host.gue_ports.empty())
        out += "    pre-up modprobe fou 2>/dev/null || true\n";
    for (auto const& gue : host.gue_ports)
        out += fmt::format("    pre-up ip {} fou add port {} gue || true\n", flag(gue.family), gue.port.value);
    for (std::size_t i = 0; i < host.tunnels.size(); ++i)
        out += tunnel_up(device_name(host.tunnels, i), host.tunnels[i]);
    for (auto const& vip : host.vips)
        out += vip_up(vip);
    for (auto const& vip : host.vips)
        out += vip_down(vip);
    // `|| true`: as in `vip_down`, a missing device or port is no failure.
    for (std::size_t i = 0; i < host.tunnels.size(); ++i)
        out += fmt::format("    post-down ip link delete dev {} || true\n", device_name(host.tunnels, i));
    for (auto const& gue : host.gue_ports)
        out += fmt::format("    post-down ip {} fou del port {} || true\n", flag(gue.family), gue.port.value);
    return out;
}

} // namespace lbc
