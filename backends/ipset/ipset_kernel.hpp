// The kernel's sets in this network namespace (ip_set_core.c). `Kernel` documents the calls under the same names.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/rules/mark_set.hpp"

#include <expected>
#include <string>
#include <vector>

namespace lbc {

[[nodiscard]] std::expected<std::vector<MarkSet>, SystemError> read_ipset_sets(Family family);
[[nodiscard]] std::expected<void, SystemError> write_ipset_set(MarkSet const& set);
[[nodiscard]] std::expected<void, SystemError> destroy_ipset_set(std::string const& name);
[[nodiscard]] std::expected<std::size_t, SystemError> count_ipset_uses(std::string const& name);

} // namespace lbc
