// Error recovery of the grammar: reports what is wrong and where, skips to where the next statement can begin, and
// continues. Private to `grammar.cpp`.
#pragma once

#include "grammar/tree_builder.hpp"

#include <boost/spirit/home/x3.hpp>

#include <string>
#include <string_view>

namespace lbc::recovery {

namespace x3 = boost::spirit::x3;

/// The state that the parts of the grammar share during a run.
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

/// The most syntax errors that are reported for one file, so that a file that is not a site file does not give millions
/// of messages.
inline constexpr std::size_t max_syntax_errors = 200;

/// Reports bytes and characters that cannot stand in a text, from the byte `from` on.
void report_stray(State& state, std::size_t from);

/// Refuses a word that is too long; `text` includes the quotes of a string. If the word holds a stray character, which
/// is already reported, its statement is marked broken and causes no further messages.
void check_word(State& state, ast::Word::Kind kind, std::string_view text);

/// Reports that `expected` was not found at `where`; `end` is the end of the text.
void report(State& state, std::string_view expected, char const* where, char const* end);

/// Where parsing continues after an error at `where`.
[[nodiscard]] char const* next_statement(State const& state, std::string_view expected, char const* where,
                                         char const* end);

/// Whether a statement that cannot stand in a block begins at `at`, no further right than the statement whose block is
/// open. If so, the `}` of that block is missing.
[[nodiscard]] bool begins_declaration(State const& state, char const* at);

/// `recover[p]`: parses p. If an expectation in p fails, it reports that and continues behind it. The statement that p
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
