// Elements of lbc's sets by netlink (libnftnl, libmnl): a text of ten thousand takes nft a hundred times as long as the
// kernel takes to have them. Private to this folder.
#pragma once

#include "backends/nft/nft_rule.hpp"
#include "backends/system_error.hpp"

#include <expected>
#include <span>
#include <vector>

namespace lbc {

/// What is to change in a set of the table inet lbc, which is there.
struct NftElementChange {
    NftSet const* set = nullptr; // its name and its kind; not its elements
    std::vector<NftElement> removed;
    std::vector<NftElement> added;

    [[nodiscard]] bool empty() const { return removed.empty() && added.empty(); }
};

/// In one transaction; on an error nothing was changed. Removals come before additions, of each set in turn.
[[nodiscard]] std::expected<void, SystemError> write_nft_elements(std::span<NftElementChange const> changes);

/// What the kernel has in the set of that name; a set with more than lbc's kinds of elements becomes unknown.
[[nodiscard]] std::expected<void, SystemError> read_nft_elements(NftSet& set);

} // namespace lbc
