// IPVS behind one small interface, so that a test can replace the kernel: its state in its own terms (linux/ip_vs.h),
// free of netlink.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/plan/plan.hpp"

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lbc {

/// Totals since the service or real server was made, and rates per second. The kernel adds them up every two seconds.
struct IpvsCounters {
    std::uint64_t connections = 0;
    std::uint64_t packets_in = 0;
    std::uint64_t packets_out = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t connection_rate = 0;
    std::uint64_t packet_rate_in = 0;
    std::uint64_t packet_rate_out = 0;
    std::uint64_t byte_rate_in = 0;
    std::uint64_t byte_rate_out = 0;
};

/// A real server in IPVS.
struct IpvsReal {
    Destination server{}; // its settings; the span is the source's if it comes from a site
    /// The address is this box's own: IPVS delivers locally whatever the forwarding method is, and does not report the
    /// method.
    bool local = false;
    IpvsCounters counters{};
    std::uint32_t active = 0;     // connections
    std::uint32_t inactive = 0;   // connections
    std::uint32_t persistent = 0; // persistent connections

    /// Whether both treat a packet the same: the forwarding method of a local one does not count.
    [[nodiscard]] bool same_settings(IpvsReal const& other) const;
};

/// Settings of a service that can change in place.
struct IpvsParameters {
    std::string scheduler{};
    std::uint32_t flags = 0;   // IP_VS_SVC_F_PERSISTENT, _ONEPACKET, _SCHED1 to _SCHED3
    std::uint32_t timeout = 0; // of persistence, in seconds; 0: no persistence
    int netmask = 0;           // of persistence, in bits; without persistence the whole address. -1: no prefix
    std::string engine{};      // of persistence: "sip", or empty

    friend bool operator==(IpvsParameters const&, IpvsParameters const&) = default;
};

struct IpvsService {
    ServiceKey key;
    IpvsParameters parameters{};
    std::vector<IpvsReal> reals{}; // no two with the same address and port
    IpvsCounters counters{};
    std::optional<Span> span{};
};

/// One write: a service or a real server made, changed in place, or deleted.
struct IpvsChange {
    enum class Action : std::uint8_t { add_service, edit_service, delete_service, add_real, edit_real, delete_real };

    Action action{};
    ServiceKey key;
    IpvsParameters parameters; // of add_service and edit_service
    Destination real;          // of the three on real servers; for delete_real only address and port count
    std::optional<Span> span;  // of the statement that asks for it

    /// "add service fwmark 0x3 (IPv4), wlc", "change real server 10.0.0.1 of fwmark 0x3 (IPv4): weight 3"
    [[nodiscard]] std::string str() const;
};

/// The connection sync daemon in one role; the kernel runs at most one of each.
struct SyncDaemon {
    enum class Role : std::uint8_t { master = 1, backup = 2 }; // IP_VS_STATE_MASTER, IP_VS_STATE_BACKUP

    Role role{};
    std::string interface{};
    std::uint32_t id = 0;
    std::uint16_t maxlen = 0; // bytes; 0: the kernel's choice
    std::optional<IpAddress> group{};
    std::uint16_t port = 0; // 0: the kernel's choice
    std::uint8_t ttl = 0;   // 0: the kernel's choice
    std::optional<Span> span{};

    /// Whether a running daemon has these settings; a setting that is left to the kernel matches every value.
    [[nodiscard]] bool is_met_by(SyncDaemon const& running) const;
};

/// A service that the kernel finds by the packet's protocol, address and port, if it finds none by the mark
/// (ip_vs_service_find). lbc makes none.
struct IpvsAddress {
    std::uint8_t protocol = 0; // IP protocol number
    IpAddress address{};
    Port port; // 0: every port

    friend auto operator<=>(IpvsAddress const&, IpvsAddress const&) = default;
};

/// How far `Ipvs::write` got.
struct IpvsRefusal {
    std::size_t done = 0; // changes that the kernel made, also after a refused one
    SystemError error;    // of the first refused change, with its span if it has one
};

class Ipvs {
public:
    Ipvs() = default;
    Ipvs(Ipvs const&) = delete;
    Ipvs& operator=(Ipvs const&) = delete;
    virtual ~Ipvs() = default;

    /// The fwmark services that `wanted` chooses, sorted by key, each with its real servers sorted by address and port.
    [[nodiscard]] virtual std::expected<std::vector<IpvsService>, SystemError>
    read(std::function<bool(ServiceKey)> const& wanted) = 0;

    /// The services that the kernel finds by address, sorted.
    [[nodiscard]] virtual std::expected<std::vector<IpvsAddress>, SystemError> addresses() = 0;

    /// Makes the changes in order, many in one datagram to the kernel. After a refused change the kernel may still have
    /// made later ones.
    [[nodiscard]] virtual std::expected<void, IpvsRefusal> write(std::span<IpvsChange const> changes) = 0;

    /// The daemons that run.
    [[nodiscard]] virtual std::expected<std::vector<SyncDaemon>, SystemError> daemons() = 0;
    [[nodiscard]] virtual std::expected<void, SystemError> start(SyncDaemon const& daemon) = 0;
    [[nodiscard]] virtual std::expected<void, SystemError> stop(SyncDaemon::Role role) = 0;
};

} // namespace lbc
