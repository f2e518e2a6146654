#include "cli/dumps.hpp"

#include "backends/nft/nft_ruleset.hpp"
#include "backends/nft/read_nft_json.hpp"
#include "backends/restore/read_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t longest_dump = std::size_t{64} << 20;

bool is_of_nftables(Ruleset const& table) { return table.shape != nullptr; }

std::string failure(std::string const& path, TextProblem const& problem) {
    return problem.line == 0 ? fmt::format("{}: {}", path, problem.message)
                             : fmt::format("{}:{}: {}", path, problem.line, problem.message);
}

std::expected<void, std::string> add_text(Dump& dump, std::string const& path, std::string const& text, Family family) {
    auto& place = dump[index_of(family)];
    if (place && (place->tables.empty() || std::ranges::any_of(place->tables, std::not_fn(is_of_nftables))))
        return std::unexpected(fmt::format("{}: there are {} rules from another file already{}", path, title(family),
                                           family == Family::ipv4 ? "; -6 says that a file is of ip6tables-save" : ""));
    auto tables = read_tables(text, family);
    if (!tables)
        return std::unexpected(failure(path, tables.error()));
    if (!place)
        place.emplace(family);
    std::ranges::move(tables->tables, std::back_inserter(place->tables));
    return {};
}

/// Tables of nftables are of both families, and stand beside those of iptables.
std::expected<void, std::string> add_json(Dump& dump, std::string const& path, std::string const& text) {
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

std::expected<void, std::string> add_script(Dump& dump, std::string const& path, std::string const& text,
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

bool is_blank(std::string_view text) { return text.find_first_not_of(" \n") == std::string_view::npos; }

std::expected<void, std::string> add_file(Dump& dump, std::string const& path, FileText const& read,
                                          std::optional<Family> family, std::string const& director,
                                          bool may_be_blank) {
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
    if (is_blank(text) && !may_be_blank)
        return std::unexpected(fmt::format("{}: there is nothing in it", path));
    auto const told = family_of_tables(text);
    if (family && told && *family != *told)
        return std::unexpected(fmt::format("{}: this is of {}, not of {}", path, title(*told), title(*family)));
    return add_text(dump, path, text, family ? *family : told.value_or(Family::ipv4));
}

} // namespace

std::expected<void, std::string> add_dump(Dump& dump, std::string const& path, std::optional<Family> family,
                                          std::string const& director, FileReader& files) {
    return add_file(dump, path, files.read(path, longest_dump), family, director, false);
}

std::expected<Dump, std::string> read_dumps(std::string const& folder, std::string const& director, FileReader& files) {
    Dump dump;
    auto const add = [&](std::string const& file, std::optional<Family> family) -> std::expected<void, std::string> {
        auto const name = fmt::format("{}/{}", director, file);
        auto const text = files.read_below(folder, name, longest_dump);
        if (!text && text.error().kind == FileProblem::Kind::missing)
            return {};
        // A box that has no tables of a family has nothing to save.
        return add_file(dump, fmt::format("{}/{}", folder, name), text, family, director, family.has_value());
    };
    for (auto const& [file, family] :
         {std::pair("iptables.rules", std::optional(Family::ipv4)),
          std::pair("ip6tables.rules", std::optional(Family::ipv6)), std::pair("nft.json", std::optional<Family>())})
        if (auto added = add(file, family); !added)
            return std::unexpected(added.error());
    if (!dump[0] && !dump[1])
        return std::unexpected(
            fmt::format("`{}` has no rules of `{}`: it is to have {}/iptables.rules, as iptables-save "
                        "prints them there, and ip6tables.rules, or nft.json of `nft -j list ruleset`",
                        folder, director, director));
    return dump;
}

} // namespace lbc
