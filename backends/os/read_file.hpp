// Reads whole files of bounded size. Only regular files are opened for reading: opening a device can have an effect,
// and a pipe can block its reader. The name is first opened with O_PATH, which has no effect; that same file is then
// checked and read, whatever the name leads to by then.
#pragma once

#include "backends/os/descriptor.hpp"

#include <cerrno>
#include <cstddef>
#include <expected>
#include <string>

namespace lbc {

/// `flags` are open(2)'s: O_NOFOLLOW, or none. The error is errno: EFBIG if the file is larger than `largest` bytes,
/// EISDIR for a folder, ELOOP for a link with O_NOFOLLOW, EINVAL for another file that is not regular, `no_proc` if
/// /proc is missing.
[[nodiscard]] std::expected<std::string, int> read_file(std::string const& path, std::size_t largest, int flags = 0);

/// The same for a name in an open folder.
[[nodiscard]] std::expected<std::string, int> read_file_at(int folder, std::string const& name, std::size_t largest,
                                                           int flags = 0);

/// The error of a box without /proc, through which the checked file is opened.
inline constexpr int no_proc = ENOSYS;

/// The error as text.
[[nodiscard]] std::string read_error(int code);

/// The bytes that are left to read, with the same bound.
[[nodiscard]] std::expected<std::string, int> read_all(int file, std::size_t largest);

/// Opens the file of an O_PATH descriptor with open(2)'s `flags`; if the result is empty, errno has the reason.
[[nodiscard]] Descriptor reopen(Descriptor const& place, int flags);

/// The kernel's path of an open file; empty if it is unknown.
[[nodiscard]] std::string path_of(Descriptor const& file);

} // namespace lbc
