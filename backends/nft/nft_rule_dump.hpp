// Reads the kernel's rules of an nftables table over netlink: how many there are, and where they lead. May load
// nf_tables, so the caller makes sure first that nftables is in use (nft_present.hpp).
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/base/types.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct NftDumpedRule {
    std::string chain;
    std::string next; // the chain that its verdict leads to; empty: none
};

/// In their order within each chain. `family` is that of the table: "ip", or "ip6".
[[nodiscard]] std::expected<std::vector<NftDumpedRule>, SystemError> dump_nft_rules(Family family,
                                                                                    std::string_view table);

} // namespace lbc
