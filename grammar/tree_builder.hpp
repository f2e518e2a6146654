// Builds an `ast::File` while the grammar reads. The grammar's actions report what begins and what ends. Nothing is
// ever undone, so after a syntax error the tree still holds everything that was read before it.
#pragma once

#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"

#include <cassert>
#include <string_view>
#include <vector>

namespace lbc {

class TreeBuilder {
public:
    explicit TreeBuilder(SourceFile const& file) : file_(&file), text_(file.text()) {
        tree_.id = file.id();
        // Enough for a file of mostly one-line services; unused memory is never touched.
        constexpr std::size_t word_size = 6;
        constexpr std::size_t statement_size = 12;
        tree_.words.reserve(text_.size() / word_size + 1);
        tree_.statements.reserve(text_.size() / statement_size + 1);
    }

    void add_word(ast::Word::Kind kind, char const* begin, char const* end) {
        tree_.words.emplace_back(*file_, offset(begin), offset(end), kind, comma_);
        comma_ = false;
        ++current().word_count;
    }
    void add_comma() { comma_ = true; }

    void open_statement() {
        open_.push_back({static_cast<std::uint32_t>(tree_.statements.size()), {}});
        auto& statement = tree_.statements.emplace_back();
        statement.first_word = static_cast<std::uint32_t>(tree_.words.size());
        comma_ = false;
    }
    void close_statement() {
        current().next = static_cast<std::uint32_t>(tree_.statements.size());
        open_.pop_back();
        comma_ = false;
    }

    /// `brace` is the `{` of the block.
    void open_block(char const* brace) {
        current().has_block = true;
        open_.back().brace = span(brace, brace + 1);
    }

    /// Opens the previous statement again, if it has neither a block nor statements of its own; else returns false.
    bool reopen_last() {
        if (tree_.statements.empty() || tree_.statements.size() - 1 == (open_.empty() ? no_statement : top()))
            return false;
        auto const last = tree_.statements.size() - 1;
        if (tree_.statements[last].has_block)
            return false;
        open_.push_back({static_cast<std::uint32_t>(last), {}});
        return true;
    }

    void mark_broken() {
        if (!open_.empty())
            current().broken = true;
    }

    [[nodiscard]] std::size_t depth() const { return open_.size(); }
    void close_to(std::size_t depth) {
        while (open_.size() > depth)
            close_statement();
    }

    [[nodiscard]] Span brace() const { return open_.empty() ? Span{tree_.id, 0, 0} : open_.back().brace; }
    [[nodiscard]] Span span(char const* begin, char const* end) const { return {tree_.id, offset(begin), offset(end)}; }
    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] Span statement_span() const { return tree_.span_of(tree_.statements[top()]); }

    [[nodiscard]] ast::File take() {
        close_to(0);
        return std::move(tree_);
    }

private:
    struct Open {
        std::uint32_t index = 0;
        Span brace;
    };
    static constexpr std::size_t no_statement = static_cast<std::size_t>(-1);

    [[nodiscard]] std::uint32_t offset(char const* at) const { return static_cast<std::uint32_t>(at - text_.data()); }
    [[nodiscard]] std::size_t top() const { return open_.back().index; }
    [[nodiscard]] ast::Statement& current() {
        assert(!open_.empty());
        return tree_.statements[top()];
    }

    SourceFile const* file_;
    std::string_view text_;
    ast::File tree_;
    std::vector<Open> open_; // from the outermost statement to the one being read
    bool comma_ = false;
};

} // namespace lbc
