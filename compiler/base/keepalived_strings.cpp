#include "compiler/base/keepalived_strings.hpp"

#include <fmt/format.h>

#include <cctype>

namespace lbc::keepalived {
namespace {

std::string escaped(std::string_view text, std::string_view backslash) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = text[i];
        auto const rest = text.substr(i + 1);
        auto const next = static_cast<unsigned char>(rest.empty() ? ' ' : rest.front());
        bool const parameter = c == '$' && (next == '{' || next == '_' || std::isalpha(next) != 0);
        bool const sequence = c == '~' && (rest.starts_with("SEQ") || rest.starts_with("LST"));
        if (c == '\\')
            out += backslash;
        else if (parameter || sequence || c == '"')
            out += fmt::format("\\{:03o}", c);
        else
            out += c;
    }
    return out + '"';
}

} // namespace

std::string pattern(std::string_view text) { return escaped(text, R"(\\)"); }

std::string command(std::string_view text) { return escaped(text, R"(\\\\)"); }

} // namespace lbc::keepalived
