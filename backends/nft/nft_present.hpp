// Whether nftables has tables in this network namespace.
#pragma once

#include "backends/system_error.hpp"

#include <expected>

namespace lbc {

/// Asks the kernel by netlink. `permission` without CAP_NET_ADMIN.
[[nodiscard]] std::expected<bool, SystemError> ask_for_nft_tables();

} // namespace lbc
