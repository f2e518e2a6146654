// Writing results: whole, or not at all.
#pragma once

#include <expected>
#include <string>

namespace lbc {

/// Puts `text` in a file of that name: written beside it first, then renamed, so that a reader sees the old file or the
/// new one; a link stays, and the file that it leads to is replaced. What is no regular file, such as /dev/stdout or a
/// pipe, is written to. The error says what failed and why.
[[nodiscard]] std::expected<void, std::string> write_file(std::string const& path, std::string const& text);

} // namespace lbc
