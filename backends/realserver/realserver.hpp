// The real servers' side of a site: what a host that is reached by direct routing or through a tunnel must have so that
// it takes packets for a VIP which it must not announce. One value for each host, made from the site, and three texts
// of it: a POSIX shell script for all hosts, files for systemd-networkd and a file for ifupdown for one.
// Real servers by `nat` need nothing.
#pragma once

#include "compiler/site.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lbc {

/// A tunnel's end. The outer packet is of the family of the local address; ipip carries IPv4, sit IPv6, the others
/// both.
struct RealServerTunnel {
    enum class Kind : std::uint8_t { ipip, sit, ip6tnl, gre, ip6gre };

    Kind kind = Kind::ipip;
    IpAddress local;
    bool checksum = false;          // gre and ip6gre; the kernel drops packets whose header has the other form
    std::optional<IpAddress> inner; // an IPv4 address of the VIPs that come through; none: IPv6 alone comes

    friend bool operator==(RealServerTunnel const&, RealServerTunnel const&) = default;
};
[[nodiscard]] std::string_view to_string(RealServerTunnel::Kind kind);

/// A UDP port on which packets in GUE come; what they carry goes on to the tunnel's end.
struct GuePort {
    Family family = Family::ipv4; // of the outer packets
    Port port;

    friend bool operator==(GuePort const&, GuePort const&) = default;
};

/// Example: `service web { vip 192.0.2.1; port tcp 80; forward tun; real 10.0.0.3 }` gives the host 10.0.0.3 with the
/// VIP 192.0.2.1/32 and an ipip tunnel's end at 10.0.0.3.
struct RealServerHost {
    std::string name;                      // the director's, or the real server's address
    std::vector<IpAddress> addresses;      // by any of which a machine is this host
    std::vector<Prefix> vips;              // unique, in the order of the source
    std::vector<GuePort> gue_ports;        // unique, in the order of the source
    std::vector<RealServerTunnel> tunnels; // one for each kind and local address, in the order of the source

    [[nodiscard]] bool has_vip(Family family) const;
};

/// Every host that is a real server by `dr` or `tun`, sorry servers among them, in the order of the source. A director
/// is one host whatever address of it is named; of other machines, each address is one.
[[nodiscard]] std::vector<RealServerHost> real_server_hosts(Site const& site);

/// What a machine must have that is several of the hosts, under the first one's name.
[[nodiscard]] RealServerHost merge(std::span<RealServerHost const> hosts);

/// The device's name: lbc-KIND, and lbc-KIND2 and so on for further ends of that kind.
[[nodiscard]] std::string device_name(std::span<RealServerTunnel const> tunnels, std::size_t index);

/// `sh realserver.sh [apply|show|remove] [NAME...]` for the hosts. What comes from the site stands in quoted
/// here-documents; no shell interprets it.
[[nodiscard]] std::string realserver_script(std::span<RealServerHost const> hosts);

/// Files for systemd-networkd and systemd-sysctl, by their path below `/`. GUE and the checksums of GRE have no place
/// in them; `report_limits` warns.
[[nodiscard]] std::map<std::string, std::string> networkd_files(RealServerHost const& host);
/// Whether it gives a file of some host that path.
[[nodiscard]] bool is_networkd_file(std::string_view path);

/// A file for /etc/network/interfaces.d.
[[nodiscard]] std::string ifupdown_text(RealServerHost const& host);

} // namespace lbc
