// The programs of iptables-nft: see `Kernel::save_variant` and `Kernel::restore_variant`.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/base/types.hpp"

#include <expected>
#include <string>

namespace lbc {

[[nodiscard]] std::expected<std::string, SystemError> run_variant_save(Family family);
[[nodiscard]] std::expected<void, SystemError> run_variant_restore(Family family, std::string const& text,
                                                                   bool only_test);

} // namespace lbc
