// What a site file says, before anything is known about names or values. Every statement of the language has one
// shape, so the tree has one node type: words, and for some statements a block of further statements. Which words a
// statement takes is the compiler's business, where a message can say what is wrong with them. A file's nodes lie flat
// in two vectors, in the order of the source; `Node` walks them. Views point into `Sources`.
#pragma once

#include "grammar/source.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lbc::ast {

/// Example: `0x3` (bare), `"GET /"` (string), `$peers` (variable), `=` (equals)
struct Word {
    enum class Kind : std::uint8_t { bare, string, variable, equals };

    std::string_view text; // a string's without quotes, escapes as written; a variable's without `$`
    Span span;             // with quotes and `$`
    Kind kind = Kind::bare;
    bool after_comma = false; // `a, b`: true for b
};

/// Example: `mark lb1 0x3, lb2 0x4` or `director lb1 { mac 08:00:27:9e:ef:a0 }`
struct Statement {
    std::uint32_t first_word = 0; // index into File::words
    std::uint32_t word_count = 0; // 0 only in a broken statement
    std::uint32_t next = 0;       // index of the first statement behind this one and all that stands in its block
    bool has_block = false;
    bool broken = false; // a syntax error was reported in it: what it lacks is no further mistake
    Span span;           // the words
};

/// One file.
struct File {
    FileId id{};
    std::vector<Word> words;
    std::vector<Statement> statements; // each followed by those of its block
};

/// One statement of a file; a small value, good as long as the file.
class Node {
public:
    Node(File const& file, std::uint32_t index) : file_(&file), index_(index) {}

    [[nodiscard]] std::span<Word const> words() const {
        return std::span(file_->words).subspan(statement().first_word, statement().word_count);
    }
    [[nodiscard]] std::string_view keyword() const { return words().empty() ? std::string_view{} : words()[0].text; }
    [[nodiscard]] Span keyword_span() const { return words().empty() ? span() : words()[0].span; }
    [[nodiscard]] Span span() const { return statement().span; }
    [[nodiscard]] bool has_block() const { return statement().has_block; }
    [[nodiscard]] bool broken() const { return statement().broken; }

    /// The statements of its block, in order.
    [[nodiscard]] std::vector<Node> block() const { return list(*file_, index_ + 1, statement().next); }

    /// The statements of a file that stand in no block, in order.
    [[nodiscard]] static std::vector<Node> top_level(File const& file) {
        return list(file, 0, static_cast<std::uint32_t>(file.statements.size()));
    }

private:
    [[nodiscard]] Statement const& statement() const { return file_->statements[index_]; }

    static std::vector<Node> list(File const& file, std::uint32_t from, std::uint32_t to) {
        constexpr std::size_t usual = 8;
        std::vector<Node> nodes;
        nodes.reserve(std::min<std::size_t>(to - from, usual));
        for (auto i = from; i < to; i = file.statements[i].next)
            nodes.emplace_back(file, i);
        return nodes;
    }

    File const* file_;
    std::uint32_t index_;
};

} // namespace lbc::ast
