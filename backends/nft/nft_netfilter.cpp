#include "backends/nft/nft_netfilter.hpp"

#include "backends/nft/libnftables.hpp"
#include "backends/nft/nft_json.hpp"
#include "backends/nft/nft_present.hpp"
#include "backends/nft/nft_ruleset.hpp"
#include "backends/nft/read_nft_json.hpp"
#include "backends/nft/variant_lines.hpp"
#include "backends/os/run_program.hpp"
#include "backends/restore/read_tables.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t longest_save = std::size_t{64} << 20;
constexpr std::chrono::seconds patience{60};

/// Whether iptables-nft may have made a table that lbc cannot represent: it uses the names of the legacy tables.
bool may_be_of_iptables(NftState const& table) {
    static constexpr std::array<std::string_view, 5> names{"raw", "mangle", "nat", "filter", "security"};
    return (table.family == "ip" || table.family == "ip6") && std::ranges::find(names, table.name) != names.end() &&
           !is_known(table);
}

/// Whether a name is a single word in a text of iptables-nft-save, which prints names as they are.
bool is_one_word(std::string_view name) {
    return std::ranges::all_of(name,
                               [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\'' && c != '\\'; });
}

/// Whether a text of iptables-nft-save represents a table's rules: its names are words, and each chain has as many
/// rules as nft listed. A line break in a name makes a line, and a blank an option, that no rule has.
bool tells(Ruleset const& saved, NftState const& table) {
    if (std::ranges::any_of(saved.chains, [&](Chain const& chain) {
            return !chain.rules.empty() &&
                   std::ranges::find(table.chains, chain.name, &NftChain::name) == table.chains.end();
        }))
        return false;
    return std::ranges::all_of(table.chains, [&](NftChain const& chain) {
        auto const* found = saved.find(chain.name);
        auto const rules = found == nullptr ? 0 : std::ranges::count_if(found->rules, [](Rule const& rule) {
            auto const* drop = std::get_if<Drop>(&rule.then);
            return drop == nullptr || !drop->is_policy;
        });
        auto const is_plain = [](NftRule const& rule) {
            return std::ranges::all_of(rule.statements, [](NftStatement const& part) {
                auto const* match = std::get_if<NftMatch>(&part);
                return match == nullptr || std::ranges::all_of(match->interfaces, [](InterfacePattern const& one) {
                           return is_one_word(one.str());
                       });
            });
        };
        return is_one_word(chain.name) && std::ranges::all_of(chain.rules, is_plain) &&
               static_cast<std::size_t>(rules) == chain.rules.size();
    });
}

/// Whether a text of iptables-nft-save has only chains and rules in its tables. The rest of a name behind a line break
/// is neither.
bool has_whole_lines(std::string_view saved) {
    bool is_in_table = false;
    while (!saved.empty()) {
        auto const [line, is_broken] = take_saved_line(saved);
        bool const is_part = line.starts_with(':') || line.starts_with("-A ");
        bool const is_outside = line.empty() || line.starts_with('#') || line.starts_with('*');
        if (is_broken || !(is_in_table ? is_part || line == "COMMIT" : is_outside))
            return false;
        is_in_table = is_in_table ? line != "COMMIT" : line.starts_with('*');
    }
    return true;
}

/// The tables that iptables-nft-save prints. Nothing if it is not installed, or cannot represent one of them.
std::optional<Netfilter> saved_tables(Family family) {
    auto const* program = family == Family::ipv4 ? "iptables-nft-save" : "ip6tables-nft-save";
    auto const saved = run_program({.words = {program}, .limit = longest_save, .patience = patience});
    if (!saved || !saved->good() || !has_whole_lines(saved->out))
        return std::nullopt;
    auto tables = read_tables(saved->out, family);
    return tables ? std::optional(std::move(*tables)) : std::nullopt;
}

/// Replaces the rules by those of the saved table with the same name; the hooks stay.
void take_rules(Ruleset& table, NftState const& listed, Netfilter const& saved) {
    auto const name = std::string_view(table.table).substr(table.table.find(' ') + 1);
    auto const found = std::ranges::find(saved.tables, name, &Ruleset::table);
    if (found == saved.tables.end() || !tells(*found, listed))
        return;
    table.chains = found->chains;
    table.sets = found->sets;
}

constexpr std::string_view reading = "cannot read the rules of nftables";

using States = std::expected<std::vector<NftState>, SystemError>;

/// nft's JSON leaves out a text that is no UTF-8, silently if it is one of several in a set; nft's own language has it.
States read_listing(Libnftables& nft, std::string const& command) {
    auto const failed = [](std::string_view why) {
        return std::unexpected(SystemError{SystemError::Kind::failed, 0, fmt::format("{}: {}", reading, why)});
    };
    auto const text = nft.run(command, NftRun::list, reading);
    if (!text)
        return std::unexpected(text.error());
    if (!is_utf8(*text))
        return failed("there are names that are no UTF-8");
    auto const listed = nft.run(command, NftRun::json, reading);
    if (!listed)
        return std::unexpected(listed.error());
    auto tables = read_nft_json(*listed);
    return tables ? States(std::move(*tables)) : failed(tables.error());
}

/// A table of which nothing is known: it may do anything to every packet.
NftState unread(NftTableName const& table) {
    NftState state{table.family, table.name, {}, {}};
    UnknownTarget const anything{
        fmt::format("the table {} {}, which cannot be listed", table.family, on_one_line(table.name))};
    for (auto const* hook : {"prerouting", "output"})
        state.chains.push_back(
            NftChain{hook, NftBase{"filter", hook, std::numeric_limits<int>::min()}, {NftRule{{anything}}}});
    return state;
}

bool is_denied(States const& states) { return !states && states.error().kind == SystemError::Kind::permission; }

/// Reads each table that can be listed; the others become `unread`. No hook calls the chains of a dormant table.
States read_each(Libnftables& nft, std::vector<NftTableName> const& tables) {
    std::vector<NftState> states;
    for (auto const& table : tables) {
        if (table.is_dormant() || table.family == "arp")
            continue;
        bool const can_be_named = table.flags == 0 && is_identifier(table.name);
        auto read = can_be_named ? read_listing(nft, fmt::format("list table {} {}", table.family, table.name))
                                 : States(std::vector{unread(table)});
        if (is_denied(read))
            return read;
        if (read)
            std::ranges::move(*read, std::back_inserter(states));
        else
            states.push_back(unread(table));
    }
    return states;
}

/// nft up to 1.0.9 prints a table with flags as broken text, and may end its process.
States read_all(Libnftables& nft, std::vector<NftTableName> const& tables) {
    if (std::ranges::all_of(tables, [](NftTableName const& one) { return one.flags == 0; }))
        if (auto read = read_listing(nft, "list ruleset"); read || is_denied(read))
            return read;
    return read_each(nft, tables);
}

} // namespace

std::expected<NftRulesets, SystemError> read_nft_netfilter() {
    auto const present = list_nft_tables();
    if (!present)
        return std::unexpected(present.error());
    NftRulesets rulesets;
    if (present->empty())
        return rulesets;
    Libnftables nft;
    auto const tables = read_all(nft, *present);
    if (!tables)
        return std::unexpected(tables.error());
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
                    take_rules(*rules, table, **saved);
            }
            rulesets[index_of(family)].push_back(std::move(*rules));
        }
    }
    return rulesets;
}

} // namespace lbc
