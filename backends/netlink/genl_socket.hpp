// A generic netlink socket to the kernel's IPVS, through libnl: dumps, and writes with many requests in one datagram.
// Only for the sources of this folder.
#pragma once

#include "backends/netlink/attributes.hpp"
#include "backends/os/system_error.hpp"

#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <expected>
#include <functional>
#include <span>
#include <vector>

namespace lbc {

/// One request: an IPVS_CMD_*, and a function that appends its attributes to the message; false if they do not fit.
struct GenlRequest {
    std::uint8_t command = 0;
    std::function<bool(nl_msg*)> fill = [](nl_msg* /*message*/) { return true; };
};

class GenlSocket {
public:
    /// The error is errno: ENOENT if the kernel has no such family.
    [[nodiscard]] static std::expected<GenlSocket, int> open(char const* family);

    /// Requests a dump and calls `visit` with the unchecked attributes of each of its messages. The error is errno.
    [[nodiscard]] std::expected<void, int> dump(GenlRequest const& request,
                                                std::function<void(nlattr*, int)> const& visit);

    /// A write that was refused.
    struct Refusal {
        std::size_t index = 0;
        int code = 0; // errno
    };

    struct Written {
        std::size_t sent = 0;         // requests that the kernel has received
        std::vector<Refusal> refused; // among these, in order
    };

    /// Sends the requests in order, in batches whose answers fit the socket's memory. Stops after a batch with a
    /// refusal. An error (errno) means that the kernel's answers were lost, and that the fate of the requests is
    /// unknown.
    [[nodiscard]] std::expected<Written, int> write(std::size_t count,
                                                    std::function<GenlRequest(std::size_t)> const& request);

private:
    GenlSocket(NlSocket socket, NlMessage message, int family);

    /// Appends the message of a request to `out`, with this sequence number.
    [[nodiscard]] bool append(std::vector<char>& out, GenlRequest const& request, int flags, std::uint32_t sequence);
    [[nodiscard]] std::expected<void, int> send(std::span<char> bytes);
    /// Waits for datagrams and calls `visit` with each message of those. The error is errno.
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
