#include "backends/emit/json/json_text.hpp"

#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <iterator>
#include <string_view>

namespace lbc {
namespace {

void append_escaped(std::string& out, std::string_view character) {
    auto const point = static_cast<std::uint32_t>(code_point(character));
    if (point < 0x10000) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", point);
        return;
    }
    auto const above = point - 0x10000;
    fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xD800 + (above >> 10U), 0xDC00 + (above & 0x3FFU));
}

} // namespace

std::string json_text(nlohmann::ordered_json const& value, int indent) {
    auto text = value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    auto stray = find_stray(text);
    if (stray == text.size())
        return text;
    // Outside of strings there is nothing but ASCII, and in them the library has escaped C0.
    std::string out;
    std::string_view const whole = text;
    for (std::size_t at = 0; at < whole.size(); stray = find_stray(whole, at)) {
        out += whole.substr(at, stray - at);
        at = stray;
        if (at == whole.size())
            break;
        auto const length = utf8_length(whole, at);
        append_escaped(out, whole.substr(at, length));
        at += length;
    }
    return out;
}

} // namespace lbc
