// Reads the words behind a statement's keyword, one after the other. The first word that does not fit is reported;
// every later request then returns nothing and reports nothing, so one mistake gives one message. `$NAME` is replaced
// by its words already.
#pragma once

#include "compiler/site/lets.hpp"
#include "compiler/site/values.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

class Arguments {
public:
    /// `keywords` are the keywords of the block around the statement, for the message "begins a statement".
    Arguments(ast::Node node, Lets& lets, std::span<std::string_view const> keywords, Diagnostics& diagnostics);
    Arguments(Arguments const&) = delete;
    Arguments& operator=(Arguments const&) = delete;

    [[nodiscard]] ast::Node const& node() const { return node_; }
    [[nodiscard]] Diagnostics& diagnostics() const { return *diagnostics_; }

    [[nodiscard]] bool failed() const { return failed_; }
    /// All words are read, or a mistake was reported.
    [[nodiscard]] bool done() const { return failed_ || at_ == words_.size(); }
    /// The next word stands behind a comma.
    [[nodiscard]] bool at_comma() const { return !done() && words_[at_].after_comma(); }
    /// The span of the next word; of the statement if all words are read.
    [[nodiscard]] Span here() const { return at_ < words_.size() ? words_[at_].span() : node_.span(); }
    /// The span of the last word that was read; of the keyword if none was.
    [[nodiscard]] Span last() const { return at_ > 0 ? words_[at_ - 1].span() : node_.keyword_span(); }

    /// Reads the next word if it is `word` and no comma stands before it.
    bool accept(std::string_view word);

    /// As `accept`, for an option of a statement; reports an option that is given twice.
    bool option(std::string_view word);
    /// Forgets the options so far: the next ones belong to another value of the statement.
    void begin_options() { options_.clear(); }

    /// The next word, which must be bare. `what` names it in messages: "a port".
    [[nodiscard]] std::optional<ast::Word> word(std::string_view what);
    /// A quoted string, unescaped; refuses control characters, line breaks included. `prose` is only for people, so
    /// joiners may stand in it. A `command` may have no blanks but those of ASCII, because other blanks do not separate
    /// words.
    [[nodiscard]] std::optional<std::string> prose(std::string_view what);
    [[nodiscard]] std::optional<std::string> string(std::string_view what);
    [[nodiscard]] std::optional<std::string> command(std::string_view what);

    /// Parses the next word into a value.
    template <typename Parse>
    [[nodiscard]] auto value(Parse parse, std::string_view what)
        -> std::optional<typename decltype(parse(std::string_view{}))::value_type> {
        auto const next = word(what);
        if (!next)
            return std::nullopt;
        auto parsed = parse(next->text());
        if (parsed)
            return std::move(*parsed);
        fail(parsed.error().id, next->span(), std::move(parsed.error().message));
        return std::nullopt;
    }

    template <typename Number = std::uint32_t>
    [[nodiscard]] std::optional<Number> number(NumberRange const& range) {
        auto const parsed = value([&](std::string_view text) { return parse_number(text, range); }, range.what);
        return parsed ? std::optional(static_cast<Number>(*parsed)) : std::nullopt;
    }

    [[nodiscard]] std::optional<Milliseconds> time(std::string_view what = "a time") { return value(parse_time, what); }

    /// Reads one of a few words; returns its index.
    [[nodiscard]] std::optional<std::size_t> choice(std::span<std::string_view const> words, std::string_view what);

    /// Calls `read` for each element of a comma-separated list of at least one. After a mistake in one element the
    /// others are still read.
    template <typename Read>
    void list(Read read) {
        auto any_failed = false;
        do {
            auto const start = at_;
            read();
            any_failed = any_failed || failed_;
            if (failed_)
                skip_to_comma(start);
        } while (next_element());
        failed_ = failed_ || any_failed;
    }

    /// Reads a list of values and appends each with its span to `out`; warns of a value that `out` has already.
    template <typename T, typename Parse>
    void values(Parse parse, std::string_view what, std::vector<Located<T>>& out) {
        constexpr std::size_t few = 64; // up to this many words, values are compared one by one
        std::map<T, Span> seen;
        if (words_.size() > few)
            for (auto const& other : out)
                seen.emplace(other.value, other.span);
        list([&] {
            auto parsed = value(parse, what);
            if (!parsed)
                return;
            if (words_.size() <= few)
                return add_unique(out, Located<T>{std::move(*parsed), last()});
            auto const [first, fresh] = seen.emplace(*parsed, last());
            if (fresh)
                out.push_back({std::move(*parsed), last()});
            else
                report_redundant(last(), first->second);
        });
    }

    /// Reports the next word as superfluous, if there is one.
    void finish();

    /// For a caller that reported a mistake itself: nothing more is read.
    void give_up() { failed_ = true; }

    Diagnostic& fail(DiagId id, Span span, std::string message);

    /// Appends a value, or warns if the list has it already.
    template <typename T>
    void add_unique(std::vector<Located<T>>& out, Located<T> value) {
        for (auto const& other : out)
            if (other.value == value.value) {
                report_redundant(value.span, other.span);
                return;
            }
        out.push_back(std::move(value));
    }

private:
    /// Refuses the character at `at` of the last word that was read. Returns false, without a message, if `at` is the
    /// end of `text`.
    bool refuse(std::string_view text, std::size_t at, std::string_view why, std::string_view what);
    bool next_element();
    void skip_to_comma(std::size_t start);
    void report_redundant(Span again, Span first);

    ast::Node node_;
    std::span<std::string_view const> keywords_;
    Diagnostics* diagnostics_;
    std::vector<ast::Word> expanded_; // what `words_` refers to, if names had to be replaced
    std::span<ast::Word const> words_;
    std::vector<std::string_view> options_; // given so far
    std::size_t at_ = 0;
    bool failed_ = false;
    bool element_start_ = false; // `list` has consumed the comma before the next word
};

} // namespace lbc
