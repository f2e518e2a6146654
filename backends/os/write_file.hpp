// Writes results whole or not at all. If a stranger made the present file, the new one keeps nothing of it that would
// be dangerous in a file of this user.
#pragma once

#include "backends/os/place.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace lbc {

enum class Readers { all, owner };

/// Writes `text` to a file of that name. It writes a file beside it and renames that, so that a reader sees the old
/// file or the new one. A link stays, and the file that it leads to is replaced (`find_place`). A file that is not
/// regular, such as /dev/stdout or a pipe, is written to directly. The error states what failed and why.
///
/// A present file keeps its owner and group, as far as this user may set them, and its permissions, but no set-user-ID,
/// set-group-ID or sticky bit. If it belongs to another user, others lose the permission to write, and for root its
/// group does, too; in a sticky folder, where anybody can put a file, it is refused. A new file has the permissions
/// that the umask leaves; with `Readers::owner` only those of its owner.
[[nodiscard]] std::expected<void, SystemError> write_file(std::string const& path, std::string const& text,
                                                          Readers readers = Readers::all);

/// Writes all of it; if false, errno has the reason.
[[nodiscard]] bool write_all(int file, std::string_view text);

/// Like `write_file`, in an open folder, if `place` is a regular file or missing. The error has no path.
[[nodiscard]] std::expected<void, SystemError> replace_file(Place const& place, std::string const& text,
                                                            Readers readers);

} // namespace lbc
