#include "backends/ipvs/ipvs_kernel.hpp"

#include "backends/ipvs/ipvs_message.hpp"
#include "backends/ipvs/ipvs_refusal.hpp"
#include "backends/netlink/genl_socket.hpp"
#include "backends/os/modules.hpp"

#include <fmt/format.h>

#include <linux/ip_vs.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <tuple>
#include <utility>

namespace lbc {
namespace {

using Action = IpvsChange::Action;

std::uint8_t command_of(Action action) {
    switch (action) {
    case Action::add_service: return IPVS_CMD_NEW_SERVICE;
    case Action::edit_service: return IPVS_CMD_SET_SERVICE;
    case Action::delete_service: return IPVS_CMD_DEL_SERVICE;
    case Action::add_real: return IPVS_CMD_NEW_DEST;
    case Action::edit_real: return IPVS_CMD_SET_DEST;
    case Action::delete_real: return IPVS_CMD_DEL_DEST;
    }
    return IPVS_CMD_UNSPEC;
}

GenlRequest request_of(IpvsChange const& change) {
    return {command_of(change.action), [&change](nl_msg* message) {
                bool const service = change.action == Action::add_service || change.action == Action::edit_service;
                bool const real = change.action >= Action::add_real;
                return put_service(message, change.key, service ? &change.parameters : nullptr) &&
                       (!real || put_real(message, change.real, change.action == Action::delete_real));
            }};
}

auto real_key(IpvsReal const& real) { return std::tie(real.server.address, real.server.port); }

class NetlinkIpvs final : public Ipvs {
public:
    explicit NetlinkIpvs(GenlSocket socket) : socket_(std::move(socket)) {}

    std::expected<std::vector<IpvsService>, SystemError> read(std::function<bool(ServiceKey)> const& wanted) override {
        std::vector<IpvsService> services;
        auto const listed = socket_.dump({IPVS_CMD_GET_SERVICE}, [&](nlattr* attributes, int length) {
            auto service = read_service(attributes, length);
            if (service && wanted(service->key))
                services.push_back(std::move(*service));
        });
        if (!listed)
            return std::unexpected(ipvs_error("read the virtual services", listed.error()));
        std::ranges::sort(services, {}, &IpvsService::key);
        for (IpvsService& service : services)
            if (auto const reals = read_reals(service); !reals)
                return std::unexpected(ipvs_error("read the real servers of a virtual service", reals.error()));
        return services;
    }

    std::expected<std::vector<IpvsAddress>, SystemError> addresses() override {
        std::vector<IpvsAddress> services;
        auto const listed = socket_.dump({IPVS_CMD_GET_SERVICE}, [&](nlattr* attributes, int length) {
            if (auto const service = read_address(attributes, length))
                services.push_back(*service);
        });
        if (!listed)
            return std::unexpected(ipvs_error("read the virtual services", listed.error()));
        std::ranges::sort(services);
        return services;
    }

    std::expected<void, IpvsRefusal> write(std::span<IpvsChange const> changes) override {
        auto const written = socket_.write(changes.size(), [&](std::size_t i) { return request_of(changes[i]); });
        if (!written) {
            return std::unexpected(
                IpvsRefusal{changes.size(), ipvs_error("change the virtual services", written.error())});
        }
        if (written->refused.empty())
            return {};
        auto const& first = written->refused.front();
        return std::unexpected(
            IpvsRefusal{written->sent - written->refused.size(), ipvs_refusal(changes[first.index], first.code)});
    }

    std::expected<std::vector<SyncDaemon>, SystemError> daemons() override {
        std::vector<SyncDaemon> running;
        auto const listed = socket_.dump({IPVS_CMD_GET_DAEMON}, [&](nlattr* attributes, int length) {
            if (auto daemon = read_daemon(attributes, length))
                running.push_back(std::move(*daemon));
        });
        if (!listed)
            return std::unexpected(ipvs_error("read the sync daemons", listed.error()));
        std::ranges::sort(running, {}, &SyncDaemon::role);
        return running;
    }

    std::expected<void, SystemError> start(SyncDaemon const& daemon) override {
        return one({IPVS_CMD_NEW_DAEMON, [&](nl_msg* message) { return put_daemon(message, daemon, false); }},
                   [&](int code) { return ipvs_daemon_refusal(daemon, code); });
    }

    std::expected<void, SystemError> stop(SyncDaemon::Role role) override {
        SyncDaemon const daemon{.role = role};
        return one({IPVS_CMD_DEL_DAEMON, [&](nl_msg* message) { return put_daemon(message, daemon, true); }},
                   [&](int code) { return ipvs_error(fmt::format("stop the {} sync daemon", title(role)), code); });
    }

private:
    std::expected<void, int> read_reals(IpvsService& service) {
        GenlRequest const request{IPVS_CMD_GET_DEST,
                                  [&](nl_msg* message) { return put_service(message, service.key, nullptr); }};
        auto const listed = socket_.dump(request, [&](nlattr* attributes, int length) {
            if (auto real = read_real(attributes, length, service.key.family))
                service.reals.push_back(*real);
        });
        std::ranges::sort(service.reals, [](auto const& a, auto const& b) { return real_key(a) < real_key(b); });
        return listed;
    }

    std::expected<void, SystemError> one(GenlRequest const& request, std::function<SystemError(int)> const& error_of) {
        auto const written = socket_.write(1, [&](std::size_t /*index*/) { return request; });
        if (!written || !written->refused.empty())
            return std::unexpected(error_of(written ? written->refused.front().code : written.error()));
        return {};
    }

    GenlSocket socket_;
};

} // namespace

std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs_netlink() {
    auto socket = GenlSocket::open(IPVS_GENL_NAME);
    if (!socket && socket.error() == ENOENT) {
        load_module("ip_vs");
        socket = GenlSocket::open(IPVS_GENL_NAME);
    }
    if (socket)
        return std::make_unique<NetlinkIpvs>(std::move(*socket));
    if (socket.error() == ENOENT) {
        return std::unexpected(SystemError{
            SystemError::Kind::unsupported, ENOENT,
            "the kernel has no IPVS: `modprobe ip_vs` loads it where it is a module (kernel option CONFIG_IP_VS); "
            "`--only marks` does without"});
    }
    return std::unexpected(ipvs_error("open a netlink socket to IPVS", socket.error()));
}

} // namespace lbc
