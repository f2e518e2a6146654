#include "backends/nft/nft_netlink.hpp"

#include <fmt/format.h>
#include <libnftnl/common.h>

#include <linux/netfilter.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace lbc {

MnlSocket open_nft_socket() {
    MnlSocket socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
    if (socket && mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
        socket.reset();
    return socket;
}

SystemError nft_error(std::string_view what, int code) {
    bool const forbidden = code == EPERM || code == EACCES;
    return {forbidden ? SystemError::Kind::permission : SystemError::Kind::failed, code,
            fmt::format("{}: {}{}", what, std::strerror(code),
                        forbidden ? "; lbc needs CAP_NET_ADMIN, as root has it in this network namespace" : "")};
}

int dump_nft(std::uint16_t type, std::uint8_t family, AddToQuestion add, mnl_cb_t take, void* data) {
    constexpr std::uint32_t sequence = 1;
    auto const socket = open_nft_socket();
    if (!socket)
        return errno;
    alignas(nlmsghdr) std::array<char, largest_answer> buffer{};
    auto* const question = nftnl_nlmsg_build_hdr(buffer.data(), type, family, NLM_F_DUMP, sequence);
    if (add != nullptr)
        add(question, data);
    if (mnl_socket_sendto(socket.get(), question, question->nlmsg_len) < 0)
        return errno;
    auto const port = mnl_socket_get_portid(socket.get());
    for (;;) {
        auto const size = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return errno;
        auto const more = mnl_cb_run(buffer.data(), static_cast<std::size_t>(size), sequence, port, take, data);
        if (more <= MNL_CB_STOP)
            return more < 0 ? errno : 0;
    }
}

} // namespace lbc
