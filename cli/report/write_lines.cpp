#include "cli/report/write_lines.hpp"

#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

/// A ruleset as lines, each with the chain it stands in.
std::vector<std::string> lines_of(Ruleset const& rules) {
    std::vector<std::string> lines;
    for (auto const& set : rules.sets)
        for (auto const& entry : set.entries)
            lines.push_back(fmt::format("ipset: {},{}:{} skbmark {}", entry.address.str(),
                                        to_string(Protocol{entry.protocol}), entry.port.value, entry.mark.str()));
    for (auto const& chain : rules.chains) {
        lines.push_back(printable("-N " + chain.name));
        for (auto const& rule : chain.rules)
            lines.push_back(printable(fmt::format("-A {} {}", chain.name, to_string(rule))));
    }
    for (auto const& hook : rules.entry_jumps)
        lines.push_back(printable(fmt::format("-A {} {}", hook.builtin, to_string(hook.rule))));
    return lines;
}

/// The same for a table of nftables. The elements of a set are in no particular order.
std::vector<std::string> lines_of(NftState const& table) {
    std::vector<std::string> lines;
    for (auto const& set : table.sets) {
        lines.push_back(fmt::format("{} {} {{ {} }}", set.kind(), set.name, set.definition()));
        auto elements = set.elements;
        std::ranges::sort(elements);
        for (auto const& element : elements) {
            auto& line = lines.emplace_back(set.name + ": ");
            append_element(line, element, set.key, set.is_map);
        }
    }
    std::ranges::stable_sort(lines);
    auto chains = table.chains;
    std::ranges::sort(chains, {}, &NftChain::name);
    for (auto const& chain : chains)
        for (auto const& rule : chain.rules)
            lines.push_back(fmt::format("{}: {}", chain.name, to_string(rule)));
    return lines;
}

/// The places of a longest increasing subsequence. All numbers differ, except `not_in`, which stands for no number.
std::vector<bool> longest_rise(std::vector<std::size_t> const& numbers, std::size_t not_in) {
    std::vector<std::size_t> ends; // the place of the lowest number that ends a subsequence of each length
    std::vector<std::size_t> previous(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] == not_in)
            continue;
        auto const place =
            std::ranges::lower_bound(ends, numbers[i], {}, [&](std::size_t end) { return numbers[end]; });
        previous[i] = place == ends.begin() ? i : *std::prev(place);
        if (place == ends.end())
            ends.push_back(i);
        else
            *place = i;
    }
    std::vector<bool> rise(numbers.size());
    if (ends.empty())
        return rise;
    auto i = ends.back();
    for (; previous[i] != i; i = previous[i])
        rise[i] = true;
    rise[i] = true;
    return rise;
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

LineDifference difference_of(std::vector<std::string> const& before, std::vector<std::string> const& after) {
    auto const kept = kept_lines(before, after);
    LineDifference difference;
    for (std::size_t i = 0; i < before.size(); ++i)
        if (!kept.before[i])
            difference.removed.push_back(before[i]);
    for (std::size_t i = 0; i < after.size(); ++i)
        if (!kept.after[i])
            difference.added.push_back(after[i]);
    return difference;
}

template <typename Change>
std::string changed_lines(Change const& change, bool colour) {
    std::string text;
    auto const lines = line_difference(change);
    for (auto const& line : lines.removed)
        text += coloured("\x1b[31m", '-', line, colour);
    for (auto const& line : lines.added)
        text += coloured("\x1b[32m", '+', line, colour);
    return text;
}

template <typename Change>
Json change_json(std::string_view family, Change const& change) {
    auto const lines = line_difference(change);
    return {{"family", family},
            {"table", table_of(change)},
            {"rules_before", change.before.rule_count()},
            {"rules_after", change.after.rule_count()},
            {"removed", lines.removed},
            {"added", lines.added}};
}

} // namespace

KeptLines kept_lines(std::vector<std::string> const& before, std::vector<std::string> const& after) {
    // Of equal lines, the first of one side corresponds to the first of the other, and so on.
    std::map<std::string_view, std::vector<std::size_t>> places;
    for (auto i = after.size(); i-- > 0;)
        places[after[i]].push_back(i);
    std::vector<std::size_t> partners;
    for (auto const& line : before) {
        auto const found = places.find(line);
        auto const has_one = found != places.end() && !found->second.empty();
        partners.push_back(has_one ? found->second.back() : after.size());
        if (has_one)
            found->second.pop_back();
    }
    KeptLines kept{longest_rise(partners, after.size()), std::vector<bool>(after.size())};
    for (std::size_t i = 0; i < before.size(); ++i)
        if (kept.before[i])
            kept.after[partners[i]] = true;
    return kept;
}

LineDifference line_difference(FamilyChange const& change) {
    return difference_of(lines_of(change.before), lines_of(change.after));
}

LineDifference line_difference(NftChange const& change) {
    return difference_of(lines_of(change.before), lines_of(change.after));
}

std::string_view table_of(FamilyChange const& change) { return change.is_variant ? "iptables-nft mangle" : "mangle"; }
std::string_view table_of(NftChange const& /*change*/) { return "inet lbc"; }

std::string title_of(FamilyChange const& change) {
    return fmt::format("{} mangle table{}", title(change.family), change.is_variant ? " of iptables-nft" : "");
}
std::string title_of(NftChange const& /*change*/) { return "table inet lbc of nftables"; }

std::string write_lines(FamilyChange const& change, bool colour) { return changed_lines(change, colour); }
std::string write_lines(NftChange const& change, bool colour) { return changed_lines(change, colour); }

std::string write_line(IpvsChange const& change, bool colour) {
    return coloured(colour_of(change.action), sign_of(change.action), change.str(), colour);
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

Json json_of(FamilyChange const& change) { return change_json(to_string(change.family), change); }
Json json_of(NftChange const& change) { return change_json("inet", change); }

} // namespace lbc
