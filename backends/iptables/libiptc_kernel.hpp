// The kernel's mangle tables by libiptc, which speaks to the legacy ip_tables and ip6_tables of this network namespace.
#pragma once

#include "backends/kernel.hpp"

namespace lbc {

[[nodiscard]] std::unique_ptr<Kernel> make_libiptc_kernel();

} // namespace lbc
