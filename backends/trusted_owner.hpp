// Whose files this process takes for its own: root's and its user's.
#pragma once

#include <sys/types.h>

namespace lbc {

/// Root, this process's user, or the owner of /usr: in a user namespace, root's files are shown as another user's.
[[nodiscard]] bool is_trusted_owner(uid_t owner);

} // namespace lbc
