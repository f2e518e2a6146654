// One family's mangle table: see `MangleTable`. Own chains that are as wanted stay unchanged with their counters. The
// others are emptied and filled again, which takes time linear in the number of rules, also through libiptc.
#pragma once

#include "backends/iptables/mangle_table.hpp"

#include <expected>
#include <memory>
#include <string>

namespace lbc {

/// How a change reaches the kernel: `runs` writes one entry blob, and leaves to libiptc what it cannot do; `libiptc`
/// uses libiptc alone. Both give the same table.
enum class TableWriter : std::uint8_t { runs, libiptc };

/// Loads the table's modules if they are missing. `unsupported` if the kernel has no such table.
[[nodiscard]] std::expected<std::unique_ptr<MangleTable>, SystemError>
open_libiptc_mangle(Family family, TableWriter writer = TableWriter::runs);

} // namespace lbc
