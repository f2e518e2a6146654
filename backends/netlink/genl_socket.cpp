#include "backends/netlink/genl_socket.hpp"

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lbc {
namespace {

/// The kernel answers a refused request with a message of about 1.3 kB of socket memory. Every kernel allows this size
/// (net.core.rmem_max), and doubles it.
constexpr std::size_t batch_size = 128;
constexpr int socket_memory = 212992;
/// IPVS's largest message, a service with its names, is far smaller.
constexpr std::size_t message_size = 512;
/// A dump comes in parts as large as the largest read so far (netlink_dump in af_netlink.c): small ones cost it less.
constexpr std::size_t receive_size = 8192;
/// The kernel makes a dump's next datagram while one is read: the end of a short dump comes with its only part.
constexpr std::size_t datagrams = 2;

/// errno for libnl's error numbers, as far as they stand for errors of the kernel.
int code_of(int nl_error) {
    switch (-nl_error) {
    case NLE_OBJ_NOTFOUND: return ENOENT;
    case NLE_PERM:
    case NLE_NOACCESS: return EPERM;
    case NLE_NOMEM: return ENOMEM;
    case NLE_AF_NOSUPPORT: return EAFNOSUPPORT;
    default: return EIO;
    }
}

/// The result in an NLMSG_ERROR or NLMSG_DONE: errno, 0 for an acknowledgement.
int code_in(nlmsghdr* message) {
    if (nlmsg_datalen(message) < static_cast<int>(sizeof(int)))
        return message->nlmsg_type == NLMSG_DONE ? 0 : EBADMSG;
    int code = 0;
    std::memcpy(&code, nlmsg_data(message), sizeof code);
    return code < 0 ? -code : 0;
}

} // namespace

GenlSocket::GenlSocket(NlSocket socket, NlMessage message, int family)
    : socket_(std::move(socket)), message_(std::move(message)), family_(family), received_(datagrams * receive_size) {}

std::expected<GenlSocket, int> GenlSocket::open(char const* family) {
    NlSocket socket(nl_socket_alloc());
    NlMessage message(nlmsg_alloc_size(message_size));
    if (!socket || !message)
        return std::unexpected(ENOMEM);
    if (int const failed = genl_connect(socket.get()); failed < 0)
        return std::unexpected(code_of(failed));
    // The kernel takes the largest read as a promise for all later ones, including those of libnl.
    nl_socket_disable_msg_peek(socket.get());
    if (int const failed = nl_socket_set_msg_buf_size(socket.get(), receive_size); failed < 0)
        return std::unexpected(code_of(failed));
    if (int const failed = nl_socket_set_buffer_size(socket.get(), socket_memory, socket_memory); failed < 0)
        return std::unexpected(code_of(failed));
    int const id = genl_ctrl_resolve(socket.get(), family);
    if (id < 0)
        return std::unexpected(code_of(id));
    return GenlSocket(std::move(socket), std::move(message), id);
}

bool GenlSocket::append(std::vector<char>& out, GenlRequest const& request, int flags, std::uint32_t sequence) {
    nlmsghdr* head = nlmsg_hdr(message_.get());
    head->nlmsg_len = NLMSG_HDRLEN; // empties the one message in which all requests are built
    if (genlmsg_put(message_.get(), nl_socket_get_local_port(socket_.get()), sequence, family_, 0,
                    NLM_F_REQUEST | flags, request.command, 1) == nullptr ||
        !request.fill(message_.get())) {
        return false;
    }
    auto const* bytes = reinterpret_cast<char const*>(head);
    out.insert(out.end(), bytes, bytes + head->nlmsg_len);
    out.resize(NLMSG_ALIGN(out.size()));
    return true;
}

std::expected<void, int> GenlSocket::send(std::span<char> bytes) {
    if (nl_sendto(socket_.get(), bytes.data(), bytes.size()) < 0)
        return std::unexpected(errno == 0 ? EIO : errno);
    return {};
}

std::expected<void, int> GenlSocket::receive(std::function<void(nlmsghdr*)> const& visit) {
    std::array<sockaddr_nl, datagrams> from{};
    std::array<iovec, datagrams> parts{};
    std::array<mmsghdr, datagrams> headers{};
    for (std::size_t i = 0; i < datagrams; ++i) {
        parts[i] = {received_.data() + i * receive_size, receive_size};
        headers[i].msg_hdr = {&from[i], sizeof from[i], &parts[i], 1, nullptr, 0, 0};
    }
    int count = -1;
    do {
        count = ::recvmmsg(nl_socket_get_fd(socket_.get()), headers.data(), datagrams, MSG_WAITFORONE, nullptr);
    } while (count < 0 && errno == EINTR);
    if (count <= 0)
        return std::unexpected(count == 0 ? EIO : errno);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        if ((headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0)
            return std::unexpected(EMSGSIZE);
        if (from[i].nl_pid != 0)
            continue; // not from the kernel
        auto* head = static_cast<nlmsghdr*>(parts[i].iov_base);
        int length = static_cast<int>(headers[i].msg_len);
        for (; nlmsg_ok(head, length) != 0; head = nlmsg_next(head, &length))
            visit(head);
    }
    return {};
}

std::expected<void, int> GenlSocket::dump(GenlRequest const& request, std::function<void(nlattr*, int)> const& visit) {
    std::uint32_t const sequence = ++sequence_;
    std::vector<char> bytes;
    if (!append(bytes, request, NLM_F_DUMP, sequence))
        return std::unexpected(EMSGSIZE);
    if (auto sent = send(bytes); !sent)
        return sent;
    bool done = false;
    int code = 0;
    while (!done) {
        auto const received = receive([&](nlmsghdr* head) {
            if (head->nlmsg_seq != sequence)
                return;
            if (head->nlmsg_type == NLMSG_ERROR || head->nlmsg_type == NLMSG_DONE) {
                done = true;
                code = code_in(head);
            } else if (head->nlmsg_type == family_ && genlmsg_valid_hdr(head, 0) != 0) {
                auto* generic = static_cast<genlmsghdr*>(nlmsg_data(head));
                visit(genlmsg_attrdata(generic, 0), genlmsg_attrlen(generic, 0));
            }
        });
        if (!received)
            return received;
    }
    if (code != 0)
        return std::unexpected(code);
    return {};
}

std::expected<void, int> GenlSocket::write_batch(std::size_t first, std::size_t last,
                                                 std::function<GenlRequest(std::size_t)> const& request,
                                                 std::vector<Refusal>& refused) {
    std::uint32_t const base = sequence_ + 1;
    sequence_ += static_cast<std::uint32_t>(last - first);
    std::vector<char> bytes;
    bytes.reserve((last - first) * message_size / 2);
    for (std::size_t i = first; i < last; ++i) {
        // The kernel always answers a refusal. The acknowledgement of the last request ends the answers.
        if (!append(bytes, request(i), i + 1 == last ? NLM_F_ACK : 0, base + static_cast<std::uint32_t>(i - first)))
            return std::unexpected(EMSGSIZE);
    }
    if (auto sent = send(bytes); !sent)
        return sent;
    bool done = false;
    while (!done) {
        auto const received = receive([&](nlmsghdr* head) {
            std::uint32_t const place = head->nlmsg_seq - base;
            if (head->nlmsg_type != NLMSG_ERROR || place >= last - first)
                return;
            if (int const code = code_in(head); code != 0)
                refused.push_back({first + place, code});
            done = place + 1 == last - first;
        });
        if (!received)
            return received;
    }
    return {};
}

std::expected<GenlSocket::Written, int> GenlSocket::write(std::size_t count,
                                                          std::function<GenlRequest(std::size_t)> const& request) {
    Written written;
    while (written.sent < count && written.refused.empty()) {
        std::size_t const last = std::min(written.sent + batch_size, count);
        if (auto batch = write_batch(written.sent, last, request, written.refused); !batch)
            return std::unexpected(batch.error());
        written.sent = last;
    }
    return written;
}

} // namespace lbc
