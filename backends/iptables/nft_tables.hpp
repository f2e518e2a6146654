// Whether nftables has tables in this network namespace: see `Kernel::has_nft_tables`. What is in them lbc does not
// read.
#pragma once

#include "backends/system_error.hpp"

#include <expected>

namespace lbc {

/// Asks the kernel by netlink. `permission` without CAP_NET_ADMIN.
[[nodiscard]] std::expected<bool, SystemError> ask_for_nft_tables();

} // namespace lbc
