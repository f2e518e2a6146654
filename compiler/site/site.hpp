// The site that a site file describes, with every name resolved and every value checked. Services and VRRP instances
// refer to directors, and the sync daemon to an instance, by index into the site's vectors. Every part keeps the span
// it came from, so that a later stage, down to an error of the kernel, can point at the source.
#pragma once

#include "compiler/base/boxed.hpp"
#include "compiler/base/small_vector.hpp"
#include "compiler/base/types.hpp"
#include "grammar/source.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

using Milliseconds = std::chrono::milliseconds;

/// A value and its span; only the value is compared.
template <typename T>
struct Located {
    T value{};
    Span span;

    friend bool operator==(Located const& a, Located const& b) { return a.value == b.value; }
};

/// The span of a value, which is not part of the value: all compare equal.
struct Origin : Span {
    Origin() = default;
    Origin(Span span) : Span(span) {} // NOLINT(google-explicit-constructor): a Span is all that it is
    friend bool operator==(Origin const& /*a*/, Origin const& /*b*/) { return true; }
};

/// A command line that directors run. Example: `notify-up "/usr/local/bin/up web"`
struct CommandText {
    std::string text; // empty: none
    Origin span;      // the span of the text in the file

    [[nodiscard]] bool empty() const { return text.empty(); }
    friend bool operator==(CommandText const&, CommandText const&) = default;
};

/// An index into `Site::directors`.
struct DirectorId {
    std::uint32_t index = 0;

    DirectorId() = default;
    constexpr DirectorId(std::size_t at) // NOLINT(google-explicit-constructor): `{0}` is the first
        : index(static_cast<std::uint32_t>(at)) {}
    friend auto operator<=>(DirectorId, DirectorId) = default;
};

/// Example: `director lb1 { mac 08:00:27:9e:ef:a0; address 192.168.23.11; interface eth0 }`
struct Director {
    Located<std::string> name;
    std::vector<Located<MacAddress>> macs;
    std::vector<Located<IpAddress>> addresses;
    std::vector<Located<InterfacePattern>> interfaces; // empty: any
    std::string hostname;
    Span span;
    bool incomplete = false; // a mistake was reported in it, so what it lacks is not reported

    /// Its first address of a family; none if it has none.
    [[nodiscard]] std::optional<IpAddress> address(Family family) const;
};

/// How packets reach a real server. Example: `forward tun gue port 5555 csum`
struct Forwarding {
    enum class Method : std::uint8_t { dr, nat, tun };
    enum class Tunnel : std::uint8_t { ipip, gre, gue };
    enum class Checksum : std::uint8_t { none, csum, remcsum };

    Method method = Method::dr;
    Tunnel tunnel = Tunnel::ipip;       // with `tun`
    Port gue_port;                      // with `gue`
    Checksum checksum = Checksum::none; // with `gre` and `gue`

    friend auto operator<=>(Forwarding const&, Forwarding const&) = default;
};

/// In the syntax of a site file: "dr", "tun gue port 5555 csum".
[[nodiscard]] std::string to_string(Forwarding const& forwarding);

/// One URL of an HTTP check. Example: `path "/health" status 200-299 digest "…"`
struct CheckPath {
    struct StatusRange {
        std::uint16_t first = 0;
        std::uint16_t last = 0;

        friend bool operator==(StatusRange const&, StatusRange const&) = default;
    };
    std::string path;
    std::vector<StatusRange> status;
    std::string digest; // empty: none
    std::string regex;  // empty: none

    friend bool operator==(CheckPath const&, CheckPath const&) = default;
};

/// The beginning of the path that keepalived opens for `check file { track NAME }`; NAME follows it.
inline constexpr std::string_view tracked_file_start = "/run/lbc-";

/// Example: `check http { path "/health" status 200; every 5s; port 8080 }`
struct Check {
    enum class Kind : std::uint8_t { ping, tcp, udp, http, https, smtp, dns, script, bfd, file };

    Kind kind = Kind::tcp;
    Origin span;
    // every kind but bfd and file
    std::optional<Milliseconds> every;
    std::optional<Milliseconds> timeout;
    std::optional<std::uint32_t> retries;
    std::optional<Milliseconds> retry_delay;
    std::optional<Milliseconds> warmup;
    std::optional<Port> port;
    std::optional<IpAddress> connect;
    std::optional<IpAddress> bind;
    bool alpha = false;
    bool through_vip = false; // connects like a client: to the VIP, forwarded by IPVS
    // udp
    std::string payload;              // hex digits, lower case
    std::optional<std::string> reply; // hex digits; empty: any reply
    std::optional<std::pair<std::uint16_t, std::uint16_t>> reply_length;
    // http, https
    std::vector<CheckPath> paths;
    std::string host;
    std::string version; // "1.0", "1.1"; empty: keepalived's default
    bool sni = false;
    // smtp
    std::string helo;
    // dns
    std::string name;
    std::string type;
    // script
    CommandText command;
    bool dynamic = false;
    std::string user;
    // bfd: the instance; file: keepalived's name of the tracked file, and its path, empty: /run/lbc-TRACK
    std::string instance;
    std::string track;
    std::string file;
    std::optional<int> weight;

