#include "grammar/grammar.hpp"

#include "grammar/recover.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace lbc {
namespace {

namespace x3 = boost::spirit::x3;
using recovery::recover;
using x3::char_;
using x3::eoi;
using x3::eps;
using x3::lexeme;
using x3::lit;
using x3::raw;

// Actions: they pass what was read to the tree builder, which the context carries.

constexpr auto tree = [](auto const& context) -> TreeBuilder& {
    return x3::get<recovery::state_tag>(context).get().tree;
};

template <ast::Word::Kind kind>
constexpr auto add_word = [](auto const& context) {
    recovery::State& state = x3::get<recovery::state_tag>(context).get();
    auto const& range = x3::_attr(context);
    state.tree.add_word(kind, range.begin(), range.end());
    recovery::check_word(state, kind, {range.begin(), range.end()});
};

constexpr auto add_comma = [](auto const& context) { tree(context).add_comma(); };
constexpr auto open_statement = [](auto const& context) { tree(context).open_statement(); };
constexpr auto close_statement = [](auto const& context) { tree(context).close_statement(); };
constexpr auto open_block = [](auto const& context) { tree(context).open_block(x3::_attr(context).begin()); };

constexpr auto bad_escape = [](auto const& context) {
    recovery::State& state = x3::get<recovery::state_tag>(context).get();
    auto const& range = x3::_attr(context);
    state.diagnostics.report(DiagId::bad_escape, state.tree.span(range.begin(), range.end()),
                             "`{}` is no escape; a string knows `\\\"`, `\\\\`, `\\n` and `\\t`",
                             std::string(range.begin(), range.end()));
};

constexpr auto unclosed_string = [](auto const& context) {
    recovery::State& state = x3::get<recovery::state_tag>(context).get();
    auto const& range = x3::_attr(context);
    state.diagnostics.report(DiagId::unclosed_string, state.tree.span(range.begin(), range.end()),
                             "this string is never closed; expected `\"` before the end of the line");
    state.tree.add_word(ast::Word::Kind::string, range.begin(), range.end());
    state.tree.mark_broken();
};

// A `{` on a line of its own: the previous statement adopts the block, so that nothing in it causes a further message.
constexpr auto adopt_block = [](auto const& context) {
    recovery::State& state = x3::get<recovery::state_tag>(context).get();
    auto const brace = x3::_attr(context).begin();
    state.diagnostics.report(DiagId::misplaced_block, state.tree.span(brace, brace + 1),
                             "`{{` stands alone; it belongs on the line of its statement");
    if (!state.tree.reopen_last()) {
        state.tree.open_statement();
        state.tree.mark_broken();
    }
};

constexpr auto is_not_declaration = [](auto const& context) {
    recovery::State const& state = x3::get<recovery::state_tag>(context).get();
    x3::_pass(context) = !recovery::begins_declaration(state, x3::_attr(context).begin());
};

// Tokens. Words are read loosely: the compiler decides whether one is an address or a number.

/// Matches the bytes up to `end_of(first, last)`, at least one. It is a separate parser for speed, since most bytes of
/// a file are matched by one of the two `Run`s.
template <auto end_of>
struct Run : x3::parser<Run<end_of>> {
    using attribute_type = x3::unused_type;
    static bool const has_attribute = false;

    template <typename Context, typename RContext, typename Attribute>
    bool parse(char const*& first, char const* const& last, Context const& /*context*/, RContext const& /*rcontext*/,
               Attribute& /*attribute*/) const {
        auto const* const start = first;
        first = end_of(first, last);
        return first != start;
    }
};

/// Blanks and comments.
constexpr auto end_of_blanks = [](char const* at, char const* last) {
    for (; at != last; ++at) {
        if (*at == '#')
            at = std::find(at, last, '\n');
        if (at == last || (*at != ' ' && *at != '\t' && *at != '\r'))
            break;
    }
    return at;
};
constexpr Run<end_of_blanks> blank;

/// The bytes that a word without quotes can have.
constexpr auto is_plain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x21; byte < plain.size(); ++byte)
        plain[byte] = byte != 0x7f && !std::string_view("{};,=\"#").contains(static_cast<char>(byte));
    return plain;
}();
constexpr auto end_of_plain = [](char const* at, char const* last) {
    return std::find_if_not(at, last, [](char c) { return is_plain[static_cast<unsigned char>(c)]; });
};
constexpr Run<end_of_plain> plain;

