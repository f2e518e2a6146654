// Reads expressions of libnftables-json(5) as keys and values, without trust in their shape. Private to this folder.
#pragma once

#include "backends/nft/nft_json.hpp"
#include "backends/nft/nft_rule.hpp"

#include <optional>
#include <vector>

namespace lbc {

/// The left side of a match. Some imply more than a key: `tcp dport` the protocol, `ip protocol` the family.
struct NftLookedAt {
    NftKey key;
    std::vector<NftMatch> implied;
    std::uint32_t mask = whole_mark;
};
[[nodiscard]] std::optional<NftLookedAt> read_left(NftJson const& expression);

[[nodiscard]] NftMatch protocol_match(std::uint8_t protocol);

/// The key of a set's type: "ipv4_addr", or a list of such.
[[nodiscard]] std::optional<NftKey> read_type(NftJson const& type);

/// Values of a key: one, a concatenation, or several if a range of addresses is no prefix.
[[nodiscard]] std::optional<std::vector<NftElement>> read_value(NftJson const& value, NftKey const& key);

/// A match of the left side with a value, a set of values, or a named set.
[[nodiscard]] std::optional<NftMatch> read_match(NftLookedAt const& left, NftJson const& right, bool negated);

/// A mark that is computed from another one with `&`, `|` and `^`: (mark & keep) ^ flip. A constant keeps no bit.
struct MarkFunction {
    std::uint32_t keep = whole_mark;
    std::uint32_t flip = 0;
    bool is_of_connection = false; // the other one is `ct mark`, not `meta mark`
};
[[nodiscard]] std::optional<MarkFunction> read_mark(NftJson const& expression);

} // namespace lbc
