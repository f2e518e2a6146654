// The numbers by which this network namespace's kernel knows its sets (ip_set_core.c, SO_IP_SET): what a rule has in
// its place of a set's name. A set keeps its number for as long as a rule has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lbc::xt {

/// Nothing where there is no such set, or the kernel has none or does not tell.
[[nodiscard]] std::optional<std::uint16_t> set_number(std::string_view name);
[[nodiscard]] std::optional<std::string> set_name(std::uint16_t number);

} // namespace lbc::xt
