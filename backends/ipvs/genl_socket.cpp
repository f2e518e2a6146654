#include "backends/ipvs/genl_socket.hpp"

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace lbc {
namespace {

/// A refused request is answered by a message of about 1.3 kB of socket memory, and 208 kB are every socket's.
constexpr std::size_t batch_size = 128;
/// IPVS's largest message, a service with its names, is far smaller.
constexpr std::size_t message_size = 512;
constexpr std::size_t receive_size = 65536;

/// errno for libnl's own numbers, as far as the kernel's are behind them.
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

/// What an NLMSG_ERROR or NLMSG_DONE says: errno, 0 for an acknowledgement.
int code_in(nlmsghdr* message) {
    if (nlmsg_datalen(message) < static_cast<int>(sizeof(int))) {
        return message->nlmsg_type == NLMSG_DONE ? 0 : EBADMSG;
    }
    int code = 0;
    std::memcpy(&code, nlmsg_data(message), sizeof code);
    return code < 0 ? -code : 0;
}

} // namespace

std::expected<GenlSocket, int> GenlSocket::open(char const* family) {
    NlSocket socket(nl_socket_alloc());
    if (!socket) {
        return std::unexpected(ENOMEM);
    }
    if (int const failed = genl_connect(socket.get()); failed < 0) {
        return std::unexpected(code_of(failed));
    }
    // Without a peek before it, a read is one system call.
    nl_socket_disable_msg_peek(socket.get());
    if (int const failed = nl_socket_set_msg_buf_size(socket.get(), receive_size); failed < 0) {
        return std::unexpected(code_of(failed));
    }
    int const id = genl_ctrl_resolve(socket.get(), family);
    if (id < 0) {
        return std::unexpected(code_of(id));
    }
    return GenlSocket(std::move(socket), id);
}

bool GenlSocket::append(std::vector<char>& out, GenlRequest const& request, int flags, std::uint32_t sequence) {
    NlMessage const message(nlmsg_alloc_size(message_size));
    if (!message ||
        genlmsg_put(message.get(), nl_socket_get_local_port(socket_.get()), sequence, family_, 0, NLM_F_REQUEST | flags,
                    request.command, 1) == nullptr ||
        !request.fill(message.get())) {
        return false;
    }
    nlmsghdr const* head = nlmsg_hdr(message.get());
    auto const* bytes = reinterpret_cast<char const*>(head);
    out.insert(out.end(), bytes, bytes + head->nlmsg_len);
    out.resize(NLMSG_ALIGN(out.size()));
    return true;
}

std::expected<void, int> GenlSocket::send(std::span<char> bytes) {
    if (nl_sendto(socket_.get(), bytes.data(), bytes.size()) < 0) {
        return std::unexpected(errno == 0 ? EIO : errno);
    }
    return {};
}

std::expected<void, int> GenlSocket::receive(std::function<void(nlmsghdr*)> const& visit) {
    sockaddr_nl from{};
    unsigned char* raw = nullptr;
    errno = 0;
    int length = nl_recv(socket_.get(), &from, &raw, nullptr);
    std::unique_ptr<unsigned char, NetlinkFree<std::free>> const buffer(raw);
    if (length <= 0) {
        return std::unexpected(errno == 0 ? EIO : errno);
    }
    if (from.nl_pid != 0) {
        return {}; // not the kernel's
    }
    for (auto* head = reinterpret_cast<nlmsghdr*>(raw); nlmsg_ok(head, length); head = nlmsg_next(head, &length)) {
        visit(head);
    }
    return {};
}

std::expected<void, int> GenlSocket::dump(GenlRequest const& request, std::function<void(nlattr*, int)> const& visit) {
    std::uint32_t const sequence = ++sequence_;
    std::vector<char> bytes;
    if (!append(bytes, request, NLM_F_DUMP, sequence)) {
        return std::unexpected(EMSGSIZE);
    }
    if (auto sent = send(bytes); !sent) {
        return sent;
    }
    bool done = false;
    int code = 0;
    while (!done) {
        auto const received = receive([&](nlmsghdr* head) {
            if (head->nlmsg_seq != sequence) {
                return;
            }
            if (head->nlmsg_type == NLMSG_ERROR || head->nlmsg_type == NLMSG_DONE) {
                done = true;
                code = code_in(head);
            } else if (head->nlmsg_type == family_ && genlmsg_valid_hdr(head, 0) != 0) {
                auto* generic = static_cast<genlmsghdr*>(nlmsg_data(head));
                visit(genlmsg_attrdata(generic, 0), genlmsg_attrlen(generic, 0));
            }
        });
        if (!received) {
            return received;
        }
    }
    if (code != 0) {
        return std::unexpected(code);
    }
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
        // A refusal is always answered; that the last one succeeded is the end of the answers.
        if (!append(bytes, request(i), i + 1 == last ? NLM_F_ACK : 0, base + static_cast<std::uint32_t>(i - first))) {
            return std::unexpected(EMSGSIZE);
        }
    }
    if (auto sent = send(bytes); !sent) {
        return sent;
    }
    bool done = false;
    while (!done) {
        auto const received = receive([&](nlmsghdr* head) {
            std::uint32_t const place = head->nlmsg_seq - base;
            if (head->nlmsg_type != NLMSG_ERROR || place >= last - first) {
                return;
            }
            if (int const code = code_in(head); code != 0) {
                refused.push_back({first + place, code});
            }
            done = place + 1 == last - first;
        });
        if (!received) {
            return received;
        }
    }
    return {};
}

std::expected<GenlSocket::Written, int> GenlSocket::write(std::size_t count,
                                                          std::function<GenlRequest(std::size_t)> const& request) {
    Written written;
    while (written.sent < count && written.refused.empty()) {
        std::size_t const last = std::min(written.sent + batch_size, count);
        if (auto batch = write_batch(written.sent, last, request, written.refused); !batch) {
            return std::unexpected(batch.error());
        }
        written.sent = last;
    }
    return written;
}

} // namespace lbc
