#include "cli/input/read_dump.hpp"

#include "backends/nft/nft_ruleset.hpp"
#include "backends/nft/read_nft_json.hpp"
#include "backends/restore/read_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <ranges>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t longest_dump = std::size_t{64} << 20;
constexpr std::size_t most_notes = 3; // of one file

bool is_of_nftables(Ruleset const& table) { return table.shape != nullptr; }

std::string failure(std::string const& path, TextProblem const& problem) {
    return problem.line == 0 ? fmt::format("{}: {}", path, problem.message)
                             : fmt::format("{}:{}: {}", path, problem.line, problem.message);
}

/// Adds tables of nftables to both families, beside those of iptables.
std::expected<void, std::string> add_json(FamilyRules& dump, std::string const& path, std::string const& text) {
    auto const tables = read_nft_json(text);
    if (!tables)
        return std::unexpected(fmt::format("{}: {}", path, tables.error()));
    for (auto const family : families) {
        auto& place = dump[index_of(family)];
        if (!place)
            place.emplace(family);
        if (std::ranges::any_of(place->tables, is_of_nftables))
            return std::unexpected(fmt::format("{}: there are rules of nftables from another file already", path));
        RuleBudget budget;
        for (auto const& table : *tables)
            if (auto rules = ruleset_of(table, family, budget))
                place->tables.push_back(std::move(*rules));
    }
    return {};
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

} // namespace

DumpReader::Done DumpReader::add_text(FamilyRules& dump, std::string const& path, std::string const& text,
                                      Family family) {
    auto& place = dump[index_of(family)];
    if (place && (place->tables.empty() || std::ranges::any_of(place->tables, std::not_fn(is_of_nftables))))
        return std::unexpected(fmt::format("{}: there are {} rules from another file already{}", path, title(family),
                                           family == Family::ipv4 ? "; -6 says that a file is of ip6tables-save" : ""));
    auto saved = read_saved_tables(text, family);
    if (!saved)
        return std::unexpected(failure(path, saved.error()));
    for (auto const& note : saved->notes | std::views::take(most_notes))
        notes_.push_back(failure(path, note));
    if (saved->notes.size() > most_notes)
        notes_.push_back(fmt::format("{}: the like of {} more lines", path, saved->notes.size() - most_notes));
    if (!place)
        place.emplace(family);
    std::ranges::move(saved->rules.tables, std::back_inserter(place->tables));
    return {};
}

DumpReader::Done DumpReader::add_script(FamilyRules& dump, std::string const& path, std::string const& text,
                                        std::string const& director) {
    for (auto const family : families) {
        auto const tables = tables_in_script(text, director, family);
        if (!tables)
            return std::unexpected(failure(path, tables.error()));
        if (auto added = add_text(dump, path, *tables, family); !added)
            return added;
    }
    return {};
}

DumpReader::Done DumpReader::add_file(FamilyRules& dump, std::string const& path, FileText const& read,
                                      std::optional<Family> family, std::string const& director) {
    if (!read)
        return std::unexpected(fmt::format("cannot read `{}`: {}", path, read.error().words));
    auto const& text = *read;
    if (is_nft_json(text))
        return add_json(dump, path, text);
    if (is_rules_script(text)) {
        if (family)
            return std::unexpected(fmt::format("{}: a script has the rules of both families", path));
        return add_script(dump, path, text, director);
    }
    if (is_blank(text)) {
        family = family.value_or(dump[index_of(Family::ipv4)] ? Family::ipv6 : Family::ipv4);
        notes_.push_back(
            fmt::format("{}: there is nothing in it, as of a box that has no {} rules", path, title(*family)));
    }
    auto const told = family_of_tables(text);
    if (family && told && *family != *told)
        return std::unexpected(fmt::format("{}: this is of {}, not of {}", path, title(*told), title(*family)));
    return add_text(dump, path, text, family ? *family : told.value_or(Family::ipv4));
}

DumpReader::Done DumpReader::add(FamilyRules& dump, std::string const& path, std::optional<Family> family,
                                 std::string const& director) {
    return add_file(dump, path, files_.read(path, longest_dump), family, director);
}

std::expected<FamilyRules, std::string> DumpReader::read_folder(std::string const& folder,
                                                                std::string const& director) {
    FamilyRules dump;
    auto const add_named = [&](std::string const& file, std::optional<Family> family) -> Done {
        auto const name = fmt::format("{}/{}", director, file);
        auto const text = files_.read_below(folder, name, longest_dump);
        if (!text && text.error().kind == FileProblem::Kind::missing)
            return {};
        auto const path = fmt::format("{}/{}", folder, name);
        if (!family && text && is_blank(*text))
            return std::unexpected(fmt::format("{}: there is nothing in it", path));
        return add_file(dump, path, text, family, director);
    };
    for (auto const& [file, family] :
         {std::pair("iptables.rules", std::optional(Family::ipv4)),
          std::pair("ip6tables.rules", std::optional(Family::ipv6)), std::pair("nft.json", std::optional<Family>())})
        if (auto added = add_named(file, family); !added)
            return std::unexpected(added.error());
    if (!dump[0] && !dump[1])
        return std::unexpected(
            fmt::format("`{}` has no rules of `{}`: it is to have {}/iptables.rules, as iptables-save "
                        "prints them there, and ip6tables.rules, or nft.json of `nft -j list ruleset`",
                        folder, director, director));
    return dump;
}

} // namespace lbc
