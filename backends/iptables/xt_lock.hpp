// The lock that iptables takes around every change of a table (iptables(8), XTABLES_LOCKFILE): flock(2) on a file. The
// kernel lets go of it when the process ends, however it ends.
#pragma once

#include "backends/kernel.hpp"

namespace lbc {

/// Waits up to `wait` for the lock on $XTABLES_LOCKFILE, else /run/xtables.lock, which is made (0600) where it is not
/// there. `locked` when another program keeps it, `permission` when the file cannot be opened; both name the file. What
/// is no regular file of root's, or of this user's, is refused.
[[nodiscard]] std::expected<std::unique_ptr<XtablesLock>, SystemError>
take_xtables_lock(std::chrono::milliseconds wait);

} // namespace lbc
