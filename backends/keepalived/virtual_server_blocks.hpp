// Finds the virtual services in a text that `keepalived_text` made. Private to the back end.
#pragma once

#include "backends/ipvs/ipvs.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct VirtualServerBlocks {
    std::string text; // of whole `virtual_server` blocks
    std::vector<ServiceKey> keys;
};

/// The blocks of `before` whose mark and family no block of `after` has.
[[nodiscard]] VirtualServerBlocks blocks_that_leave(std::string_view before, std::string_view after);

} // namespace lbc
