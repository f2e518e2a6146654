#include "compiler/site/arguments.hpp"

#include "grammar/grammar.hpp"
#include "grammar/spell.hpp"
#include "grammar/utf8.hpp"

#include <algorithm>

namespace lbc {

Arguments::Arguments(ast::Node node, Lets& lets, std::span<std::string_view const> keywords, Diagnostics& diagnostics)
    : node_(node), keywords_(keywords), diagnostics_(&diagnostics), failed_(node.broken()) {
    auto const words = node.words();
    if (!words.empty())
        words_ = words.subspan(1);
    if (words_.size() > Lets::max_words ||
        std::ranges::find(words_, ast::Word::Kind::variable, &ast::Word::kind) != words_.end()) {
        failed_ = !lets.expand(words_, expanded_) || failed_;
        words_ = expanded_;
    }
    element_start_ = !words_.empty() && words_.front().after_comma();
    if (element_start_)
        fail(DiagId::syntax, words_.front().span(), "a list does not begin with a comma");
}

Diagnostic& Arguments::fail(DiagId id, Span span, std::string message) {
    failed_ = true;
    return diagnostics_->add(id, span, std::move(message));
}

bool Arguments::accept(std::string_view word) {
    if (done() || (words_[at_].after_comma() && !element_start_) || words_[at_].kind() != ast::Word::Kind::bare ||
        words_[at_].text() != word)
        return false;
    ++at_;
    element_start_ = false;
    return true;
}

bool Arguments::option(std::string_view word) {
    if (!accept(word))
        return false;
    if (std::ranges::find(options_, word) != options_.end())
        fail(DiagId::duplicate_statement, last(), fmt::format("`{}` is given twice", word));
    options_.push_back(word);
    return true;
}

std::optional<ast::Word> Arguments::word(std::string_view what) {
    if (failed_)
        return std::nullopt;
    if (at_ == words_.size() || (words_[at_].after_comma() && !element_start_)) {
        fail(DiagId::missing_value, last(),
             fmt::format("expected {} after `{}`", what, at_ > 0 ? words_[at_ - 1].text() : node_.keyword()));
        return std::nullopt;
    }
    auto const& next = words_[at_];
    if (next.kind() != ast::Word::Kind::bare) {
        fail(DiagId::syntax, next.span(),
             next.kind() == ast::Word::Kind::string ? fmt::format("expected {}, without quotes", what)
                                                    : fmt::format("expected {}, found `=`", what));
        return std::nullopt;
    }
    ++at_;
    element_start_ = false;
    if (next.text().size() > longest_word) { // which is already reported
        failed_ = true;
        return std::nullopt;
    }
    if (refuse(next.text(), find_joiner(next.text()), "which is not seen", what))
        return std::nullopt;
    return next;
}

bool Arguments::refuse(std::string_view text, std::size_t at, std::string_view why, std::string_view what) {
    if (at == text.size())
        return false;
    auto const point = static_cast<std::uint32_t>(code_point(text.substr(at, utf8_length(text, at))));
    fail(DiagId::stray_character, last(),
         fmt::format("the character U+{:04X}, {}, cannot stand in {}", point, why, what));
    return true;
}

std::optional<std::string> Arguments::prose(std::string_view what) {
    if (failed_)
        return std::nullopt;
    if (at_ == words_.size() || words_[at_].kind() != ast::Word::Kind::string) {
        auto const found = at_ == words_.size() ? last() : words_[at_].span();
        fail(DiagId::bad_string, found, fmt::format("expected {} in double quotes", what));
        return std::nullopt;
    }
    auto const& next = words_[at_++];
    element_start_ = false;
    auto value = unescape(next.text());
    if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
        fail(DiagId::bad_string, next.span(), fmt::format("{} cannot hold a line break or control character", what));
        return std::nullopt;
    }
    return value;
}

std::optional<std::string> Arguments::string(std::string_view what) {
    auto value = prose(what);
    if (value && refuse(*value, find_joiner(*value), "which is not seen", what))
        return std::nullopt;
    return value;
}

std::optional<std::string> Arguments::command(std::string_view what) {
    auto value = string(what);
    if (value && refuse(*value, find_false_space(*value), "which looks like a space and is none", what))
        return std::nullopt;
    return value;
}

std::optional<std::size_t> Arguments::choice(std::span<std::string_view const> words, std::string_view what) {
    auto const next = word(what);
    if (!next)
        return std::nullopt;
    auto const found = std::ranges::find(words, next->text());
    if (found != words.end())
        return static_cast<std::size_t>(found - words.begin());
    auto hint = did_you_mean(next->text(), words);
    if (hint.empty())
        hint = fmt::format("; expected one of `{}`", fmt::join(words, "`, `"));
    fail(DiagId::unknown_value, next->span(), fmt::format("`{}` is not {}{}", next->text(), what, hint));
    return std::nullopt;
}

bool Arguments::next_element() {
    if (at_ == words_.size() || !words_[at_].after_comma())
        return false;
    element_start_ = true;
    return true;
}

void Arguments::skip_to_comma(std::size_t start) {
    // An element has at least one word, even if that could not be read.
    if (at_ == start && at_ < words_.size())
        ++at_;
    while (at_ < words_.size() && !words_[at_].after_comma())
        ++at_;
    failed_ = false;
}

void Arguments::finish() {
    if (done())
        return;
    auto const& extra = words_[at_];
    if (extra.after_comma())
        fail(DiagId::extra_value, extra.span(),
             fmt::format("`{}` takes no list; found a second value", node_.keyword()));
    else if (std::ranges::find(keywords_, extra.text()) != keywords_.end())
        fail(DiagId::extra_value, extra.span(),
             fmt::format("`{}` begins a statement; put it on a line of its own, or a `;` before it", extra.text()));
    else
        fail(DiagId::extra_value, extra.span(),
             fmt::format("`{}` has no place here; values of a list need a `,` "
                         "between them",
                         extra.text()));
}

void Arguments::report_redundant(Span again, Span first) {
    diagnostics_->add(DiagId::redundant_value, again, "this value is there already").note(first, "first given here");
}

} // namespace lbc
