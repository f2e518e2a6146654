// Reads the statements of one rule of libnftables-json(5). A match that lbc does not know, or a statement that may end
// the rule, becomes a match that may hold or not. Any other unknown statement becomes an UnknownTarget or an
// UnknownMark. Private to this folder.
#pragma once

#include "backends/nft/nft_json.hpp"
#include "backends/nft/nft_rule.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace lbc {

/// The parts of a table that its rules refer to.
struct NftSurroundings {
    std::string family;                                   // of the table: "inet"
    std::map<std::string, NftJson const*> verdict_maps{}; // elements by the map's name, of maps that stay as listed
};

/// `left` is how many more elements all rules together may have; the call reduces it.
[[nodiscard]] std::vector<NftStatement> read_nft_rule(NftJson const& expressions, NftSurroundings const& around,
                                                      std::size_t& left);

} // namespace lbc
