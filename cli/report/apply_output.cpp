#include "cli/report/apply_output.hpp"

#include "backends/emit/json/json_text.hpp"
#include "backends/keepalived/configured_commands.hpp"
#include "cli/input/site_input.hpp"
#include "cli/report/config_lines.hpp"
#include "cli/report/write_lines.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <ostream>
#include <ranges>
#include <span>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

/// The commands that this director runs from now on, or no longer.
std::vector<RunChange> runs_of(Changes const& changes, ApplyOutput const& output) {
    if (!changes.keepalived)
        return {};
    return run_changes(changes.keepalived->before, changes.keepalived->after, std::string(output.who));
}

SiteNames const& names_of(ApplyOutput const& output) {
    static SiteNames const none;
    return output.names == nullptr ? none : *output.names;
}

std::string text_of(Changes const& changes, ApplyOutput const& output, bool colour) {
    auto const verb = output.dry_run ? "would change" : "changed";
    std::string text;
    auto const add = [&](auto const& change) {
        text += fmt::format("{}: {} {}: rules {} -> {}\n", output.who, title_of(change), verb,
                            change.before.rule_count(), change.after.rule_count());
        if (output.verbose)
            text += write_lines(change, colour);
    };
    auto const say = [&](std::vector<std::string> const& sentences) {
        for (auto const& sentence : sentences)
            text += fmt::format("{}: {}\n", output.who, printable(sentence));
    };
    say(names_of(output).sentences(changes.services));
    if (changes.keepalived)
        say(sentences(*changes.keepalived));
    std::ranges::for_each(changes.marks, add);
    if (changes.nft)
        add(*changes.nft);
    if (!changes.services.empty())
        text += fmt::format("{}: IPVS {}: writes {}\n", output.who, verb, changes.services.size());
    if (output.verbose)
        for (auto const& change : changes.services)
            text += write_line(change, colour);
    for (auto const& setting : changes.settings)
        text += fmt::format("{}: {}{}\n", output.who, output.dry_run ? "would " : "", setting);
    if (changes.keepalived && output.verbose)
        text += write_lines(*changes.keepalived, colour);
    for (auto const& change : runs_of(changes, output))
        text += write_lines(change, "", colour);
    return text.empty() ? fmt::format("{}: nothing differs, nothing written\n", output.who) : text;
}

Json head(ApplyOutput const& output, std::string_view outcome) {
    return {{"who", output.who}, {"dry_run", output.dry_run}, {"outcome", outcome}};
}

std::string dump(Json const& object) { return json_text(object, 2) + '\n'; }

std::string json_of(Changes const& changes, std::optional<MarkCheck> const& marks, ApplyOutput const& output) {
    auto object = head(output, changes.empty() ? "unchanged" : output.dry_run ? "would-change" : "changed");
    auto const listed = [](auto const& items) {
        auto list = Json::array();
        for (auto const& item : items)
            list.push_back(json_of(item));
        return list;
    };
    object["marks"] = listed(changes.marks);
    if (changes.nft)
        object["marks"].push_back(json_of(*changes.nft));
    object["services"] = listed(changes.services);
    for (std::size_t i = 0; i < changes.services.size(); ++i)
        if (auto name = names_of(output).service(changes.services[i].key); !name.empty())
            object["services"][i]["service"] = std::move(name);
    object["settings"] = changes.settings;
    if (changes.keepalived)
        object["keepalived"] = json_of(*changes.keepalived);
    object["runs"] = listed(runs_of(changes, output));
    object["notes"] = changes.notes;
    object["machine"] = output.machine != nullptr ? machine_json(*output.machine) : Json(nullptr);
    object["marks_after"] = marks ? json_of(*marks) : Json(nullptr);
    return dump(object);
}

struct Words {
    Status status;
    std::string_view slug;
    std::string_view said;
};

Words words_of(ApplyFailure::Outcome outcome) {
    switch (outcome) {
    case ApplyFailure::Outcome::refused: return {Status::refused, "refused", "nothing was touched"};
    case ApplyFailure::Outcome::rolled_back:
        return {Status::rolled_back, "taken-back", "it is rolled back, and the kernel is as before"};
    case ApplyFailure::Outcome::partly_applied: break;
    }
    return {Status::partly_applied, "left-behind", "the rollback is incomplete, and this is still present:"};
}

/// The warning that packets do not get the site's marks, or may not.
std::string warning_of(MarkCheck const& check, std::string_view who) {
    auto text = fmt::format("{}: warning: the marks of packets are {}; `lbc verify` says more\n", who, check.title());
    for (auto const& line : check.lines)
        text += fmt::format("  {}\n", line);
    return text;
}

/// "site.lb:12:5: " if the failure has a place.
std::string place_of(SystemError const& error, Sources const* sources) {
    if (!error.place || sources == nullptr)
        return {};
    auto const position = sources->position(*error.place);
    return fmt::format("{}:{}:{}: ", (*sources)[error.place->file].name(), position.line, position.column);
}

} // namespace

void print_changes(Changes const& changes, ApplyOutput const& output, Environment const& environment) {
    auto const marks = output.check && !output.dry_run ? std::optional(output.check()) : std::nullopt;
    environment.out << (output.json ? json_of(changes, marks, output)
                                    : text_of(changes, output, environment.colour_out));
    if (output.json)
        return;
    for (auto const& note : changes.notes)
        environment.err << fmt::format("{}: note: {}\n", output.who, printable(note));
    if (marks && !marks->holds())
        environment.err << warning_of(*marks, output.who);
}

Status print_apply_failure(ApplyFailure const& failure, Sources const* sources, ApplyOutput const& output,
                           Environment const& environment) {
    auto const words = words_of(failure.outcome);
    auto const message = place_of(failure.error, sources) + failure.error.message;
    print_failure(environment, fmt::format("{}; {}", message, words.said));
    for (auto const& line : failure.left)
        environment.err << "  " << printable(line) << '\n';
    if (output.json) {
        auto object = head(output, words.slug);
        object["error"] = message;
        object["left"] = failure.left;
        environment.out << dump(object);
    }
    return words.status;
}

std::string clock_in(std::chrono::milliseconds time) {
    auto const then = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + time);
    std::tm parts{};
    ::localtime_r(&then, &parts);
    std::array<char, 64> text{};
    auto const* format = time < std::chrono::hours(24) ? "%H:%M:%S %Z" : "%Y-%m-%d %H:%M:%S %Z";
    return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

} // namespace lbc
