// Reads what `nft -j list ruleset` prints (libnftables-json(5)) as tables. A whole text is read or refused; parts of a
// rule or a set that lbc cannot represent are kept as unknown. Time grows with the text, whatever it holds.
#pragma once

#include "backends/nft/nft_json.hpp"
#include "backends/nft/nft_rule.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// The tables of every family, in the text's order. The error tells what makes no sense.
[[nodiscard]] std::expected<std::vector<NftState>, std::string> read_nft_json(std::string_view text);
[[nodiscard]] std::expected<std::vector<NftState>, std::string> read_nft_tables(NftJson const& root);

/// Whether a text looks like JSON of nft.
[[nodiscard]] bool is_nft_json(std::string_view text);

/// Whether lbc can represent everything in a table.
[[nodiscard]] bool is_known(NftState const& table);

} // namespace lbc
