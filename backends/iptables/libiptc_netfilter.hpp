// All tables of a family in this network namespace, whoever's their rules, by libiptc: see `Kernel::read_netfilter`.
#pragma once

#include "backends/kernel.hpp"

namespace lbc {

/// Reads the tables raw, mangle, nat, filter and security, as far as the kernel says that they are there; asking for
/// one that is not would make it.
[[nodiscard]] std::expected<Netfilter, SystemError> read_libiptc_netfilter(Family family);

/// See `Kernel::has_own_chains`.
[[nodiscard]] std::expected<bool, SystemError> has_own_libiptc_chains(Family family);

} // namespace lbc
