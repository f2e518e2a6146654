// A generic netlink socket to the kernel's IPVS, by libnl: dumps, and writes of which many go in one message. Only for
// the sources of this folder.
#pragma once

#include "backends/netlink/attributes.hpp"
#include "backends/system_error.hpp"

#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <expected>
#include <functional>
#include <span>
#include <vector>

namespace lbc {

/// One request: an IPVS_CMD_*, and what puts its attributes into the message; false where they do not fit.
struct GenlRequest {
    std::uint8_t command = 0;
    std::function<bool(nl_msg*)> fill = [](nl_msg* /*message*/) { return true; };
};

class GenlSocket {
public:
    /// errno: ENOENT where the kernel has no such family.
    [[nodiscard]] static std::expected<GenlSocket, int> open(char const* family);

    /// Asks for a list; `visit` gets each of its messages' attributes, which have not been looked at. errno.
    [[nodiscard]] std::expected<void, int> dump(GenlRequest const& request,
                                                std::function<void(nlattr*, int)> const& visit);

    /// A write that was refused.
    struct Refusal {
        std::size_t index = 0;
        int code = 0; // errno
    };

    struct Written {
        std::size_t sent = 0;         // requests that the kernel has seen
        std::vector<Refusal> refused; // of these, in order
    };

    /// Sends the requests in their order, as many as the kernel's answers leave room for at once, and none behind a
    /// batch in which one was refused. errno: the kernel's answers were lost, and nothing is known of the requests.
    [[nodiscard]] std::expected<Written, int> write(std::size_t count,
                                                    std::function<GenlRequest(std::size_t)> const& request);

private:
    GenlSocket(NlSocket socket, NlMessage message, int family);

    /// A request's message, appended to `out` with the sequence number it is given.
    [[nodiscard]] bool append(std::vector<char>& out, GenlRequest const& request, int flags, std::uint32_t sequence);
    [[nodiscard]] std::expected<void, int> send(std::span<char> bytes);
    /// Hands each message of the next datagrams to `visit`, once there is one. errno.
    [[nodiscard]] std::expected<void, int> receive(std::function<void(nlmsghdr*)> const& visit);
    [[nodiscard]] std::expected<void, int> write_batch(std::size_t first, std::size_t last,
                                                       std::function<GenlRequest(std::size_t)> const& request,
                                                       std::vector<Refusal>& refused);

    NlSocket socket_;
    NlMessage message_;
    int family_ = 0;
    std::vector<char> received_;
    std::uint32_t sequence_ = 0;
};

} // namespace lbc