    /// The path that keepalived opens for a `file` check.
    [[nodiscard]] std::string tracked_path() const;
    friend bool operator==(Check const&, Check const&) = default;
};

[[nodiscard]] std::string_view to_string(Check::Kind kind);

/// Example: `real lb1:80 weight 3 connections 100-1000`
struct RealServer {
    IpAddress address;
    std::optional<DirectorId> director; // set if the statement names a director
    Port port;                          // 0: the packet's own
    std::uint32_t weight = 1;           // 0 to 2147483647; 0: no new connections
    Forwarding forwarding;
    bool inhibit_on_failure = false;
    std::uint32_t connections_min = 0; // IPVS's lower threshold, 0: none
    std::uint32_t connections_max = 0; // the upper one, 0: none
    Span span;
    Boxed<std::vector<Check>> checks;
    Boxed<CommandText> notify_up;
    Boxed<CommandText> notify_down;
};

/// Example: `sorry 10.0.0.99 forward nat`
struct SorryServer {
    IpAddress address;
    std::optional<DirectorId> director;
    Port port; // 0: the packet's own
    Forwarding forwarding;
    Origin span;

    friend bool operator==(SorryServer const&, SorryServer const&) = default;
};

struct Persistence {
    std::chrono::seconds timeout{360};
    int netmask = -1;               // bits of an IPv4 netmask or IPv6 prefix, -1: every client for itself
    std::string engine;             // "sip" or empty
    bool netmask_ipv4_only = false; // it was written as a dotted quad

    friend bool operator==(Persistence const&, Persistence const&) = default;
};

/// The ports of one protocol; the whole range for `any`.
struct PortClaim {
    Protocol protocol = Protocol::tcp;
    SmallVector<PortRange, 1> ports; // sorted, disjoint, non-adjacent
    Span span;
};

struct Scheduler {
    std::string name = "wlc";
    Boxed<std::vector<std::string>> flags; // as written, in order: "sh-port", "flag-1"
    Span span;
    bool known = true; // the kernel has a scheduler of this name
};

/// A director that balances a service, and the service's mark there.
struct ServiceOn {
    DirectorId director;
    Fwmark mark;
    bool allocated = false; // the mark comes from the range `marks`, not from the file
    Span span;              // of the mark's source, or the service's name
};

struct Quorum {
    std::uint32_t count = 1;
    std::uint32_t hysteresis = 0;
    CommandText up;
    CommandText down;
    Origin span;

    friend bool operator==(Quorum const&, Quorum const&) = default;
};

/// Example: `service web { vip 192.168.23.253; port tcp 80; real lb1; real lb2 }`
struct Service {
    Located<std::string> name;
    Boxed<std::string> description;
    SmallVector<Located<Prefix>, 1> vips;
    SmallVector<PortClaim, 1> ports; // one for each protocol, in the order tcp, udp, sctp; or only `any`
    SmallVector<ServiceOn, 2> on;    // in the order of the site's directors
    Boxed<std::vector<Located<InterfacePattern>>> interfaces; // its own; empty: the director's
    Boxed<std::vector<Located<MacAddress>>> bypass;
    Scheduler scheduler;
    BoxedOptional<Persistence> persistence;
    std::vector<RealServer> reals;         // its own, then those of its pools
    Boxed<std::vector<SorryServer>> sorry; // at most one for each family
    Boxed<std::vector<Check>> checks;
    BoxedOptional<Quorum> quorum;
    Forwarding forwarding;
    bool local = false;
    bool one_packet = false;
    bool alpha = false;
    bool omega = false;
    bool inhibit_on_failure = false;
    bool firewalled = false; // foreign rules may drop its packets: `verify` prints it, and counts no difference
    bool incomplete = false; // a mistake was reported in it, so what it lacks is not reported
    Span span;

    [[nodiscard]] ServiceOn const* on_director(DirectorId director) const;
    [[nodiscard]] bool has_vip(Family family) const;
    /// Its first VIP of a family that is a single address: the target of checks through a VIP.
    [[nodiscard]] std::optional<IpAddress> checked_vip(Family family) const;
    /// The real servers of its virtual service of a family, as indices into `reals`: those of that family; if there are
    /// none, those that a tunnel of the other family reaches.
    [[nodiscard]] std::vector<std::size_t> reals_for(Family family) const;
    /// Whether `reals_for` finds any.
    [[nodiscard]] bool has_reals_for(Family family) const;
    /// The sorry server of the same virtual service; null if there is none.
    [[nodiscard]] SorryServer const* sorry_for(Family family) const;
};

/// A VIP that VRRP carries. Example: `vip 192.168.23.253/24 dev eth0`
struct VrrpVip {
    IpAddress address;
    int length = 32;
    std::string device; // empty: the instance's interface
    Origin span;

    friend bool operator==(VrrpVip const&, VrrpVip const&) = default;
};

struct TrackScript {
    CommandText command;
    std::optional<int> weight; // -253 to 253
    std::optional<Milliseconds> every;

