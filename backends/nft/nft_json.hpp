// Reads JSON that nft prints, without trust in its shape. Private to this folder.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lbc {

using NftJson = nlohmann::json;

/// Parses a whole text; the error tells what is wrong with it. Refuses values nested deeper than `deepest_json`, since
/// they are walked recursively. nft writes some ten levels.
inline constexpr int deepest_json = 64;
[[nodiscard]] std::expected<NftJson, std::string> parse_json(std::string_view text);

/// A member of an object; null if there is none, or if it is no object.
[[nodiscard]] NftJson const* member(NftJson const* object, std::string_view name);
/// A member that is a string, as `on_one_line` gives it, so that no name starts a line of its own; empty if there is
/// none.
[[nodiscard]] std::string text_member(NftJson const* object, std::string_view name);

/// A number of 32 bits.
[[nodiscard]] std::optional<std::uint32_t> number_in(NftJson const& value);
/// A text on one line: the kernel takes any bytes in a name, line breaks too. Different texts stay different.
[[nodiscard]] std::string on_one_line(std::string_view text);

/// Whether a command of nft(8) can contain this name of a table, a chain or a set. The kernel takes any name.
[[nodiscard]] bool is_identifier(std::string_view name);

} // namespace lbc
