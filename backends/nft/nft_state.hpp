// All that is in lbc's table of nftables, as a value: what is wanted is made as one, and what `nft list table` prints
// is read as one, so that both compare, and either can be loaded. Text that was read keeps its words; comparison knows
// the ways in which nft words the same otherwise.
#pragma once

#include "compiler/types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct NftSet {
    std::string kind; // "set" or "map"
    std::string name;
    std::string definition; // "type ipv4_addr; flags interval;"
    std::string elements;   // a line for each, with a comma at its end; lines of comments between them
};

struct NftChain {
    std::string name;
    std::string definition; // "type filter hook prerouting priority mangle; policy accept;"; of a base chain alone
    std::string rules;      // a line for each; lines of comments between them
};

/// Two transactions, of which the second changes what packets get. Under other names for its sets, the first touches
/// nothing that rules use.
struct NftParts {
    std::string sets;  // made where they are missing, emptied, filled; none where there is nothing to mark
    std::string rules; // of all chains; without sets, they take the table away
};

struct NftState {
    std::vector<NftSet> sets;
    std::vector<NftChain> chains; // those that have rules

    [[nodiscard]] bool empty() const { return sets.empty() && chains.empty(); }
    [[nodiscard]] NftParts parts() const;
    /// Whether the rules are those of second names.
    [[nodiscard]] bool is_second() const;
    /// The marks that its maps give.
    [[nodiscard]] std::vector<Fwmark> marks() const;
};

/// The same with `b_` before the names of all sets.
[[nodiscard]] NftState with_second_names(NftState state);

/// What `nft list table inet lbc` prints, with protocols as numbers.
[[nodiscard]] NftState read_nft_listing(std::string_view text);

/// Whether both have the same sets with the same elements, and the same rules, in whatever words.
[[nodiscard]] bool is_same(NftState const& a, NftState const& b);

} // namespace lbc
