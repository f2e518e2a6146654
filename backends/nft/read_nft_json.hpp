// What `nft -j list ruleset` prints (libnftables-json(5)), as tables. A whole text is read or refused; of a rule or a
// set, what lbc has no words for is kept as unknown. Time grows with the text, whatever it holds.
#pragma once

#include "backends/nft/nft_json.hpp"
#include "backends/nft/nft_rule.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// The tables in the text's order, of whatever family. The error says what makes no sense.
[[nodiscard]] std::expected<std::vector<NftState>, std::string> read_nft_json(std::string_view text);
[[nodiscard]] std::expected<std::vector<NftState>, std::string> read_nft_tables(NftJson const& root);

/// Whether a text looks like one of these.
[[nodiscard]] bool is_nft_json(std::string_view text);

/// Whether everything of a table was understood.
[[nodiscard]] bool is_known(NftState const& table);

} // namespace lbc
