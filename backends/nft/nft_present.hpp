// Lists what nftables has in this network namespace, over netlink. Errors are `permission` without CAP_NET_ADMIN. Loads
// no module.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/base/types.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace lbc {

struct NftTableName {
    std::string family; // "inet"
    std::string name;
    std::uint32_t flags = 0; // NFT_TABLE_F_* of nf_tables.h

    /// Whether no hook calls its chains.
    [[nodiscard]] bool is_dormant() const;
};

/// All tables of this network namespace.
[[nodiscard]] std::expected<std::vector<NftTableName>, SystemError> list_nft_tables();

/// Whether the table inet lbc exists.
[[nodiscard]] std::expected<bool, SystemError> ask_for_own_nft_table();

/// Whether the mangle table of iptables-nft, or ip6tables-nft, has own chains.
[[nodiscard]] std::expected<bool, SystemError> ask_for_iptables_nft_chains(Family family);

} // namespace lbc
