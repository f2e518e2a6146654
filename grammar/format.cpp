#include "grammar/format.hpp"

#include "grammar/format_tokens.hpp"
#include "grammar/grammar.hpp"

#include <algorithm>

namespace lbc {
namespace {

struct Parsed {
    Diagnostics diagnostics;
    std::vector<printer::Token> tokens;

    explicit Parsed(std::string_view text) {
        Sources sources;
        auto const id = sources.add({}, std::string(text));
        auto const file = parse(sources, id, diagnostics);
        if (!diagnostics.has_errors())
            tokens = printer::tokens_of(sources[id].text(), file);
    }
};

/// Whether a comment stands behind another token on its line.
bool is_behind(std::vector<printer::Token> const& tokens, std::size_t comment) {
    return comment > 0 && tokens[comment].line == tokens[comment - 1].line;
}

bool says_the_same(std::vector<printer::Token> const& before, std::vector<printer::Token> const& after) {
    if (before.size() != after.size())
        return false;
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (!before[i].same_as(after[i]))
            return false;
        if (before[i].kind == printer::Token::Kind::comment && is_behind(before, i) != is_behind(after, i))
            return false;
    }
    return true;
}

} // namespace

std::expected<std::string, std::string> format(std::string_view text) {
    auto const too_large = std::unexpected(fmt::format("it is larger than {} MiB", Sources::max_file_size >> 20U));
    if (text.size() > Sources::max_file_size)
        return too_large;
    Parsed const before(text);
    if (before.diagnostics.has_errors())
        return std::unexpected("it has syntax errors");
    auto formatted = printer::lay_out(before.tokens);
    if (formatted.size() > Sources::max_file_size)
        return too_large;
    Parsed const after(formatted);
    if (after.diagnostics.has_errors() || !says_the_same(before.tokens, after.tokens))
        return std::unexpected("its canonical form would not say the same, which is a bug of lbc");
    return formatted;
}

} // namespace lbc
