#include "backends/keepalived/configuration_lines.hpp"

namespace lbc {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    auto const first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// "web, IPv4" of "# web, IPv4: a description".
std::string title_of(std::string_view comment) {
    return std::string(trimmed(comment.substr(1, comment.find(':') - 1)));
}

} // namespace

void for_each_line(std::string_view text, std::function<void(ConfigurationLine const&)> const& visit) {
    std::vector<std::string> blocks;
    std::string comment; // the last one outside of blocks
    std::string title;
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto const line = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        bool const opens = line.ends_with('{') && !line.starts_with('#');
        if (blocks.empty())
            title = opens ? comment : "";
        if (blocks.empty())
            comment = line.starts_with('#') ? title_of(line) : "";
        if (line.empty())
            continue;
        bool const closes = line == "}";
        visit({line, blocks, title, opens, closes});
        if (opens)
            blocks.emplace_back(trimmed(line.substr(0, line.size() - 1)));
        else if (closes && !blocks.empty())
            blocks.pop_back();
    }
}

} // namespace lbc
