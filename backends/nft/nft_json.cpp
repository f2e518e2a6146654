#include "backends/nft/nft_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace lbc {

namespace {

/// Whether lists and objects nest deeper than a reader follows. nlohmann's parser can stop at a depth, but then it
/// scans each list anew for every object that it reads.
bool is_too_deep(std::string_view text) {
    int depth = 0;
    bool is_in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (c == '"')
            is_in_string = !is_in_string;
        else if (is_in_string)
            i += c == '\\' ? 1 : 0;
        else if ((c == '[' || c == '{') && ++depth > deepest_json)
            return true;
        else if (c == ']' || c == '}')
            --depth;
    }
    return false;
}

} // namespace

std::expected<NftJson, std::string> parse_json(std::string_view text) {
    if (is_too_deep(text))
        return std::unexpected(fmt::format("it nests deeper than {} levels", deepest_json));
    auto root = NftJson::parse(text, nullptr, false);
    if (root.is_discarded())
        return std::unexpected("it is no JSON");
    return root;
}

NftJson const* member(NftJson const* object, std::string_view name) {
    if (object == nullptr || !object->is_object())
        return nullptr;
    auto const found = object->find(name);
    return found == object->end() ? nullptr : &*found;
}

std::string text_member(NftJson const* object, std::string_view name) {
    auto const* value = member(object, name);
    return value != nullptr && value->is_string() ? on_one_line(value->get_ref<std::string const&>()) : std::string();
}

std::optional<std::uint32_t> number_in(NftJson const& value) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
        return std::nullopt;
    return value.get<std::uint32_t>();
}

bool is_identifier(std::string_view name) {
    auto const is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    auto const is_more = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
    return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, is_more);
}

std::string on_one_line(std::string_view text) {
    std::string out;
    for (char const c : text)
        if (c == '\n' || c == '\r' || c == '\\')
            out += c == '\n' ? R"(\n)" : c == '\r' ? R"(\r)" : R"(\\)";
        else
            out += c;
    return out;
}

} // namespace lbc
