// One family's mangle table: see `MangleTable`. Own chains that already are as wanted are left alone with their
// counters; the others are emptied and filled anew, which libiptc, too, does in time linear in the number of rules.
#pragma once

#include "backends/kernel.hpp"

namespace lbc {

/// How a change gets to the kernel: as one run of entries that lbc writes, which leaves to libiptc what it has no way
/// for, or by libiptc alone. The same table comes of both.
enum class TableWriter : std::uint8_t { runs, libiptc };

/// Loads the table's modules where they are missing. `unsupported` where the kernel has no such table.
[[nodiscard]] std::expected<std::unique_ptr<MangleTable>, SystemError>
open_libiptc_mangle(Family family, TableWriter writer = TableWriter::runs);

} // namespace lbc
