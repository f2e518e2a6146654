// Reads and writes the elements of own sets over netlink (libnftnl, libmnl): nft takes a hundred times as long for a
// text of ten thousand as the kernel takes to store them. Private to this folder.
#pragma once

#include "backends/nft/nft_rule.hpp"
#include "backends/os/system_error.hpp"

#include <expected>
#include <span>
#include <vector>

namespace lbc {

/// A change to an existing set of the table inet lbc.
struct NftElementChange {
    NftSet const* set = nullptr; // gives name and kind; its elements are not read
    std::vector<NftElement> removed;
    std::vector<NftElement> added;

    [[nodiscard]] bool empty() const { return removed.empty() && added.empty(); }
};

/// Makes all changes in one transaction. After an error, they were either not made, or made and the kernel's answer
/// lost. For each set in turn, removals come before additions.
[[nodiscard]] std::expected<void, SystemError> write_nft_elements(std::span<NftElementChange const> changes);

/// Reads the kernel's elements of the set with that name. A set with an element that lbc cannot represent becomes
/// unknown.
[[nodiscard]] std::expected<void, SystemError> read_nft_elements(NftSet& set);

} // namespace lbc
