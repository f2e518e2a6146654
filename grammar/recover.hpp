// What the grammar does about a syntax error: says what is wrong and where, skips to where the next statement can
// begin, and goes on. Private to `grammar.cpp`.
#pragma once

#include "grammar/tree_builder.hpp"

#include <boost/spirit/home/x3.hpp>

#include <string>
#include <string_view>

namespace lbc::recovery {

namespace x3 = boost::spirit::x3;

/// What the grammar's parts share during a run.
struct State {
    TreeBuilder& tree;
    Diagnostics& diagnostics;
    std::size_t errors = 0;
    bool unclosed_reported = false;
};
struct state_tag;

// The names that the grammar's expectations carry.
inline constexpr char const* expected_statement = "a statement";
inline constexpr char const* expected_value = "a value";
inline constexpr char const* expected_end = "the end of the statement";
inline constexpr char const* expected_brace = "`}`";

/// A file that is not a site file at all must not be worth millions of messages.
inline constexpr std::size_t max_syntax_errors = 200;

/// Reports what has no place in a text, from the byte `from` on.
void report_stray(State& state, std::size_t from);

/// Refuses a word that is too long; `text` has a string's quotes. What is not seen in it has been reported: then
/// nothing more is said of its statement.
void check_word(State& state, ast::Word::Kind kind, std::string_view text);

/// Reports that `expected` was not found at `where`; `end` is the end of the text.
void report(State& state, std::string_view expected, char const* where, char const* end);

/// Where parsing goes on after an error at `where`.
[[nodiscard]] char const* next_statement(State const& state, std::string_view expected, char const* where,
                                         char const* end);

/// Whether a statement that can only stand outside every block begins at `at`, no further right than the statement
/// whose block is open: then that block's `}` is what is missing.
[[nodiscard]] bool begins_declaration(State const& state, char const* at);

/// `recover[p]`: parses p; on a failed expectation in it, reports and goes on behind it. The statement that p has
/// opened keeps what was read and is marked broken.
template <typename Subject>
struct RecoverDirective : x3::unary_parser<Subject, RecoverDirective<Subject>> {
    static bool const is_pass_through_unary = true;

    constexpr explicit RecoverDirective(Subject const& wrapped)
        : x3::unary_parser<Subject, RecoverDirective<Subject>>(wrapped) {}

    template <typename Iterator, typename Context, typename RContext, typename Attribute>
    bool parse(Iterator& first, Iterator const& last, Context const& context, RContext& rcontext,
               Attribute& attribute) const {
        State& state = x3::get<state_tag>(context).get();
        auto const depth = state.tree.depth();
        auto const start = first;
        try {
            return this->subject.parse(first, last, context, rcontext, attribute);
        } catch (x3::expectation_failure<Iterator> const& failure) {
            auto where = failure.where();
            x3::skip_over(where, last, context);
            report(state, failure.which(), where, last);
            first = next_statement(state, failure.which(), where, last);
            state.tree.close_to(depth);
            return first != start;
        }
    }
};

struct RecoverGenerator {
    template <typename Subject>
    constexpr auto operator[](Subject const& parser) const {
        return RecoverDirective<typename x3::extension::as_parser<Subject>::value_type>(x3::as_parser(parser));
    }
};
inline constexpr RecoverGenerator recover{};

} // namespace lbc::recovery
