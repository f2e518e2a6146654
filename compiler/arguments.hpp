// The words behind a statement's keyword, read one after the other. The first word that does not fit is reported, and
// what is asked for after it gives nothing without a further message: one mistake, one message. `$NAME` has been
// replaced by its words.
#pragma once

#include "compiler/lets.hpp"
#include "compiler/values.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

class Arguments {
public:
    /// `keywords` are the statement words of the block that the statement stands in, for "it starts a new statement".
    Arguments(ast::Node node, Lets& lets, std::span<std::string_view const> keywords, Diagnostics& diagnostics);
    Arguments(Arguments const&) = delete;
    Arguments& operator=(Arguments const&) = delete;

    [[nodiscard]] ast::Node const& node() const { return node_; }
    [[nodiscard]] Diagnostics& diagnostics() const { return *diagnostics_; }

    [[nodiscard]] bool failed() const { return failed_; }
    /// Nothing more to read, or a mistake was reported.
    [[nodiscard]] bool done() const { return failed_ || at_ == words_.size(); }
    /// The next word stands behind a comma.
    [[nodiscard]] bool at_comma() const { return !done() && words_[at_].after_comma(); }
    /// Where the next word is; where all are read, the statement.
    [[nodiscard]] Span here() const { return at_ < words_.size() ? words_[at_].span() : node_.span(); }
    /// The last word that was read.
    [[nodiscard]] Span last() const { return at_ > 0 ? words_[at_ - 1].span() : node_.keyword_span(); }

    /// Reads the next word if it is this one and stands behind no comma.
    bool accept(std::string_view word);

    /// As `accept`, for an option of a statement: one that is given a second time is reported.
    bool option(std::string_view word);
    /// Further options belong to another value of the statement: what was given before counts no more.
    void begin_options() { options_.clear(); }

    /// The next word, bare, whatever it is. `what` names it in messages: "a port".
    [[nodiscard]] std::optional<ast::Word> word(std::string_view what);
    /// A string in quotes, unescaped; refuses control characters, line breaks among them. `prose` is for people alone,
    /// and joiners may stand in it; a `command` has no blanks but those of ASCII, as they part no words.
    [[nodiscard]] std::optional<std::string> prose(std::string_view what);
    [[nodiscard]] std::optional<std::string> string(std::string_view what);
    [[nodiscard]] std::optional<std::string> command(std::string_view what);

    /// The next word as a value.
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

    /// One of a few words; gives its index.
    [[nodiscard]] std::optional<std::size_t> choice(std::span<std::string_view const> words, std::string_view what);

    /// Calls `read` for each element of a list with commas, at least one. A mistake in one leaves the others readable.
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

    /// A list of values, each with its place, put behind those in `out`; one that is there already is a warning.
    template <typename T, typename Parse>
    void values(Parse parse, std::string_view what, std::vector<Located<T>>& out) {
        constexpr std::size_t few = 64; // are compared one by one
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

    /// Reports a word too many, if there is one.
    void finish();

    /// A mistake was reported by the caller: nothing more is to be read.
    void give_up() { failed_ = true; }

    Diagnostic& fail(DiagId id, Span span, std::string message);

    /// Adds a value that is not in the list yet; warns if it is.
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
    /// Reports the character at `at` of the last word that was read, if there is one.
    bool refuse(std::string_view text, std::size_t at, std::string_view why, std::string_view what);
    bool next_element();
    void skip_to_comma(std::size_t start);
    void report_redundant(Span again, Span first);

    ast::Node node_;
    std::span<std::string_view const> keywords_;
    Diagnostics* diagnostics_;
    std::vector<ast::Word> expanded_; // what `words_` are, where some stand for others
    std::span<ast::Word const> words_;
    std::vector<std::string_view> options_; // given so far
    std::size_t at_ = 0;
    bool failed_ = false;
    bool element_start_ = false; // the comma before the next word has been taken by `list`
};

} // namespace lbc
