// Which of iptables and nftables marks packets on a director, and what the other has to give up.
#pragma once

#include "backends/apply.hpp"

#include <string_view>

namespace lbc {

/// Fills in what a director's marks are to be: by `name`, which is "iptables", "nft" or "auto", with nothing of lbc's
/// left in the other. `auto` is nftables where lbc's table of nftables is, or where the kernel has no mangle table of
/// iptables, else iptables. Reads, and makes no table by asking but that of iptables for `auto`.
[[nodiscard]] std::expected<void, SystemError> choose_marks(Kernel& kernel, std::string_view name, MarkRules rules,
                                                            NftState state, Wanted& wanted);

} // namespace lbc
