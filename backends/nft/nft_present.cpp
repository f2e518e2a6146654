#include "backends/nft/nft_present.hpp"

#include "backends/descriptor.hpp"
#include "backends/read_file.hpp"

#include <fmt/format.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>

namespace lbc {
namespace {

constexpr std::size_t largest_module_list = std::size_t{1} << 20;
constexpr std::uint16_t ask_for_tables = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
constexpr std::uint16_t a_table = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE;
constexpr std::uint32_t sequence = 1;

struct Question {
    nlmsghdr head;
    nfgenmsg netfilter;
};
static_assert(sizeof(Question) == NLMSG_LENGTH(sizeof(nfgenmsg)));

/// Whether nf_tables is in the kernel. A message to a part that is not makes nfnetlink load it (nfnetlink.c).
bool is_loaded() {
    auto const modules = read_file("/proc/modules", largest_module_list);
    if (!modules) {
        return true; // a kernel without modules loads none
    }
    if (modules->starts_with("nf_tables ") || modules->contains("\nnf_tables ")) {
        return true;
    }
    utsname names{};
    if (::uname(&names) != 0) {
        return false;
    }
    auto const builtin = read_file(fmt::format("/lib/modules/{}/modules.builtin", names.release), largest_module_list);
    return builtin && builtin->contains("/nf_tables.ko\n");
}

bool means_none(int code) {
    return code == EOPNOTSUPP || code == EPROTONOSUPPORT || code == EAFNOSUPPORT || code == ENOENT || code == EINVAL;
}

std::expected<bool, SystemError> refused(int code) {
    if (means_none(code)) {
        return false;
    }
    bool const forbidden = code == EPERM || code == EACCES;
    return std::unexpected(SystemError{
        forbidden ? SystemError::Kind::permission : SystemError::Kind::failed, code,
        fmt::format("cannot ask for the tables of nftables: {}{}", std::strerror(code),
                    forbidden ? "; lbc needs CAP_NET_ADMIN, as root has it in this network namespace" : "")});
}

/// What one message says: that there is a table, that there is none, or nothing.
std::optional<std::expected<bool, SystemError>> answer_of(nlmsghdr const& head, std::span<char const> data) {
    if (head.nlmsg_seq != sequence) {
        return std::nullopt;
    }
    if (head.nlmsg_type == a_table) {
        return true;
    }
    if (head.nlmsg_type != NLMSG_ERROR && head.nlmsg_type != NLMSG_DONE) {
        return std::nullopt;
    }
    int code = 0;
    if (data.size() >= sizeof code) {
        std::memcpy(&code, data.data(), sizeof code);
    }
    return code < 0 ? refused(-code) : false;
}

/// Looks at each message of a datagram, whose lengths are not to be trusted.
std::optional<std::expected<bool, SystemError>> find_answer(std::span<char const> datagram) {
    nlmsghdr head{};
    while (datagram.size() >= sizeof head) {
        std::memcpy(&head, datagram.data(), sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > datagram.size()) {
            break;
        }
        if (auto answer = answer_of(head, datagram.first(head.nlmsg_len).subspan(sizeof head))) {
            return answer;
        }
        datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), datagram.size()));
    }
    return std::nullopt;
}

} // namespace

std::expected<bool, SystemError> ask_for_nft_tables() {
    if (!is_loaded()) {
        return false;
    }
    Descriptor const socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!socket) {
        return refused(errno);
    }
    Question const question{{sizeof question, ask_for_tables, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0},
                            {NFPROTO_UNSPEC, NFNETLINK_V0, 0}};
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(socket.get(), &question, sizeof question, 0, reinterpret_cast<sockaddr const*>(&kernel),
                 sizeof kernel) < 0) {
        return refused(errno);
    }
    while (true) {
        alignas(nlmsghdr) std::array<char, 16384> buffer{};
        sockaddr_nl from{};
        socklen_t size = sizeof from;
        ssize_t const count =
            ::recvfrom(socket.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (count < 0 && errno != EINTR) {
            return refused(errno);
        }
        if (count == 0) {
            return refused(EIO);
        }
        if (count < 0 || from.nl_pid != 0) {
            continue;
        }
        if (auto answer = find_answer(std::span(buffer).first(static_cast<std::size_t>(count)))) {
            return *answer;
        }
    }
}

} // namespace lbc
