// What nftables has in this network namespace, by netlink. `permission` without CAP_NET_ADMIN. Loads no module.
#pragma once

#include "backends/system_error.hpp"
#include "compiler/types.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace lbc {

struct NftTableName {
    std::string family; // "inet"
    std::string name;
    std::uint32_t flags = 0; // NFT_TABLE_F_* of nf_tables.h

    /// Whether its chains are called by nothing.
    [[nodiscard]] bool is_dormant() const;
};

/// All tables of this network namespace.
[[nodiscard]] std::expected<std::vector<NftTableName>, SystemError> list_nft_tables();

/// Whether it has the table inet lbc.
[[nodiscard]] std::expected<bool, SystemError> ask_for_own_nft_table();

/// Whether iptables-nft, or ip6tables-nft, has chains of lbc's in its mangle table.
[[nodiscard]] std::expected<bool, SystemError> ask_for_iptables_nft_chains(Family family);

} // namespace lbc
