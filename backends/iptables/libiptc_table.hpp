// One family's mangle table by libiptc: see `MangleTable`. Own chains that already are as wanted are left alone with
// their counters; the others are emptied and filled anew, which libiptc does in time linear in the number of rules.
#pragma once

#include "backends/kernel.hpp"

namespace lbc {

/// Loads the table's modules where they are missing. `unsupported` where the kernel has no such table.
[[nodiscard]] std::expected<std::unique_ptr<MangleTable>, SystemError> open_libiptc_mangle(Family family);

} // namespace lbc
