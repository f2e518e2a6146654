#include "grammar/format_tokens.hpp"

#include <algorithm>

namespace lbc::printer {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";

/// Whether a text is six pairs of hexadecimal digits with `separator` between them.
bool looks_like_mac(std::string_view text, char separator) {
    if (text.size() != 17)
        return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i % 3 == 2 ? text[i] != separator : !hex_digits.contains(text[i]))
            return false;
    return true;
}

/// The printed form of a word. A MAC with `-` may also be a name, so it gets its `:` only where no name can stand. A
/// MAC with `:` cannot be anything else.
std::string canonical(std::string_view source, ast::Word const& word, std::string_view keyword) {
    std::string text(source.substr(word.span().begin, word.span().end - word.span().begin));
    if (word.kind() != ast::Word::Kind::bare)
        return text;
    auto const takes_macs = keyword == "mac" || keyword == "bypass";
    if (!looks_like_mac(text, ':') && !(takes_macs && looks_like_mac(text, '-')))
        return text;
    std::ranges::transform(text, text.begin(), [](char c) {
        if (c == '-')
            return ':';
        return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    /// Takes the tokens before `end`, where the next word begins or the file ends.
    void skip_to(std::size_t end) {
        for (; at_ < end; ++at_) {
            switch (text_[at_]) {
            case '\n': ++line_; break;
            case ',': comma_ = true; break;
            case '{': add("{", Token::Kind::open); break;
            case '}': add("}", Token::Kind::close); break;
            case '#': add_comment(); break;
            default: break;
            }
        }
    }

    void add_word(ast::Word const& word, std::string text, bool starts_statement) {
        skip_to(word.span().begin);
        add(std::move(text), Token::Kind::word);
        tokens_.back().starts_statement = starts_statement;
        comma_ = false;
        at_ = word.span().end;
    }

    [[nodiscard]] std::vector<Token> take() {
        skip_to(text_.size());
        return std::move(tokens_);
    }

private:
    void add(std::string text, Token::Kind kind) { tokens_.push_back({std::move(text), line_, kind, false, comma_}); }

    void add_comment() {
        auto const end = std::min(text_.find('\n', at_), text_.size());
        auto comment = text_.substr(at_, end - at_);
        comment = comment.substr(0, comment.find_last_not_of(" \t\r") + 1);
        add(std::string(comment), Token::Kind::comment);
        at_ = end - 1;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 0;
    bool comma_ = false; // a comma was seen since the last word
    std::vector<Token> tokens_;
};

} // namespace

std::vector<Token> tokens_of(std::string_view text, ast::File const& file) {
    Scanner scanner(text);
    for (auto const& statement : file.statements) {
        auto const words = file.words_of(statement);
        for (std::size_t i = 0; i < words.size(); ++i) {
            auto printed = canonical(text, words[i], i == 0 ? std::string_view{} : words[0].text());
            if (i + 1 < words.size() && words[i + 1].after_comma())
                printed += ',';
            scanner.add_word(words[i], std::move(printed), i == 0);
        }
    }
    return scanner.take();
}

} // namespace lbc::printer
