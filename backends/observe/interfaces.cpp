#include "backends/observe/interfaces.hpp"

#include "backends/netlink/attributes.hpp"
#include "backends/observe/interface_message.hpp"
#include "backends/os/system_error.hpp"

#include <fmt/format.h>
#include <netlink/netlink.h>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace lbc {
namespace {

constexpr std::size_t largest_answer = std::size_t{1} << 16; // a dump's datagram has 32 KiB (netlink_dump)
constexpr int most_attempts = 10;                            // to read what other programs change at the same time

using Visit = std::function<void(nlmsghdr*)>;

/// Receives the next datagram from the kernel. The error is errno.
std::expected<std::size_t, int> receive(nl_sock* socket, std::vector<char>& buffer) {
    for (;;) {
        sockaddr_nl from{};
        socklen_t size = sizeof from;
        auto const received = ::recvfrom(nl_socket_get_fd(socket), buffer.data(), buffer.size(), MSG_TRUNC,
                                         reinterpret_cast<sockaddr*>(&from), &size);
        if (received < 0 && errno == EINTR)
            continue;
        if (received < 0)
            return std::unexpected(errno);
        if (static_cast<std::size_t>(received) > buffer.size())
            return std::unexpected(EMSGSIZE);
        if (size == sizeof from && from.nl_pid == 0)
            return static_cast<std::size_t>(received);
    }
}

/// Requests all objects of a kind, and calls `visit` with the message of each. The error is errno; EINTR if other
/// programs have changed the objects meanwhile.
std::expected<void, int> dump(nl_sock* socket, int type, std::vector<char>& buffer, Visit const& visit) {
    rtgenmsg question{};
    if (nl_send_simple(socket, type, NLM_F_DUMP, &question, sizeof question) < 0)
        return std::unexpected(errno == 0 ? EIO : errno);
    bool is_torn = false;
    for (;;) {
        auto const size = receive(socket, buffer);
        if (!size)
            return std::unexpected(size.error());
        auto* message = reinterpret_cast<nlmsghdr*>(buffer.data());
        int left = static_cast<int>(*size);
        for (; nlmsg_ok(message, left) != 0; message = nlmsg_next(message, &left)) {
            is_torn = is_torn || (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            if (message->nlmsg_type == NLMSG_DONE)
                return is_torn ? std::expected<void, int>(std::unexpected(EINTR)) : std::expected<void, int>();
            if (message->nlmsg_type == NLMSG_ERROR) {
                int code = 0;
                if (nlmsg_datalen(message) >= static_cast<int>(sizeof code))
                    std::memcpy(&code, nlmsg_data(message), sizeof code);
                return std::unexpected(code < 0 ? -code : EBADMSG);
            }
            visit(message);
        }
    }
}

std::expected<std::vector<Interface>, int> read_once() {
    NlSocket const socket(nl_socket_alloc());
    if (!socket)
        return std::unexpected(ENOMEM);
    if (nl_connect(socket.get(), NETLINK_ROUTE) < 0)
        return std::unexpected(errno == 0 ? EIO : errno);
    std::vector<char> buffer(largest_answer);
    std::vector<Interface> found;
    std::map<int, std::size_t> places;
    auto const links = dump(socket.get(), RTM_GETLINK, buffer, [&](nlmsghdr* message) {
        if (auto interface = interface_in(message)) {
            places[interface->index] = found.size();
            found.push_back(std::move(*interface));
        }
    });
    if (!links)
        return std::unexpected(links.error());
    auto const addresses = dump(socket.get(), RTM_GETADDR, buffer, [&](nlmsghdr* message) {
        auto const address = own_address_in(message);
        if (!address)
            return;
        if (auto const owner = places.find(address->first); owner != places.end())
            found[owner->second].addresses.push_back(address->second);
    });
    if (!addresses)
        return std::unexpected(addresses.error());
    return found;
}

} // namespace

std::expected<std::vector<Interface>, SystemError> read_interfaces() {
    int code = 0;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        auto found = read_once();
        if (found)
            return std::move(*found);
        code = found.error();
        if (code != EINTR)
            break;
    }
    return std::unexpected(SystemError{SystemError::Kind::failed, code,
                                       fmt::format("cannot read this machine's interfaces: {}", errno_text(code))});
}

} // namespace lbc
