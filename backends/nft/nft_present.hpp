// What nftables has in this network namespace, by netlink. `permission` without CAP_NET_ADMIN. Loads no module.
#pragma once

#include "backends/system_error.hpp"
#include "compiler/types.hpp"

#include <expected>

namespace lbc {

/// Whether it has a table, whoever's.
[[nodiscard]] std::expected<bool, SystemError> ask_for_nft_tables();

/// Whether it has the table inet lbc.
[[nodiscard]] std::expected<bool, SystemError> ask_for_own_nft_table();

/// Whether iptables-nft, or ip6tables-nft, has chains of lbc's in its mangle table.
[[nodiscard]] std::expected<bool, SystemError> ask_for_iptables_nft_chains(Family family);

} // namespace lbc
