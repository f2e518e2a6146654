// Reads all legacy tables of a family in this network namespace through libiptc: see `Kernel::read_netfilter`.
#pragma once

#include "backends/iptables/mangle_table.hpp"

#include <expected>

namespace lbc {

/// Reads those of raw, mangle, nat, filter and security that the kernel lists. Reading a table that it does not list
/// would create it.
[[nodiscard]] std::expected<Netfilter, SystemError> read_libiptc_netfilter(Family family);

/// See `Kernel::has_own_chains`.
[[nodiscard]] std::expected<bool, SystemError> has_own_libiptc_chains(Family family);

} // namespace lbc
