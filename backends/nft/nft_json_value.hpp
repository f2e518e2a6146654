// Expressions of libnftables-json(5) as keys and values. Private to this folder. Nothing here trusts the text's shape.
#pragma once

#include "backends/nft/nft_rule.hpp"

#include <nlohmann/json.hpp>

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

using NftJson = nlohmann::json;

/// All of a text; else what is wrong with it. What nests deeper than `deepest_json` is refused, since what is done with
/// a value goes into it by calls. nft writes some ten levels.
inline constexpr int deepest_json = 64;
[[nodiscard]] std::expected<NftJson, std::string> parse_json(std::string_view text);

/// A member of an object; null where there is none, or no object.
[[nodiscard]] NftJson const* member(NftJson const* object, std::string_view name);
/// A member that is a string, with line breaks as `\n`, so that no name makes a line of its own; empty where there is
/// none.
[[nodiscard]] std::string text_member(NftJson const* object, std::string_view name);

/// A number of 32 bits.
[[nodiscard]] std::optional<std::uint32_t> number_in(NftJson const& value);

/// What an expression looks at. Some imply more than a key: `tcp dport` the protocol, `ip protocol` the family.
struct NftLookedAt {
    NftKey key;
    std::vector<NftMatch> implied;
    std::uint32_t mask = whole_mark;
};
[[nodiscard]] std::optional<NftLookedAt> read_left(NftJson const& expression);

/// The key of a set's type: "ipv4_addr", or a list of such.
[[nodiscard]] std::optional<NftKey> read_type(NftJson const& type);

/// Values of a key: one, a concatenation, or several where a range of addresses is no prefix.
[[nodiscard]] std::optional<std::vector<NftElement>> read_value(NftJson const& value, NftKey const& key);

/// A match of what an expression looks at with a value, a set of such, or a named set.
[[nodiscard]] std::optional<NftMatch> read_match(NftLookedAt const& left, NftJson const& right, bool negated);

/// A mark that is made of the packet's own by `&`, `|` and `^`.
[[nodiscard]] std::optional<SetMark> read_mark(NftJson const& expression);

} // namespace lbc
