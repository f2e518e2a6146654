// Tells whose files this process trusts like its own.
#pragma once

#include <sys/types.h>

namespace lbc {

/// Root, this process's user, or the owner of /usr: a user namespace shows root's files as another user's.
[[nodiscard]] bool is_trusted_owner(uid_t owner);

} // namespace lbc
