#include "backends/keepalived/configured_commands.hpp"

#include "backends/keepalived/configuration_lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <tuple>
#include <utility>

namespace lbc {
namespace {

using Run = RunChange::Run;

struct Configured {
    SiteCommand::Kind kind{};
    std::string subject;
    std::string place;
    std::string block; // all blocks around it
    Run run;
};

/// The first word of a line, and its value.
std::pair<std::string_view, std::string_view> split(std::string_view line) {
    auto const end = line.find_first_of(" \t");
    if (end == std::string_view::npos)
        return {line, {}};
    auto const value = line.find_first_not_of(" \t", end);
    return {line.substr(0, end), value == std::string_view::npos ? std::string_view() : line.substr(value)};
}

std::vector<Configured> commands_in(std::string_view text) {
    std::vector<Configured> all;
    for_each_line(text, [&](ConfigurationLine const& line) {
        if (line.opens || line.blocks.empty())
            return;
        auto const [word, value] = split(line.text);
        auto const block = fmt::format("{}", fmt::join(line.blocks, "\n"));
        if (word == "user")
            for (auto i = all.size(); i-- > 0 && all[i].block == block;)
                all[i].run.user = value;
        auto const opens_file = word == "file" && line.blocks.front().starts_with("track_file ");
        auto const kind = opens_file ? SiteCommand::Kind::check_file : command_kind(word);
        if (!kind)
            return;
        auto& command = all.emplace_back(Configured{*kind, line.blocks.front(), {}, block, {"root", {}}});
        if (!line.title.empty())
            command.subject += fmt::format(" ({})", line.title);
        for (auto const& inner : line.blocks | std::views::drop(1))
            command.place += inner + ", ";
        command.place += word;
        command.run.command = value;
    });
    return all;
}

bool is_at(Configured const& a, Configured const& b) { return a.subject == b.subject && a.place == b.place; }

} // namespace

std::optional<SiteCommand::Kind> command_kind(std::string_view word) {
    static constexpr std::array<std::pair<std::string_view, SiteCommand::Kind>, 7> words{{
        {"misc_path", SiteCommand::Kind::check_script},
        {"notify_up", SiteCommand::Kind::notify_up},
        {"notify_down", SiteCommand::Kind::notify_down},
        {"quorum_up", SiteCommand::Kind::quorum_up},
        {"quorum_down", SiteCommand::Kind::quorum_down},
        {"script", SiteCommand::Kind::track_script},
        {"notify", SiteCommand::Kind::notify},
    }};
    auto const found = std::ranges::find(words, word, &std::pair<std::string_view, SiteCommand::Kind>::first);
    if (found != words.end())
        return found->second;
    // lbc never writes these, but somebody else may have.
    if (word.starts_with("notify_") || word == "startup_script" || word == "shutdown_script")
        return SiteCommand::Kind::notify;
    return std::nullopt;
}

std::vector<RunChange> run_changes(std::string_view before, std::string_view after, std::string const& director) {
    // Sorted by place; commands of one place stay in the order of the file.
    auto const sorted = [](std::string_view text) {
        auto all = commands_in(text);
        std::ranges::stable_sort(all, {}, [](Configured const& one) { return std::tie(one.subject, one.place); });
        return all;
    };
    auto const old = sorted(before);
    auto const wanted = sorted(after);
    std::vector<RunChange> changes;
    auto from = old.begin();
    auto to = wanted.begin();
    while (from != old.end() || to != wanted.end()) {
        auto const key = [](Configured const& one) { return std::tie(one.subject, one.place); };
        auto const& first = to == wanted.end() || (from != old.end() && key(*from) < key(*to)) ? *from : *to;
        std::vector<Run> removed;
        std::vector<Run> added;
        for (; from != old.end() && is_at(*from, first); ++from)
            removed.push_back(from->run);
        for (; to != wanted.end() && is_at(*to, first); ++to)
            added.push_back(to->run);
        for (auto const& [was, is] : replaced_runs(removed, added))
            changes.push_back({first.kind, first.subject, first.place, {}, {director}, was, is});
    }
    return changes;
}

} // namespace lbc
