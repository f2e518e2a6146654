// IPVS as lbc's commands see it: what it holds in its own terms (linux/ip_vs.h), free of netlink, and one small
// interface to it, so that a test can stand in for the kernel.
#pragma once

#include "backends/system_error.hpp"
#include "compiler/plan.hpp"

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lbc {

/// What the kernel finds a virtual service by: it has one table of marks for each family.
struct IpvsKey {
    Fwmark mark;
    Family family{};

    friend auto operator<=>(IpvsKey const&, IpvsKey const&) = default;
};

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

/// A real server as IPVS has it.
struct IpvsReal {
    Destination server{}; // what is asked for; its span is the source's where it comes from a site
    /// The address is this box's own: IPVS delivers here whatever the forwarding method, which it does not tell then.
    bool local = false;
    IpvsCounters counters{};
    std::uint32_t active = 0;     // connections
    std::uint32_t inactive = 0;   // connections
    std::uint32_t persistent = 0; // connections by persistence

    /// Whether both are the same to a packet: for one that is local, the forwarding method is nothing.
    [[nodiscard]] bool same_settings(IpvsReal const& other) const;
};

/// What can be changed of a service in place.
struct IpvsParameters {
    std::string scheduler{};
    std::uint32_t flags = 0;   // IP_VS_SVC_F_PERSISTENT, _ONEPACKET, _SCHED1 to _SCHED3
    std::uint32_t timeout = 0; // of persistence, in seconds; 0 without
    int netmask = 0;           // of persistence, bits; the whole address without. -1: no prefix
    std::string engine{};      // of persistence: "sip", or empty

    friend bool operator==(IpvsParameters const&, IpvsParameters const&) = default;
};

struct IpvsService {
    IpvsKey key;
    IpvsParameters parameters{};
    std::vector<IpvsReal> reals{}; // no two with the same address and port
    IpvsCounters counters{};
    std::optional<Span> span{};
};

/// One write: a service or a real server made, changed in place, or deleted.
struct IpvsChange {
    enum class Action : std::uint8_t { add_service, edit_service, delete_service, add_real, edit_real, delete_real };

    Action action{};
    IpvsKey key;
    IpvsParameters parameters; // of add_service and edit_service
    Destination real;          // of the three on real servers; of delete_real, the address and port alone matter
    std::optional<Span> span;  // of the source that asks for it

    /// "add service fwmark 0x3 (IPv4), wlc", "change real server 10.0.0.1 of fwmark 0x3 (IPv4): weight 3"
    [[nodiscard]] std::string str() const;
};

/// The connection sync daemon in one role; the kernel runs one of each at most.
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

    /// Whether a running daemon is what this one asks for: what is left to the kernel is no difference.
    [[nodiscard]] bool is_met_by(SyncDaemon const& running) const;
};

/// A service that the kernel finds by the packet itself, where it finds none by the mark (ip_vs_service_find). lbc
/// makes none.
struct IpvsAddress {
    std::uint8_t protocol = 0; // IP protocol number
    IpAddress address{};
    Port port; // 0: every port

    friend auto operator<=>(IpvsAddress const&, IpvsAddress const&) = default;
};

/// How far `Ipvs::write` came.
struct IpvsRefusal {
    std::size_t done = 0; // changes that the kernel made, also behind a refused one
    SystemError error;    // of the first one that it refused, with its place in the source where it has one
};

class Ipvs {
public:
    Ipvs() = default;
    Ipvs(Ipvs const&) = delete;
    Ipvs& operator=(Ipvs const&) = delete;
    virtual ~Ipvs() = default;

    /// The fwmark services that `wanted` chooses, sorted by key, each with its real servers sorted by address and port.
    [[nodiscard]] virtual std::expected<std::vector<IpvsService>, SystemError>
    read(std::function<bool(IpvsKey)> const& wanted) = 0;

    /// The services that are found by address, sorted.
    [[nodiscard]] virtual std::expected<std::vector<IpvsAddress>, SystemError> addresses() = 0;

    /// Makes the changes in their order, many in one message to the kernel. A refusal does not keep later ones from
    /// being made.
    [[nodiscard]] virtual std::expected<void, IpvsRefusal> write(std::span<IpvsChange const> changes) = 0;

    /// The daemons that run.
    [[nodiscard]] virtual std::expected<std::vector<SyncDaemon>, SystemError> daemons() = 0;
    [[nodiscard]] virtual std::expected<void, SystemError> start(SyncDaemon const& daemon) = 0;
    [[nodiscard]] virtual std::expected<void, SystemError> stop(SyncDaemon::Role role) = 0;
};

} // namespace lbc
