// lbc's table of nftables as a step of a transaction: from what is there to what is wanted, with every packet under the
// old rules or the new ones.
#pragma once

#include "backends/nft/nft_table.hpp"
#include "backends/transaction.hpp"

#include <string>
#include <vector>

namespace lbc {

struct NftChange {
    NftState before;
    NftState after;
};

struct NftPlan {
    Steps steps;                     // none where the table is as wanted
    std::optional<NftChange> change; // likewise
    std::vector<Fwmark> marks;       // that its maps give now
};

/// Reads the table, and asks whether what is wanted could be written. Nothing wanted: the table goes.
[[nodiscard]] std::expected<NftPlan, SystemError> plan_nft(std::unique_ptr<NftTable> table, NftState wanted);

} // namespace lbc
