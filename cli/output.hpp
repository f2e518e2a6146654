// Writing results: whole, or not at all.
#pragma once

#include <expected>
#include <string>

namespace lbc {

/// Puts `text` in a file of that name: written beside it first, then renamed, so that a reader sees the old file or the
/// new one. The error says what failed and why.
[[nodiscard]] std::expected<void, std::string> write_file(std::string const& path, std::string const& text);

} // namespace lbc
