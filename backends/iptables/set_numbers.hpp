// Indices of the kernel's sets in this network namespace (ip_set_core.c, SO_IP_SET). A rule stores the index of a set
// instead of its name. A set keeps its index while a rule uses it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lbc::xt {

/// None if there is no such set, or the kernel has no sets or does not answer.
[[nodiscard]] std::optional<std::uint16_t> set_number(std::string_view name);
[[nodiscard]] std::optional<std::string> set_name(std::uint16_t number);

} // namespace lbc::xt
