#include "backends/iptables/legacy_words.hpp"

#include "backends/os/run_program.hpp"
#include "backends/restore/read_tables.hpp"

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <variant>

namespace lbc {
namespace {

constexpr std::size_t longest_listing = std::size_t{64} << 20;
constexpr std::chrono::seconds listing_patience{10};

template <typename T, typename... Others>
constexpr bool is_one_of = (std::is_same_v<std::remove_const_t<T>, Others> || ...);

/// The text of a target that lbc does not know, or not all of; null if lbc knows it.
template <typename AnyTarget> // Target, or a constant one
auto* words_of(AnyTarget& target) {
    using Words = std::conditional_t<std::is_const_v<AnyTarget>, std::string const, std::string>;
    return std::visit(
        []<typename T>(T& one) -> Words* {
            if constexpr (is_one_of<T, UnknownTarget, UnknownMark, SetConnectionMark, RestoreMark, Dnat>)
                return &one.name;
            else
                return nullptr;
        },
        target);
}

bool lacks_words(Rule const& rule) { return !rule.when.unknown.empty() || words_of(rule.then) != nullptr; }

/// A copy of a rule without the text of its unknown parts.
Rule without_words(Rule rule) {
    rule.when.unknown = rule.when.unknown.empty() ? "" : "?";
    if (auto* words = words_of(rule.then))
        words->clear();
    return rule;
}

/// Whether rules have parts of which lbc knows only the bytes.
bool lacks_words(Netfilter const& rules) {
    return std::ranges::any_of(rules.tables, [](Ruleset const& table) {
        return std::ranges::any_of(table.chains, [](Chain const& chain) {
            return std::ranges::any_of(chain.rules, [](Rule const& rule) { return lacks_words(rule); });
        });
    });
}

} // namespace

void take_legacy_words(Netfilter& rules, std::string_view saved) {
    auto const text = read_tables(saved, rules.family);
    if (!text)
        return;
    for (auto& table : rules.tables) {
        auto const same = std::ranges::find(text->tables, table.table, &Ruleset::table);
        if (same == text->tables.end())
            continue;
        for (auto& chain : table.chains) {
            auto const* worded = same->find(chain.name);
            if (worded == nullptr || worded->rules.size() != chain.rules.size())
                continue;
            for (std::size_t i = 0; i < chain.rules.size(); ++i)
                if (auto const& rule = worded->rules[i]; without_words(rule) == without_words(chain.rules[i]))
                    chain.rules[i] = rule;
        }
    }
}

void ask_for_legacy_words(Netfilter& rules) {
    if (!lacks_words(rules))
        return;
    auto const* program = rules.family == Family::ipv4 ? "iptables-legacy-save" : "ip6tables-legacy-save";
    auto const saved = run_program({.words = {program}, .limit = longest_listing, .patience = listing_patience});
    if (saved && saved->good())
        take_legacy_words(rules, saved->out);
}

} // namespace lbc
