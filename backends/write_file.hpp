// Writing results: whole, or not at all; and where a stranger made the file that is there, with nothing of his that
// would be dangerous in a file of this user.
#pragma once

#include "backends/place.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace lbc {

enum class Readers { all, owner };

/// Puts `text` in a file of that name: written beside it first, then renamed, so that a reader sees the old file or the
/// new one; a link stays, and the file that it leads to is replaced (`find_place`). What is no regular file, such as
/// /dev/stdout or a pipe, is written to. The error says what failed and why.
///
/// A file that is there keeps its owner and group, as far as this user may give them, and its permissions, but no
/// set-user-ID, set-group-ID or sticky bit; one that is another user's loses the right to write of its group and of
/// others as well, and is refused in a folder where anybody can put a file (sticky). A new file has the permissions
/// that the umask leaves, and with `Readers::owner` none but the owner's.
[[nodiscard]] std::expected<void, SystemError> write_file(std::string const& path, std::string const& text,
                                                          Readers readers = Readers::all);

/// Writes all of it, or errno says why not.
[[nodiscard]] bool write_all(int file, std::string_view text);

/// The same as `write_file` in an open folder, where `place` is a regular file or none. The error is without the path.
[[nodiscard]] std::expected<void, SystemError> replace_file(Place const& place, std::string const& text,
                                                            Readers readers);

} // namespace lbc
