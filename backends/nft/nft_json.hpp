// JSON that nft prints, read without trust in its shape. Private to this folder.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

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
/// A text on one line: the kernel takes any bytes in a name, line breaks too. Two texts stay two.
[[nodiscard]] std::string on_one_line(std::string_view text);

/// Whether nft(8) can write it in a command as the name of a table, a chain or a set. A kernel takes any.
[[nodiscard]] bool is_identifier(std::string_view name);

} // namespace lbc
