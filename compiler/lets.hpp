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
    /// More words than this, after every name is replaced, are an error: a few lines of lets can name each other
    /// to any length.
    static constexpr std::size_t max_words = 65536;

    /// Likewise words that names stand for in all statements together.
    static constexpr std::size_t max_words_of_site = 4'000'000;

    /// How deep names may stand for names.
    static constexpr int max_depth = 32;

    explicit Lets(Diagnostics& diagnostics) : diagnostics_(&diagnostics) {}

    /// Takes a `let` statement.
    void define(ast::Node const& node);

    /// Puts `words` behind `out`, names replaced. False, and a message, where that cannot be done.
    [[nodiscard]] bool expand(std::span<ast::Word const> words, std::vector<ast::Word>& out);

    /// Warns of names that nothing used.
    void report_unused() const;

private:
    struct Let {
        ast::Word name;
        std::vector<ast::Word> words;
        bool used = false;
        bool broken = false; // in its syntax
        bool open = false;   // being replaced at the moment
    };

    /// One more word; false, and a message the first time, where there are too many.
    bool count(ast::Word const& word);
    bool expand_variable(ast::Word const& variable, std::vector<ast::Word>& out);

    Diagnostics* diagnostics_;
    std::map<std::string_view, Let> lets_;
    std::vector<Let const*> in_order_;
    int depth_ = 0;
    std::size_t expanded_ = 0; // words that names stood for
    bool is_too_large_ = false;
};

} // namespace lbc
