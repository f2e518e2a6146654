// The netlink socket of nftables, by libmnl. Private to this folder.
#pragma once

#include "backends/system_error.hpp"

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace lbc {

template <auto free>
struct Free {
    void operator()(auto* pointer) const { free(pointer); }
};

inline constexpr std::size_t largest_answer = std::size_t{1} << 16; // a datagram of the kernel's
inline constexpr int most_attempts = 10;                            // to read what others change at the same time

using MnlSocket = std::unique_ptr<mnl_socket, Free<mnl_socket_close>>;
/// Null: errno says why.
[[nodiscard]] MnlSocket open_nft_socket();

/// "WHAT: Permission denied"
[[nodiscard]] SystemError nft_error(std::string_view what, int code);

/// Asks for all objects of a kind, and gives `take` the message of each, whose length libmnl has checked. `add` puts
/// what the question is about behind its header. errno, EINTR where others changed it meanwhile; 0: `take` has had them
/// all.
using AddToQuestion = void (*)(nlmsghdr* question, void* data);
[[nodiscard]] int dump_nft(std::uint16_t type, std::uint8_t family, AddToQuestion add, mnl_cb_t take, void* data);

} // namespace lbc
