// The syntax tree of a site file, before names and values are checked. All statements have one shape, so the tree has
// one node type: words, and an optional block of statements. The compiler checks which words a statement takes, because
// it can explain what is wrong with them. The nodes of a file lie flat in two vectors, in source order; `Node` walks
// them. Words refer to `Sources` and copy no text.
#pragma once

#include "grammar/source.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <span>
#include <string_view>
#include <vector>

namespace lbc::ast {

/// Example: `0x3` (bare), `"GET /"` (string), `$peers` (variable), `=` (equals)
class Word {
public:
    enum class Kind : std::uint8_t { bare, string, variable, equals };

    Word() = default;
    /// `after_comma`: a comma stands before the word; in `a, b` it is true for b.
    Word(SourceFile const& file, std::uint32_t begin, std::uint32_t end, Kind kind, bool after_comma)
        : file_(&file), begin_(begin), end_(end & offset_bits), kind_(kind), after_comma_(after_comma) {}

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] bool after_comma() const { return after_comma_; }
    void set_after_comma(bool after_comma) { after_comma_ = after_comma; }

    /// The text of a string is without quotes, its escapes as written; that of a variable is without `$`.
    [[nodiscard]] std::string_view text() const {
        std::string_view text(file_->text().data() + begin_, end_ - begin_);
        if (kind_ == Kind::variable || kind_ == Kind::string)
            text.remove_prefix(1);
        if (kind_ == Kind::string && text.ends_with('"'))
            text.remove_suffix(1);
        return text;
    }
    /// The whole word, with quotes or `$`.
    [[nodiscard]] Span span() const { return {file_->id(), begin_, end_}; }

private:
    static constexpr std::uint32_t offset_bits = (1U << 26U) - 1;
    static_assert(Sources::max_file_size <= offset_bits);

    SourceFile const* file_ = nullptr;
    std::uint32_t begin_ = 0;
    std::uint32_t end_ : 26 = 0;
    Kind kind_ : 2 = Kind::bare;
    bool after_comma_ : 1 = false;
};
static_assert(sizeof(Word) == 16, "a site of fifty thousand services has half a million words");

/// Example: `mark lb1 0x3, lb2 0x4` or `director lb1 { mac 08:00:27:9e:ef:a0 }`
struct Statement {
    std::uint32_t first_word = 0;      // index into File::words
    std::uint32_t next = 0;            // index of the first statement behind this one and its block
    std::uint32_t word_count : 30 = 0; // 0 only in a broken statement
    bool has_block : 1 = false;
    bool broken : 1 = false; // a syntax error was reported in it, so what it lacks is not reported
};

/// The tree of one file.
struct File {
    FileId id{};
    std::vector<Word> words;
    std::vector<Statement> statements; // each is followed by the statements of its block

    [[nodiscard]] std::span<Word const> words_of(Statement const& statement) const {
        return std::span(words).subspan(statement.first_word, statement.word_count);
    }
    /// From the first word of the statement to the last, without the block.
    [[nodiscard]] Span span_of(Statement const& statement) const {
        auto const all = words_of(statement);
        return all.empty() ? Span{id, 0, 0} : join(all.front().span(), all.back().span());
    }
};

class Nodes;

/// One statement of a file: a small value that is valid as long as the file.
class Node {
public:
    Node() = default; // none
    Node(File const& file, std::uint32_t index) : file_(&file), index_(index) {}

    [[nodiscard]] std::span<Word const> words() const { return file_->words_of(statement()); }
    [[nodiscard]] std::string_view keyword() const { return words().empty() ? std::string_view{} : words()[0].text(); }
    [[nodiscard]] Span keyword_span() const { return words().empty() ? span() : words()[0].span(); }
    [[nodiscard]] Span span() const { return file_->span_of(statement()); }
    [[nodiscard]] bool has_block() const { return statement().has_block; }
    [[nodiscard]] bool broken() const { return statement().broken; }

    /// The statements of its block, in source order.
    [[nodiscard]] Nodes block() const;

    /// The statements of a file outside every block, in source order.
    [[nodiscard]] static Nodes top_level(File const& file);

private:
    [[nodiscard]] Statement const& statement() const { return file_->statements[index_]; }

    File const* file_ = nullptr;
    std::uint32_t index_ = 0;
};

/// Neighbouring statements: those of one block, or of the file outside every block.
class Nodes : public std::ranges::view_interface<Nodes> {
public:
    class Iterator {
    public:
        using value_type = Node;                            // NOLINT(readability-identifier-naming)
        using difference_type = std::ptrdiff_t;             // NOLINT(readability-identifier-naming)
        using iterator_concept = std::forward_iterator_tag; // NOLINT(readability-identifier-naming)

        Iterator() = default;
        Iterator(File const& file, std::uint32_t index, std::uint32_t last)
            : file_(&file), index_(std::min(index, last)), last_(last) {}
        Node operator*() const { return {*file_, index_}; }
        /// A misplaced block that its statement adopted can end behind the block around that statement, so the step is
        /// bounded by `last_`.
        Iterator& operator++() {
            index_ = std::min(file_->statements[index_].next, last_);
            return *this;
        }
        Iterator operator++(int) {
            auto const before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(Iterator const& a, Iterator const& b) { return a.index_ == b.index_; }

    private:
        File const* file_ = nullptr;
        std::uint32_t index_ = 0;
        std::uint32_t last_ = 0;
    };

    Nodes(File const& file, std::uint32_t first, std::uint32_t last) : file_(&file), first_(first), last_(last) {}
    [[nodiscard]] Iterator begin() const { return {*file_, first_, last_}; }
    [[nodiscard]] Iterator end() const { return {*file_, last_, last_}; }

private:
    File const* file_;
    std::uint32_t first_;
    std::uint32_t last_;
};

inline Nodes Node::block() const { return {*file_, index_ + 1, statement().next}; }
inline Nodes Node::top_level(File const& file) { return {file, 0, static_cast<std::uint32_t>(file.statements.size())}; }

} // namespace lbc::ast
