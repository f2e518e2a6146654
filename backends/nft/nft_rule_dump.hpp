// The rules of a table of nftables as the kernel has them, by netlink: how many, and where they lead. Loads no module.
#pragma once

#include "backends/system_error.hpp"
#include "compiler/types.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct NftDumpedRule {
    std::string chain;
    std::string next; // the chain that its verdict leads to; empty: none
};

/// In their order in each chain. `family` is that of the table: "ip", or "ip6".
[[nodiscard]] std::expected<std::vector<NftDumpedRule>, SystemError> dump_nft_rules(Family family,
                                                                                    std::string_view table);

} // namespace lbc
