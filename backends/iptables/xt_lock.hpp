// The lock that iptables takes around every change of a table (iptables(8), XTABLES_LOCKFILE): flock(2) on a file. The
// kernel releases it when the process ends, however it ends.
#pragma once

#include "backends/iptables/mangle_table.hpp"

#include <chrono>
#include <expected>
#include <memory>

namespace lbc {

/// Waits up to `wait` for the lock on $XTABLES_LOCKFILE, else /run/xtables.lock. Creates the file (0600) if it is
/// missing. `locked` if another program holds the lock, `permission` if the file cannot be opened; both errors name the
/// file. Refuses anything but a regular file of root or of this user.
[[nodiscard]] std::expected<std::unique_ptr<XtablesLock>, SystemError>
take_xtables_lock(std::chrono::milliseconds wait);

} // namespace lbc
