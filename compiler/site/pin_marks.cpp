#include "compiler/site/pin_marks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace lbc {
namespace {

/// The offset of the line break, if only blanks, `;` and a comment stand between; else npos.
std::size_t line_end(std::string_view text, std::size_t offset) {
    auto const next = text.find_first_not_of(" \t\r;", offset);
    return next != std::string_view::npos && (text[next] == '\n' || text[next] == '#') ? text.find('\n', next)
                                                                                       : std::string_view::npos;
}

/// The last statement of a block with a keyword.
std::optional<ast::Node> find_last(ast::Nodes const& block, std::string_view keyword) {
    std::optional<ast::Node> last;
    for (auto const statement : block)
        if (statement.keyword() == keyword)
            last = statement;
    return last;
}

MarkPin make_pin(ast::Node const& service, std::string_view text, Fwmark mark) {
    auto const block = service.block();
    auto before = find_last(block, "port");
    if (!before)
        before = find_last(block, "vip");
    auto const behind = before ? before->span().end : text.find('{', service.span().end) + 1;
    MarkPin pin{.file = service.span().file, .offset = 0, .text = {}, .service = {}, .mark = mark};
    // A comment behind the previous statement stays with that statement.
    auto const end = line_end(text, behind);
    pin.offset = static_cast<std::uint32_t>(end != std::string_view::npos ? end : behind);
    auto const statement = fmt::format("mark {}", mark.str());
    if (end != std::string_view::npos)
        pin.text = "\n" + statement;
    else
        pin.text = before ? "; " + statement : " " + statement + ";";
    return pin;
}

} // namespace

std::vector<MarkPin> find_mark_pins(Site const& site, Program const& program, Sources const& sources) {
    std::map<Span, ast::Node> services;
    for (auto const& node : program.statements)
        if (node.keyword() == "service")
            services.emplace(node.span(), node);
    std::vector<MarkPin> pins;
    for (auto const& service : site.services) {
        // The marks of a service are all from the file, or all allocated and equal.
        if (service.on.empty() || !service.on.front().allocated)
            continue;
        auto const& node = services.at(service.span);
        auto& pin = pins.emplace_back(make_pin(node, sources[node.span().file].text(), service.on.front().mark));
        pin.service = service.name.value;
    }
    return pins;
}

std::string with_mark_pins(std::string_view text, std::span<MarkPin const> pins) {
    std::string result;
    std::size_t at = 0;
    for (auto const& pin : pins) {
        result += text.substr(at, pin.offset - at);
        result += pin.text;
        at = pin.offset;
    }
    result += text.substr(at);
    return result;
}

} // namespace lbc
