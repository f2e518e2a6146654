#include "cli/report/config_lines.hpp"

#include "backends/keepalived/configuration_lines.hpp"
#include "cli/report/write_lines.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <ranges>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

/// A file's lines, each with a key for comparison: the line together with its blocks.
struct Lines {
    std::vector<ConfigLine> lines;
    std::vector<std::string> keys;
};

Lines lines_of(std::string_view text, char sign) {
    Lines all;
    for_each_line(text, [&](ConfigurationLine const& line) {
        auto const inner = line.blocks.size() - (line.closes && !line.blocks.empty() ? 1 : 0);
        auto const block = fmt::format("{}", fmt::join(line.blocks | std::views::take(inner), " > "));
        all.keys.push_back(fmt::format("{}\n{}\n{}", fmt::join(line.blocks, "\n"), line.title, line.text));
        all.lines.push_back({sign, block, std::string(line.text), inner});
    });
    return all;
}

/// Hides a secret; that it changes is still shown.
void mask(ConfigLine& line) {
    constexpr std::string_view word = "auth_pass";
    if (line.text.starts_with(word))
        line.text = fmt::format("{} (not shown)", word);
}

std::string block_of(std::string_view line) {
    line.remove_suffix(line.ends_with('{') ? 1 : 0);
    while (line.ends_with(' '))
        line.remove_suffix(1);
    return std::string(line);
}

std::string painted(std::string_view colour, std::string_view text, bool on) {
    return on ? fmt::format("{}{}\x1b[0m", colour, text) : std::string(text);
}

std::string_view colour_of(char sign) { return sign == '+' ? "\x1b[32m" : "\x1b[31m"; }

Json json_of(std::optional<RunChange::Run> const& run) {
    return run ? Json{{"user", run->user}, {"command", run->command}} : Json(nullptr);
}

} // namespace

std::vector<ConfigLine> config_lines(KeepalivedChange const& change) {
    auto before = lines_of(change.before, '-');
    auto after = lines_of(change.after, '+');
    auto const kept = kept_lines(before.keys, after.keys);
    std::vector<ConfigLine> lines;
    auto const take = [&](Lines& from, std::vector<bool> const& stays, std::size_t& at) {
        for (; at < from.lines.size() && !stays[at]; ++at) {
            mask(from.lines[at]);
            lines.push_back(std::move(from.lines[at]));
        }
    };
    for (std::size_t i = 0, k = 0; i < before.lines.size() || k < after.lines.size(); ++i, ++k) {
        take(before, kept.before, i);
        take(after, kept.after, k);
    }
    return lines;
}

std::string write_lines(KeepalivedChange const& change, bool colour) {
    std::string text;
    std::string block; // whose lines follow
    for (auto const& line : config_lines(change)) {
        if (line.block != block && !line.block.empty())
            text += fmt::format("  {}\n", painted("\x1b[36m", fmt::format("@@ {} @@", printable(line.block)), colour));
        auto const indented = fmt::format("{} {:{}}{}", line.sign, "", 4 * line.depth, printable(line.text));
        text += fmt::format("  {}\n", painted(colour_of(line.sign), indented, colour));
        block = line.block;
        // A block that is added or removed as a whole has its name above its lines.
        if (line.text.ends_with('{'))
            block += (block.empty() ? "" : " > ") + block_of(line.text);
    }
    return text;
}

std::string write_lines(RunChange const& change, std::string_view indent, bool colour) {
    auto text =
        fmt::format("{}{}\n", indent, painted("\x1b[31m", fmt::format("! {}", printable(sentence(change))), colour));
    for (auto const& line : run_lines(change))
        text += fmt::format("{}    {}\n", indent, painted(colour_of(line.front()), printable(line), colour));
    return text;
}

Json json_of(KeepalivedChange const& change) {
    auto lines = Json::array();
    for (auto const& line : config_lines(change))
        lines.push_back({{"sign", std::string(1, line.sign)}, {"block", line.block}, {"text", line.text}});
    return {{"path", change.path}, {"lines", std::move(lines)}};
}

Json json_of(RunChange const& change) {
    return {{"subject", change.subject},      {"kind", to_string(change.kind)}, {"place", change.place},
            {"real_servers", change.reals},   {"directors", change.directors},  {"before", json_of(change.before)},
            {"after", json_of(change.after)}, {"text", sentence(change)}};
}

} // namespace lbc
