// lbc's table of nftables as a step of a transaction: from its present state to the wanted one. Every packet meets the
// old rules or the new ones.
#pragma once

#include "backends/apply/transaction.hpp"
#include "backends/nft/nft_table.hpp"

#include <string>
#include <vector>

namespace lbc {

struct NftChange {
    NftState before;
    NftState after;
};

struct NftPlan {
    Steps steps;                     // none if the table is as wanted
    std::optional<NftChange> change; // likewise
    std::vector<Fwmark> marks;       // that its maps set now
};

/// Reads the table, and checks that the kernel can take what is wanted. An empty `wanted` removes the table.
[[nodiscard]] std::expected<NftPlan, SystemError> plan_nft(std::unique_ptr<NftTable> table, NftState wanted);

} // namespace lbc
