// Classifies what the statements of a rule do with the packets that match, whatever these are. Private to this folder.
#pragma once

#include "backends/nft/nft_rule.hpp"

#include <algorithm>
#include <span>
#include <type_traits>

namespace lbc {

using Statements = std::span<NftStatement const>;

/// Whether a statement leaves the packet and its connection alone.
[[nodiscard]] inline bool is_pass(NftStatement const& statement) {
    auto const* pass = std::get_if<Continue>(&statement);
    return pass != nullptr && !pass->untracks;
}

/// Drops the trailing statements that leave packets alone: behind the last effect, they make no difference.
[[nodiscard]] inline Statements without_passes(Statements statements) {
    while (statements.size() > 1 && is_pass(statements.back()))
        statements = statements.first(statements.size() - 1);
    return statements;
}

[[nodiscard]] inline Target target_of(NftStatement const& effect) {
    return std::visit(
        []<typename T>(T const& one) -> Target {
            if constexpr (std::is_constructible_v<Target, T>)
                return one;
            else
                return UnknownTarget{};
        },
        effect);
}

/// Whether the rule continues behind a statement or target.
[[nodiscard]] bool goes_on(auto const& effect) {
    return std::holds_alternative<SetMark>(effect) || std::holds_alternative<UnknownMark>(effect) ||
           std::holds_alternative<SetConnectionMark>(effect) || std::holds_alternative<RestoreMark>(effect) ||
           std::holds_alternative<Continue>(effect);
}

/// Whether no packet reaches the next rule.
[[nodiscard]] inline bool ends(Statements statements) {
    auto const last = std::ranges::find_if_not(statements, [](auto const& one) { return goes_on(one); });
    return last != statements.end() && !std::holds_alternative<NftMatch>(*last) &&
           !std::holds_alternative<NftMapMark>(*last) && !std::holds_alternative<NftVerdicts>(*last) &&
           !std::holds_alternative<Jump>(*last);
}

/// Whether a rule may set a mark: of a connection, or of a packet that another rule saves.
[[nodiscard]] inline bool may_set_marks(NftState const& table) {
    constexpr auto sets = []<typename T>(T const& /*statement*/) {
        return std::is_same_v<T, SetMark> || std::is_same_v<T, NftMapMark> || std::is_same_v<T, RestoreMark> ||
               std::is_same_v<T, SetConnectionMark> || std::is_same_v<T, UnknownMark> ||
               std::is_same_v<T, UnknownTarget>;
    };
    return std::ranges::any_of(table.chains, [&](NftChain const& chain) {
        return std::ranges::any_of(chain.rules, [&](NftRule const& rule) {
            return std::ranges::any_of(rule.statements,
                                       [&](NftStatement const& statement) { return std::visit(sets, statement); });
        });
    });
}

} // namespace lbc
