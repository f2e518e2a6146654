#include "backends/emit/realserver/realserver.hpp"

#include <fmt/format.h>

namespace lbc {
namespace {

using Kind = RealServerTunnel::Kind;

std::string head(RealServerHost const& host) {
    return fmt::format("# The real servers' side of an LVS site, for {}. Made by lbc from the site file: change that "
                       "instead.\n",
                       host.name);
}

std::string address(IpAddress const& address) {
    return fmt::format("\n[Address]\nAddress={}/{}\n{}\n", address.str(), address.bits(),
                       address.family() == Family::ipv4 ? "Scope=host" : "PreferredLifetime=0");
}

std::string loopback(RealServerHost const& host) {
    auto out = head(host) + "# Where another file is for lo, it is the first by name that counts.\n[Match]\nName=lo\n\n"
                            "# What others have put on lo stays.\n[Network]\nKeepConfiguration=static\n";
    for (auto const& vip : host.vips)
        out += vip.is_host() ? address(vip.address)
                             : fmt::format("\n[Route]\nDestination={}/{}\nType=local\n", vip.address.str(), vip.length);
    return out;
}

std::string netdev(RealServerHost const& host, std::string const& device, RealServerTunnel const& tunnel) {
    auto out = fmt::format("{}[NetDev]\nName={}\nKind={}\n\n[Tunnel]\nIndependent=yes\nLocal={}\nRemote=any\n",
                           head(host), device, to_string(tunnel.kind), tunnel.local.str());
    if (tunnel.kind == Kind::ip6tnl)
        out += "Mode=any\nAllowLocalRemote=yes\n";
    return out;
}

std::string network(RealServerHost const& host, std::string const& device, RealServerTunnel const& tunnel) {
    return fmt::format("{}[Match]\nName={}\n\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n{}", head(host),
                       device, tunnel.inner ? address(*tunnel.inner) : "");
}

/// For the rp_filter of a tunnel, systemd-sysctl runs again when its device appears.
std::string sysctls(RealServerHost const& host) {
    auto out = head(host) + "net.ipv4.conf.all.arp_ignore = 1\nnet.ipv4.conf.all.arp_announce = 2\n";
    for (std::size_t i = 0; i < host.tunnels.size(); ++i)
        if (host.tunnels[i].inner)
            out += fmt::format("net.ipv4.conf.{}.rp_filter = 2\n", device_name(host.tunnels, i));
    return out;
}

constexpr char const* networkd_start = "etc/systemd/network/50-"; // of a device's name
constexpr char const* sysctl_file = "etc/sysctl.d/90-lbc.conf";

} // namespace

bool is_networkd_file(std::string_view path) {
    auto const device = std::string(networkd_start) + "lbc-";
    return path == sysctl_file ||
           (path.starts_with(device) && path.find('/', device.size()) == std::string_view::npos &&
            (path.ends_with(".network") || path.ends_with(".netdev")));
}

std::map<std::string, std::string> networkd_files(RealServerHost const& host) {
    std::string const folder(networkd_start);
    std::map<std::string, std::string> files;
    files[folder + "lbc-lo.network"] = loopback(host);
    if (host.has_vip(Family::ipv4))
        files[sysctl_file] = sysctls(host);
    for (std::size_t i = 0; i < host.tunnels.size(); ++i) {
        auto const device = device_name(host.tunnels, i);
        files[folder + device + ".netdev"] = netdev(host, device, host.tunnels[i]);
        files[folder + device + ".network"] = network(host, device, host.tunnels[i]);
    }
    return files;
}

} // namespace lbc
