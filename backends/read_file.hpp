// A whole file, bounded in size. Only a regular file is ever opened for reading: opening a device can do something, and
// a pipe can keep its reader waiting. What a name leads to is looked at first, by a descriptor that opens nothing
// (O_PATH), and it is that file which is read, whatever the name leads to by then.
#pragma once

#include "backends/descriptor.hpp"

#include <cerrno>
#include <cstddef>
#include <expected>
#include <string>

namespace lbc {

/// `flags` are open(2)'s: O_NOFOLLOW, or none. An error is errno: EFBIG where it is larger than `largest` bytes, EISDIR
/// for a folder, EINVAL for what is no regular file otherwise, `no_proc` where /proc is missing.
[[nodiscard]] std::expected<std::string, int> read_file(std::string const& path, std::size_t largest, int flags = 0);

/// The same of a name in an open folder.
[[nodiscard]] std::expected<std::string, int> read_file_at(int folder, std::string const& name, std::size_t largest,
                                                           int flags = 0);

/// What stands for a box without /proc, by which a file that was looked at is opened.
inline constexpr int no_proc = ENOSYS;

/// The error in words.
[[nodiscard]] std::string read_error(int code);

/// The bytes that are left to read, likewise bounded.
[[nodiscard]] std::expected<std::string, int> read_all(int file, std::size_t largest);

/// What a descriptor of O_PATH leads to, opened with open(2)'s `flags`; else errno says why not.
[[nodiscard]] Descriptor reopen(Descriptor const& place, int flags);

/// The path of an open file as the kernel has it; empty where it cannot be told.
[[nodiscard]] std::string path_of(Descriptor const& file);

} // namespace lbc
