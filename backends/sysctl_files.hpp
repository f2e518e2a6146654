// Kernel settings in /proc/sys.
#pragma once

#include "backends/sysctl.hpp"
#include "backends/system_error.hpp"

#include <expected>

namespace lbc {

[[nodiscard]] std::expected<int, SystemError> read_sysctl_file(Sysctl sysctl);

/// `value` has one digit.
[[nodiscard]] std::expected<void, SystemError> write_sysctl_file(Sysctl sysctl, int value);

} // namespace lbc
