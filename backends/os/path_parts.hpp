// Splits a path into its names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// Leaves out names that are empty or `.`. Example: `a//./b/..` gives `a`, `b` and `..`.
[[nodiscard]] std::vector<std::string> path_parts(std::string_view path);

} // namespace lbc
