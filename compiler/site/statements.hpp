// Reads a block according to a table of its statements: how often each may occur, whether it has a block, and the
// function that reads its words. "Did you mean" and the test of the language reference use the same table.
#pragma once

#include "compiler/base/small_vector.hpp"
#include "compiler/site/arguments.hpp"
#include "grammar/grammar.hpp"
#include "grammar/spell.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lbc {

enum class Occurs : std::uint8_t { once, required, repeated };
enum class Block : std::uint8_t { none, optional, required };

template <typename Target>
struct StatementRule {
    std::string_view keyword;
    Occurs occurs = Occurs::once;
    Block block = Block::none;
    void (*read)(Arguments&, Target&) = nullptr;
};

/// The state that all readers share.
struct Reading {
    Lets& lets;
    Diagnostics& diagnostics;
};

/// Whether a statement has a block as its rule requires; reports it if not.
[[nodiscard]] inline bool check_block(ast::Node const& node, Block block, Diagnostics& diagnostics) {
    if (node.broken())
        return true;
    if (block == Block::required && !node.has_block())
        diagnostics.report(DiagId::missing_block, node.span(), "`{}` needs a block: `{} … {{ … }}`", node.keyword(),
                           node.keyword());
    else if (block == Block::none && node.has_block())
        diagnostics.report(DiagId::unexpected_block, node.keyword_span(), "`{}` has no block", node.keyword());
    else
        return true;
    return false;
}

inline void report_unknown_statement(ast::Node const& node, std::string_view place,
                                     std::span<std::string_view const> keywords, Diagnostics& diagnostics) {
    if (node.keyword().empty() || node.words()[0].kind() != ast::Word::Kind::bare) {
        if (!node.broken())
            diagnostics.report(DiagId::syntax, node.keyword_span(), "a statement begins with a word without quotes");
        return;
    }
    if (node.keyword().size() > longest_word)
        return; // which is already reported
    diagnostics.report(DiagId::unknown_statement, node.keyword_span(), "{} has no statement `{}`{}", place,
                       node.keyword(), did_you_mean(node.keyword(), keywords));
}

template <typename Target, std::size_t size>
constexpr std::array<std::string_view, size> keywords_of(std::array<StatementRule<Target>, size> const& rules) {
    std::array<std::string_view, size> keywords;
    std::ranges::transform(rules, keywords.begin(), &StatementRule<Target>::keyword);
    return keywords;
}

/// A statement and the index of its rule in the table.
struct Ruled {
    std::uint32_t rule = 0;
    std::uint32_t order = 0; // position in the block
    ast::Node node;

    friend bool operator<(Ruled const& a, Ruled const& b) {
        return a.rule != b.rule ? a.rule < b.rule : a.order < b.order;
    }
};
using RuledStatements = SmallVector<Ruled, 16>;

/// The statements whose keyword is one of `keywords`, in the order of those; reports the others. Clears `good` if one
/// is broken or unknown.
template <typename Nodes>
RuledStatements by_rule(Nodes const& nodes, std::span<std::string_view const> keywords, std::string_view place,
                        Diagnostics& diagnostics, bool& good) {
    RuledStatements statements;
    for (ast::Node const node : nodes) {
        good = good && !node.broken();
        auto const found = std::ranges::find(keywords, node.keyword());
        if (found == keywords.end()) {
            report_unknown_statement(node, place, keywords, diagnostics);
            good = false;
            continue;
        }
        statements.push_back({static_cast<std::uint32_t>(found - keywords.begin()),
                              static_cast<std::uint32_t>(statements.size()), node});
    }
    if (!std::is_sorted(statements.begin(), statements.end()))
        std::sort(statements.begin(), statements.end());
    return statements;
}

/// Reads `nodes` into `target` with a table of `StatementRule`s. `owner` is the statement whose block they are; `place`
/// names it: "a service". Statements are read in the order of the rules, so that a rule can rely on those above it;
/// messages are sorted by place all the same. Returns whether all could be read.
template <auto const& rules, typename Nodes, typename Target>
bool read_statements(Nodes const& nodes, ast::Node const& owner, std::string_view place, Reading reading,
                     Target& target) {
    static constexpr auto keywords = keywords_of(rules);
    auto good = !owner.broken();
    auto const statements = by_rule(nodes, keywords, place, reading.diagnostics, good);
    Ruled const* first = nullptr; // the first statement of the same rule
    for (auto const& statement : statements) {
        auto const& rule = rules[statement.rule];
        auto const& node = statement.node;
        if (first == nullptr || first->rule != statement.rule) {
            first = &statement;
        } else if (rule.occurs == Occurs::once) {
            reading.diagnostics
                .report(DiagId::duplicate_statement, node.keyword_span(), "`{}` stands here twice", rule.keyword)
                .note(first->node.span(), "the first one");
            continue;
        }
        Arguments arguments(node, reading.lets, keywords, reading.diagnostics);
        if (!check_block(node, rule.block, reading.diagnostics)) {
            good = false;
            continue;
        }
        rule.read(arguments, target);
        arguments.finish();
        good = good && !arguments.failed();
    }
    std::vector<std::string_view> missing;
    for (std::size_t index = 0; index < rules.size(); ++index)
        if (rules[index].occurs == Occurs::required &&
            std::ranges::find(statements, index, &Ruled::rule) == statements.end())
            missing.push_back(rules[index].keyword);
    // After another mistake, the missing statement may have been meant there.
    if (good && !missing.empty())
        reading.diagnostics.report(DiagId::missing_statement, owner.span(), "{} needs `{}`", place,
                                   fmt::join(missing, "`, `"));
    return good && missing.empty();
}

} // namespace lbc
