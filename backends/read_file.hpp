// A whole file, bounded in size.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace lbc {

/// `flags` are open(2)'s, beside O_RDONLY. An error is errno: EFBIG where it is larger than `largest` bytes.
[[nodiscard]] std::expected<std::string, int> read_file(std::string const& path, std::size_t largest, int flags = 0);

} // namespace lbc
