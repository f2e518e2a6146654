// Which statements and expressions of nftables always go on, and which may end their rule: an expression that sets
// NFT_BREAK makes the kernel leave the rule, so that no verdict behind it is reached (nft_do_chain in
// nf_tables_core.c). What is not listed here as total may end it. Private to this folder.
#pragma once

#include "backends/nft/nft_json.hpp"

#include <string_view>

namespace lbc {

/// Whether an expression of libnftables-json(5) has a value for every packet.
[[nodiscard]] bool is_total(NftJson const& expression);

/// Whether every packet that comes to a statement goes on behind it; of statements that decide nothing themselves.
[[nodiscard]] bool always_goes_on(std::string_view name, NftJson const& value);

/// Whether what stands with an element of a set, its `limit` or its `counter`, lets every packet have it.
[[nodiscard]] bool has_total_elements(NftJson const& set);
[[nodiscard]] bool is_total_element(NftJson const& element);

} // namespace lbc
