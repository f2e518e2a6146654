#include "cli/apply_output.hpp"

#include "cli/site_input.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>
#include <ranges>
#include <span>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

/// A ruleset as lines, each with the chain it stands in.
std::vector<std::string> lines_of(Ruleset const& rules) {
    std::vector<std::string> lines;
    for (auto const& chain : rules.chains) {
        lines.push_back("-N " + chain.name);
        for (auto const& rule : chain.rules)
            lines.push_back(fmt::format("-A {} {}", chain.name, to_string(rule)));
    }
    for (auto const& hook : rules.hooks)
        lines.push_back(fmt::format("-A {} {}", hook.builtin, to_string(hook.rule)));
    return lines;
}

/// Lines that leave and lines that come, between those that both begin and end with.
struct LineDifference {
    std::vector<std::string> removed;
    std::vector<std::string> added;
};

LineDifference difference(FamilyChange const& change) {
    auto const before = lines_of(change.before);
    auto const after = lines_of(change.after);
    auto const [from, to] = std::ranges::mismatch(before, after);
    auto const [from_back, to_back] =
        std::mismatch(before.rbegin(), std::reverse_iterator(from), after.rbegin(), std::reverse_iterator(to));
    return {{from, from_back.base()}, {to, to_back.base()}};
}

std::size_t rule_count(Ruleset const& rules) {
    std::size_t count = 0;
    for (auto const& chain : rules.chains)
        count += chain.rules.size();
    return count;
}

std::string coloured(std::string_view colour, char sign, std::string_view line, bool on) {
    return fmt::format("  {}{} {}{}\n", on ? colour : "", sign, line, on ? "\x1b[0m" : "");
}

std::string_view colour_of(IpvsChange::Action action) {
    using Action = IpvsChange::Action;
    if (action == Action::add_service || action == Action::add_real)
        return "\x1b[32m";
    return action == Action::delete_service || action == Action::delete_real ? "\x1b[31m" : "\x1b[33m";
}

char sign_of(IpvsChange::Action action) {
    using Action = IpvsChange::Action;
    if (action == Action::add_service || action == Action::add_real)
        return '+';
    return action == Action::delete_service || action == Action::delete_real ? '-' : '~';
}

std::string text_of(Changes const& changes, ApplyOutput const& output, bool colour) {
    auto const verb = output.dry_run ? "would change" : "changed";
    std::string text;
    for (auto const& change : changes.marks) {
        text += fmt::format("{}: {} mangle table {}: rules {} -> {}\n", output.who, title(change.family), verb,
                            rule_count(change.before), rule_count(change.after));
        if (!output.dry_run)
            continue;
        auto const lines = difference(change);
        for (auto const& line : lines.removed)
            text += coloured("\x1b[31m", '-', line, colour);
        for (auto const& line : lines.added)
            text += coloured("\x1b[32m", '+', line, colour);
    }
    if (!changes.services.empty())
        text += fmt::format("{}: IPVS {}: writes {}\n", output.who, verb, changes.services.size());
    if (output.dry_run)
        for (auto const& change : changes.services)
            text += coloured(colour_of(change.action), sign_of(change.action), change.str(), colour);
    for (auto const& setting : changes.settings)
        text += fmt::format("{}: {}{}\n", output.who, output.dry_run ? "would " : "", setting);
    return text.empty() ? fmt::format("{}: nothing differs, nothing written\n", output.who) : text;
}

std::string_view slug_of(IpvsChange::Action action) {
    using Action = IpvsChange::Action;
    switch (action) {
    case Action::add_service: return "add-service";
    case Action::edit_service: return "edit-service";
    case Action::delete_service: return "delete-service";
    case Action::add_real: return "add-real";
    case Action::edit_real: return "edit-real";
    case Action::delete_real: break;
    }
    return "delete-real";
}

Json json_of(IpvsChange const& change) {
    Json object = {
        {"action", slug_of(change.action)}, {"family", to_string(change.key.family)}, {"mark", change.key.mark.value}};
    if (change.action >= IpvsChange::Action::add_real) {
        object["real"] = {{"address", change.real.address.str()}, {"port", change.real.port.value}};
        if (change.action != IpvsChange::Action::delete_real)
            object["real"]["weight"] = change.real.weight;
    } else if (change.action != IpvsChange::Action::delete_service)
        object["scheduler"] = change.parameters.scheduler;
    object["text"] = change.str();
    return object;
}

Json json_of(FamilyChange const& change) {
    auto const lines = difference(change);
    return {{"family", to_string(change.family)},
            {"rules_before", rule_count(change.before)},
            {"rules_after", rule_count(change.after)},
            {"removed", lines.removed},
            {"added", lines.added}};
}

Json head(ApplyOutput const& output, std::string_view outcome) {
    return {{"who", output.who}, {"dry_run", output.dry_run}, {"outcome", outcome}};
}

std::string dump(Json const& object) { return object.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

std::string json_of(Changes const& changes, ApplyOutput const& output) {
    auto object = head(output, changes.empty() ? "unchanged" : output.dry_run ? "would-change" : "changed");
    auto const listed = [](auto const& items) {
        auto list = Json::array();
        for (auto const& item : items)
            list.push_back(json_of(item));
        return list;
    };
    object["marks"] = listed(changes.marks);
    object["services"] = listed(changes.services);
    object["settings"] = changes.settings;
    object["notes"] = changes.notes;
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
    case ApplyFailure::Outcome::taken_back: return {Status::taken_back, "taken-back", "what was done is taken back"};
    case ApplyFailure::Outcome::left_behind: break;
    }
    return {Status::left_behind, "left-behind", "it could not all be taken back, and this is left:"};
}

/// "site.lb:12:5: ", where the failure has a place.
std::string place_of(SystemError const& error, Sources const* sources) {
    if (!error.place || sources == nullptr)
        return {};
    auto const position = sources->position(*error.place);
    return fmt::format("{}:{}:{}: ", (*sources)[error.place->file].name(), position.line, position.column);
}

} // namespace

void print_changes(Changes const& changes, ApplyOutput const& output, Environment const& environment) {
    environment.out << (output.json ? json_of(changes, output) : text_of(changes, output, environment.colour_out));
    if (output.json)
        return;
    for (auto const& note : changes.notes)
        environment.err << fmt::format("{}: note: {}\n", output.who, note);
}

Status print_apply_failure(ApplyFailure const& failure, Sources const* sources, ApplyOutput const& output,
                           Environment const& environment) {
    auto const words = words_of(failure.outcome);
    auto const message = place_of(failure.error, sources) + failure.error.message;
    print_failure(environment, fmt::format("{}; {}", message, words.said));
    for (auto const& line : failure.left)
        environment.err << "  " << line << '\n';
    if (output.json) {
        auto object = head(output, words.slug);
        object["error"] = message;
        object["left"] = failure.left;
        environment.out << dump(object);
    }
    return words.status;
}

} // namespace lbc
