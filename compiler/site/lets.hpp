// Named values: `let peers = 08:00:27:9e:ef:a0, 08:00:27:46:c7:d4` makes `$peers` those two words wherever it stands.
#pragma once

#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace lbc {

class Lets {
public:
    /// The most words of a statement after all names are replaced: a few lines of lets can name each other to any
    /// length.
    static constexpr std::size_t max_words = 65536;

    /// The most words that names stand for, in all statements of a site together.
    static constexpr std::size_t max_words_of_site = 4'000'000;

    /// The deepest nesting of names that stand for names.
    static constexpr int max_depth = 32;

    explicit Lets(Diagnostics& diagnostics) : diagnostics_(&diagnostics) {}

    /// Adds the name that a `let` statement defines, or reports why it cannot.
    void define(ast::Node const& node);

    /// Appends `words` to `out`, with names replaced. Returns false, after a message, if that is not possible.
    [[nodiscard]] bool expand(std::span<ast::Word const> words, std::vector<ast::Word>& out);

    /// Warns of names that are never used.
    void report_unused() const;

private:
    struct Let {
        ast::Word name;
        std::vector<ast::Word> words;
        bool used = false;
        bool broken = false; // it has a syntax error
        bool open = false;   // being replaced right now
    };

    /// Counts one more word. Returns false if there are too many, with a message the first time.
    bool count(ast::Word const& word);
    bool expand_variable(ast::Word const& variable, std::vector<ast::Word>& out);

    Diagnostics* diagnostics_;
    std::map<std::string_view, Let> lets_;
    std::vector<Let const*> in_order_;
    int depth_ = 0;
    std::size_t expanded_ = 0; // words that names stand for, so far
    bool is_too_large_ = false;
};

} // namespace lbc
