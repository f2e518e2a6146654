// Generates the real servers' side of a site. A host that is reached by direct routing or through a tunnel must take
// packets for a VIP, but must not announce the VIP. The site gives one value per host. A POSIX shell script is written
// for all hosts, and files for systemd-networkd or ifupdown for one host. Real servers with `nat` need nothing.
#pragma once

#include "compiler/site/site.hpp"

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
    std::optional<IpAddress> inner; // an IPv4 address of the VIPs that come through; none: only IPv6 comes

    friend bool operator==(RealServerTunnel const&, RealServerTunnel const&) = default;
};
[[nodiscard]] std::string_view to_string(RealServerTunnel::Kind kind);

/// A UDP port that receives packets in GUE; the packets inside go on to the tunnel's end.
struct GuePort {
    Family family = Family::ipv4; // of the outer packets
    Port port;

    friend bool operator==(GuePort const&, GuePort const&) = default;
};

/// Example: `service web { vip 192.0.2.1; port tcp 80; forward tun; real 10.0.0.3 }` gives the host 10.0.0.3 with the
/// VIP 192.0.2.1/32 and an ipip tunnel's end at 10.0.0.3.
struct RealServerHost {
    std::string name;                      // the director's, or the real server's address
    std::vector<IpAddress> addresses;      // a machine with any of them is this host
    std::vector<Prefix> vips;              // unique, in the order of the source
    std::vector<GuePort> gue_ports;        // unique, in the order of the source
    std::vector<RealServerTunnel> tunnels; // one for each kind and local address, in the order of the source

    [[nodiscard]] bool has_vip(Family family) const;
};

/// Every host that is a real server with `dr` or `tun`, including sorry servers, in the order of the source. A director
/// is one host, whichever of its addresses is named; of other machines, each address is a host.
[[nodiscard]] std::vector<RealServerHost> real_server_hosts(Site const& site);

/// Combines the hosts that one machine is, under the name of the first.
[[nodiscard]] RealServerHost merge(std::span<RealServerHost const> hosts);

/// The device's name: lbc-KIND, and lbc-KIND2 and so on for further ends of that kind.
[[nodiscard]] std::string device_name(std::span<RealServerTunnel const> tunnels, std::size_t index);

/// `sh realserver.sh [apply|show|remove] [NAME...]` for the hosts. Text from the site stands in quoted here-documents;
/// no shell interprets it.
[[nodiscard]] std::string realserver_script(std::span<RealServerHost const> hosts);

/// Files for systemd-networkd and systemd-sysctl, by their path below `/`. They cannot represent GUE and the checksums
/// of GRE; `report_unsupported` warns.
[[nodiscard]] std::map<std::string, std::string> networkd_files(RealServerHost const& host);
/// Whether `networkd_files` gives a file of some host that path.
[[nodiscard]] bool is_networkd_file(std::string_view path);

/// A file for /etc/network/interfaces.d.
[[nodiscard]] std::string ifupdown_text(RealServerHost const& host);

} // namespace lbc