auto const string_start = lit('"') >> *(~char_("\"\\\n") | (lit('\\') >> ~char_('\n')));
auto const known_escape = lit('\\') >> char_("\"\\nt");
auto const string_character = ~char_("\"\\\n") | known_escape | raw[lit('\\') >> ~char_('\n')][bad_escape];
auto const closed_string = &(string_start >> '"') >> raw[lit('"') >> *string_character >> '"'];

auto const word =
    lexeme[raw[lit('$') >> -plain][add_word<ast::Word::Kind::variable>] | raw[plain][add_word<ast::Word::Kind::bare>] |
           closed_string[add_word<ast::Word::Kind::string>] | raw[lit('"') >> *(char_ - '\n')][unclosed_string]] |
    raw[lit('=')][add_word<ast::Word::Kind::equals>];

// Statements. The names of these rules are part of messages.

struct first_word_tag;
struct value_tag;
struct end_tag;
struct close_tag;
x3::rule<first_word_tag> const first_word = recovery::expected_statement;
x3::rule<value_tag> const value = recovery::expected_value;
x3::rule<end_tag> const end = recovery::expected_end;
x3::rule<close_tag> const close = recovery::expected_brace;

auto const first_word_def = word;
auto const value_def = word;
auto const end_def = char_(";\n") | &lit('}') | eoi;
auto const close_def = lit('}');

auto const line_breaks = *lit('\n');
auto const separators = *char_(";\n");
auto const words = x3::expect[first_word] >> *(word | (lit(',')[add_comma] >> line_breaks >> x3::expect[value]));

struct statement_0_tag;
struct statement_1_tag;
struct statement_2_tag;
struct statement_3_tag;
x3::rule<statement_0_tag> const statement_0 = "statement";
x3::rule<statement_1_tag> const statement_1 = "statement";
x3::rule<statement_2_tag> const statement_2 = "statement";
x3::rule<statement_3_tag> const statement_3 = "statement";

template <typename Inner>
auto block_of(Inner const& inner) {
    return raw[lit('{')][open_block] >> separators >>
           *(!lit('}') >> !eoi >> raw[eps][is_not_declaration] >> inner >> separators) >> x3::expect[close];
}

/// A statement that may have a block of `inner` statements; it ends with the `}` of the block.
template <typename Inner>
auto statement_of(Inner const& inner) {
    auto const block = block_of(inner);
    auto const alone = raw[&lit('{')][adopt_block] >> block >> eps[close_statement];
    auto const usual = eps[open_statement] >> words >> (block | x3::expect[end]) >> eps[close_statement];
    return recover[alone | usual];
}

static_assert(max_block_depth == 3, "one rule for each depth, so that no input makes the parser recurse");
auto const statement_0_def = statement_of(statement_1);
auto const statement_1_def = statement_of(statement_2);
auto const statement_2_def = statement_of(statement_3);
auto const statement_3_def = recover[eps[open_statement] >> words >> x3::expect[end] >> eps[close_statement]];

auto const file = separators >> *(!eoi >> statement_0 >> separators);

BOOST_SPIRIT_DEFINE(first_word, value, end, close, statement_0, statement_1, statement_2, statement_3)

} // namespace

ast::File parse(Sources const& sources, FileId id, Diagnostics& diagnostics) {
    auto const text = sources[id].text();
    TreeBuilder builder(sources[id]);
    recovery::State state{builder, diagnostics};
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    auto first = text.data() + (text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0);
    recovery::report_stray(state, static_cast<std::size_t>(first - text.data()));
    auto const last = text.data() + text.size();
    x3::phrase_parse(first, last, x3::with<recovery::state_tag>(std::ref(state))[file], blank);
    if (state.errors > recovery::max_syntax_errors)
        diagnostics.report(DiagId::syntax, builder.span(text.data(), text.data()),
                           "more than {} syntax errors; is this a site file?", recovery::max_syntax_errors);
    return builder.take();
}

std::string unescape(std::string_view text) {
    std::string unescaped;
    unescaped.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            unescaped += text[i];
            continue;
        }
        ++i;
        unescaped += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
    }
    return unescaped;
}

} // namespace lbc