    friend bool operator==(TrackScript const&, TrackScript const&) = default;
};

/// Example: `vrrp vi1 { vip 192.168.23.253/24; interface eth0; router-id 51; priority lb1 150, lb2 100 }`
struct Vrrp {
    Located<std::string> name;
    std::vector<VrrpVip> vips;
    std::string interface;
    std::uint8_t router_id = 0;
    std::vector<std::pair<DirectorId, std::uint8_t>> priorities; // in the order of the site's directors
    std::optional<Milliseconds> advert;
    bool preempt = true;
    std::optional<Milliseconds> preempt_delay;
    bool unicast = false;
    std::vector<std::pair<DirectorId, Located<IpAddress>>> unicast_addresses; // as given; in the order of the directors
    std::string auth;
    bool virtual_mac = false;
    std::vector<std::string> track_interfaces;
    std::vector<TrackScript> track_scripts;
    CommandText notify;
    std::string group;
    Span span;

    /// The family of its first VIP, and so of its advertisements.
    [[nodiscard]] Family family() const { return vips.empty() ? Family::ipv4 : vips.front().address.family(); }
    /// The VRRP version: 3 for IPv6 and for intervals that version 2 cannot represent (RFC 3768, 5.3.7: whole seconds),
    /// else 2.
    [[nodiscard]] int version() const;
    [[nodiscard]] bool has_weighted_track() const;
};

/// The IPVS connection sync daemon. Example: `sync { interface eth1; id 7; instance vi1 }`
struct Sync {
    std::string interface;
    std::uint8_t id = 0;
    std::optional<std::size_t> instance; // index into Site::vrrps
    std::optional<std::uint16_t> maxlen;
    std::optional<IpAddress> group;
    std::optional<Port> port;
    std::optional<std::uint8_t> ttl;
    Origin span;

    friend bool operator==(Sync const&, Sync const&) = default;
};

enum class GuardMode : std::uint8_t { local, drop, backup_only, off };
[[nodiscard]] std::string_view to_string(GuardMode mode);

enum class IpvsOwner : std::uint8_t { lbc, keepalived };

/// Marks `first` to `last`, both included. Services without a `mark` get theirs from it, and lbc owns every mark in it.
struct MarkRange {
    Fwmark first{0x100};
    Fwmark last{0xfff};

    [[nodiscard]] bool contains(Fwmark mark) const { return first <= mark && mark <= last; }
};

/// How checks through a VIP reach one real server: in the same way as its services.
struct CheckWay {
    Family family = Family::ipv4; // of the VIP
    IpAddress real;
    Forwarding forwarding;

    friend auto operator<=>(CheckWay const&, CheckWay const&) = default;
};

struct Site {
    std::vector<Director> directors;
    std::vector<Service> services;
    std::vector<Vrrp> vrrps;
    std::optional<Sync> sync;
    MarkRange marks;
    GuardMode guard = GuardMode::off;
    Span guard_span; // of the `guard` statement; empty: the guard is the default
    /// A block or a whole statement of the file could not be read: it may define a name that seems to be missing.
    bool incomplete = false;
    Fwmark guard_mark; // reserved on every director while guard is local or drop, else 0
    IpvsOwner ipvs = IpvsOwner::lbc;
    std::map<CheckWay, Fwmark> check_marks; // one for each way, shared by all services and ports that use it

    [[nodiscard]] Director const& operator[](DirectorId id) const { return directors[id.index]; }
    [[nodiscard]] std::optional<DirectorId> find_director(std::string_view name) const;
    /// The mark of checks through a VIP of a family to a real server; none if there is no such check.
    [[nodiscard]] std::optional<Fwmark> check_mark(Family family, RealServer const& real) const;
};

/// The port that a check connects to: its own; else that of the real server; else the usual port of the kind, if the
/// service has it; else the only port that the service has for the kind's protocol. None if the kind has no port, or
/// the port is ambiguous.
[[nodiscard]] std::optional<Port> port_of(Service const& service, RealServer const& real, Check const& check);

/// Whether checks of the service or of the real server itself go through the VIP.
[[nodiscard]] bool is_checked_through_vip(Service const& service, RealServer const& real);

/// Whether checks of a kind connect to a port.
[[nodiscard]] bool has_port(Check::Kind kind);

/// The director that lists an address as its own.
[[nodiscard]] std::optional<DirectorId> director_at(Site const& site, IpAddress const& address);

/// The addresses that a director may send unicast adverts of an instance from: the one in `unicast`; else its only
/// address of the family; else its addresses in the network of a VIP on the instance's interface. A checked site has
/// exactly one.
[[nodiscard]] std::vector<IpAddress> unicast_candidates(Site const& site, Vrrp const& vrrp, DirectorId director);
/// The first of these addresses.
[[nodiscard]] std::optional<IpAddress> unicast_address(Site const& site, Vrrp const& vrrp, DirectorId director);

/// The director that is a real server: the one it was named as, or the one that lists its address.
[[nodiscard]] std::optional<DirectorId> director_of(Site const& site, RealServer const& real);

} // namespace lbc
