// The names that a path is made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// Without those that are empty or `.`. Example: `a//./b/..` has `a`, `b` and `..`.
[[nodiscard]] std::vector<std::string> path_parts(std::string_view path);

} // namespace lbc
