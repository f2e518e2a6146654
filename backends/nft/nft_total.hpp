// Tells which statements and expressions of nftables always continue, and which may end their rule. An expression that
// sets NFT_BREAK makes the kernel leave the rule, so that no verdict behind it is reached (nft_do_chain in
// nf_tables_core.c). Anything not listed here as total may end the rule. Private to this folder.
#pragma once

#include "backends/nft/nft_json.hpp"

#include <string_view>

namespace lbc {

/// Whether an expression of libnftables-json(5) has a value for every packet.
[[nodiscard]] bool is_total(NftJson const& expression);

/// Whether every packet that reaches a statement continues behind it; for statements that give no verdict themselves.
[[nodiscard]] bool always_goes_on(std::string_view name, NftJson const& value);

/// Whether the statements of a set's elements, such as `limit` or `counter`, let every packet match the element.
[[nodiscard]] bool has_total_elements(NftJson const& set);
[[nodiscard]] bool is_total_element(NftJson const& element);

} // namespace lbc
