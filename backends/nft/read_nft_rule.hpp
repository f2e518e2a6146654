// Reads the statements of one rule of libnftables-json(5). A statement that lbc does not know, or that may end the
// rule, becomes a match that may hold or not. Private to this folder.
#pragma once

#include "backends/nft/nft_json.hpp"
#include "backends/nft/nft_rule.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace lbc {

/// What rules of a table refer to.
struct NftSurroundings {
    std::string family; // of the table: "inet"
    std::map<std::string, NftJson const*>
        verdict_maps{}; // their elements, by the maps' names; those that stay as listed
};

/// `left` is how many elements there may still be, of all rules.
[[nodiscard]] std::vector<NftStatement> read_nft_rule(NftJson const& expressions, NftSurroundings const& around,
                                                      std::size_t& left);

} // namespace lbc
