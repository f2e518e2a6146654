// The netlink socket of nftables, through libmnl, and its dumps. Private to this folder.
#pragma once

#include "backends/os/system_error.hpp"

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

inline constexpr std::size_t largest_answer = std::size_t{1} << 16; // bytes of a datagram from the kernel
inline constexpr int most_attempts = 10;                            // to read objects that change at the same time

using MnlSocket = std::unique_ptr<mnl_socket, Free<mnl_socket_close>>;
/// Null on an error, which is in errno.
[[nodiscard]] MnlSocket open_nft_socket();

/// "WHAT: Permission denied"
[[nodiscard]] SystemError nft_error(std::string_view what, int code);

/// Dumps all objects of a kind and passes each message to `take`; libmnl has checked its length. `add`, if not null,
/// completes the question behind its header. Returns 0 once `take` had all objects, else errno: EINTR if they changed
/// meanwhile.
using AddToQuestion = void (*)(nlmsghdr* question, void* data);
[[nodiscard]] int dump_nft(std::uint16_t type, std::uint8_t family, AddToQuestion add, mnl_cb_t take, void* data);

} // namespace lbc
