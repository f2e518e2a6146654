#include "backends/nft/nft_netfilter.hpp"

#include "backends/nft/libnftables.hpp"
#include "backends/nft/nft_present.hpp"
#include "backends/nft/nft_ruleset.hpp"
#include "backends/nft/read_nft_json.hpp"
#include "backends/restore/read_tables.hpp"
#include "backends/run_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t longest_save = std::size_t{64} << 20;
constexpr std::chrono::seconds patience{60};

/// Whether iptables-nft may have made a table: it calls them as the legacy ones are called.
bool may_be_of_iptables(NftState const& table) {
    static constexpr std::array<std::string_view, 5> names{"raw", "mangle", "nat", "filter", "security"};
    return (table.family == "ip" || table.family == "ip6") && std::ranges::find(names, table.name) != names.end() &&
           !is_known(table);
}

/// What iptables-nft-save has of its tables. Nothing where it is not there, or has no words for one of them.
std::optional<Netfilter> saved_tables(Family family) {
    auto const* program = family == Family::ipv4 ? "iptables-nft-save" : "ip6tables-nft-save";
    auto const saved = run_program({.words = {program}, .limit = longest_save, .patience = patience});
    if (!saved || !saved->good())
        return std::nullopt;
    auto tables = read_tables(saved->out, family);
    return tables ? std::optional(std::move(*tables)) : std::nullopt;
}

/// The rules of the one with the name and the hooks of the other.
void take_rules(Ruleset& table, Netfilter const& saved) {
    auto const name = std::string_view(table.table).substr(table.table.find(' ') + 1);
    auto const found = std::ranges::find(saved.tables, name, &Ruleset::table);
    if (found == saved.tables.end())
        return;
    table.chains = found->chains;
    table.sets = found->sets;
}

} // namespace

std::expected<NftRulesets, SystemError> read_nft_netfilter() {
    auto const has_tables = ask_for_nft_tables();
    if (!has_tables)
        return std::unexpected(has_tables.error());
    NftRulesets rulesets;
    if (!*has_tables)
        return rulesets;
    constexpr std::string_view reading = "cannot read the rules of nftables";
    auto const listed = Libnftables().run("list ruleset", NftRun::json, reading);
    if (!listed)
        return std::unexpected(listed.error());
    auto const tables = read_nft_json(*listed);
    if (!tables)
        return std::unexpected(
            SystemError{SystemError::Kind::failed, 0, fmt::format("{}: {}", reading, tables.error())});
    for (auto const family : families) {
        std::optional<std::optional<Netfilter>> saved;
        RuleBudget budget;
        for (auto const& table : *tables) {
            auto rules = ruleset_of(table, family, budget);
            if (!rules)
                continue;
            if (may_be_of_iptables(table)) {
                if (!saved)
                    saved = saved_tables(family);
                if (*saved)
                    take_rules(*rules, **saved);
            }
            rulesets[index_of(family)].push_back(std::move(*rules));
        }
    }
    return rulesets;
}

} // namespace lbc
