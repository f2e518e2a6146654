#include "grammar/format.hpp"
#include "grammar/format_tokens.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace lbc::printer {
namespace {

constexpr std::size_t indentation = 4;
constexpr std::size_t comment_distance = 4;
// Wider cells and lines are not aligned with their neighbours: no word may push all of them out, nor enlarge the text
// without bound.
constexpr std::size_t max_aligned_cell = 32;
constexpr std::size_t max_aligned_line = max_one_line_width;
constexpr std::size_t max_hanging_column = 60;

/// The number of characters, as `SourceFile::position` counts them.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void append(std::string& text, std::string_view more) {
    if (!text.empty())
        text += ' ';
    text += more;
}

/// A line of the result. The first line of a statement has cells, which are aligned in columns: the keyword and the
/// rest; for `let` the keyword, the name, and the rest from `=` on. Any other line has its text in the first cell.
struct Line {
    enum class Role : std::uint8_t { statement, let, list, brace, comment };

    Role role = Role::statement;
    std::size_t depth = 0;
    bool blank_before = false;
    bool aligned = true; // false for a statement whose block excludes it from alignment
    std::array<std::string, 3> cells;
    std::string comment; // the comment behind the line
    // Where further lines of a statement's list begin: the cell, and the offset in it.
    std::size_t hang_cell = 1;
    std::size_t hang_offset = 0;
    std::array<std::size_t, 2> widths{}; // widths that the first cells are padded to

    [[nodiscard]] bool is_statement() const { return role == Role::statement || role == Role::let; }
    [[nodiscard]] std::string& last_cell() { return cells[!cells[2].empty() ? 2 : !cells[1].empty() ? 1 : 0]; }

    /// The text of the line without indentation and comment.
    [[nodiscard]] std::string text() const {
        auto text = cells[0];
        for (std::size_t i = 1; i < cells.size() && !cells[i].empty(); ++i) {
            if (auto const width = width_of(cells[i - 1]); width < widths[i - 1])
                text.append(widths[i - 1] - width, ' ');
            append(text, cells[i]);
        }
        return text;
    }
    /// The column where further lines of its list begin.
    [[nodiscard]] std::size_t hang() const {
        auto column = depth * indentation + hang_offset;
        for (std::size_t i = 0; i < hang_cell; ++i)
            column += std::max(width_of(cells[i]), widths[i]) + 1;
        return column <= max_hanging_column ? column : (depth + 1) * indentation;
    }
};

/// For every `{` the index of its `}`.
std::vector<std::size_t> match_braces(std::vector<Token> const& tokens) {
    std::vector<std::size_t> matches(tokens.size());
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].kind == Token::Kind::open) {
            open.push_back(i);
        } else if (tokens[i].kind == Token::Kind::close) {
            matches[open.back()] = i;
            open.pop_back();
        }
    }
    return matches;
}

/// The text of a block on one line: `{ path "/"; every 5s }`.
std::string on_one_line(std::span<Token const> block) {
    std::string text;
    for (std::size_t i = 0; i < block.size(); ++i) {
        if (block[i].starts_statement && block[i - 1].kind != Token::Kind::open)
            text += ';';
        append(text, block[i].text);
    }
    return text;
}

/// Splits tokens into lines.
class Lines {
public:
    explicit Lines(std::vector<Token> const& tokens) : tokens_(tokens), matches_(match_braces(tokens)) {}

    std::vector<Line> make() {
        for (at_ = 0; at_ < tokens_.size(); ++at_) {
            switch (tokens_[at_].kind) {
            case Token::Kind::word: add_word(); break;
            case Token::Kind::open: open_block(); break;
            case Token::Kind::close:
                --depth_;
                add_line(Line::Role::brace);
                break;
            case Token::Kind::comment: add_comment(); break;
            }
        }
        return std::move(lines_);
    }

private:
    [[nodiscard]] Token const& token() const { return tokens_[at_]; }
    [[nodiscard]] std::size_t breaks_before() const { return at_ == 0 ? 0 : token().line - tokens_[at_ - 1].line; }

    Line& add_line(Line::Role role) {
        auto const is_first = lines_.empty() || begins_block_;
        auto& line = lines_.emplace_back();
        line.role = role;
        line.depth = depth_;
        line.blank_before = !is_first && breaks_before() > 1 && role != Line::Role::list && role != Line::Role::brace;
        line.cells[0] = token().text;
        begins_block_ = false;
        return line;
    }

    void add_word() {
        if (token().starts_statement) {
            begin_statement();
        } else if (token().after_comma && breaks_before() > 0) {
            add_line(Line::Role::list);
        } else if (auto& line = lines_.back(); line.is_statement()) {
            auto const cell = line.role == Line::Role::let && !line.cells[1].empty() ? 2U : 1U;
            append(line.cells[cell], token().text);
        } else {
            append(line.cells[0], token().text);
        }
    }

    void begin_statement() {
        statement_ = lines_.size();
        first_token_ = at_;
        auto& line = add_line(is_let() ? Line::Role::let : Line::Role::statement);
        set_hang(line);
    }

    /// Whether the statement begins with `let NAME =` on one line.
    [[nodiscard]] bool is_let() const {
        if (token().text != "let" || at_ + 2 >= tokens_.size() || tokens_[at_ + 2].text != "=")
            return false;
        return std::ranges::all_of(std::span(tokens_).subspan(at_ + 1, 2), [&](Token const& next) {
            return next.kind == Token::Kind::word && !next.starts_statement && next.line == token().line;
        });
    }

    /// Further lines of a list are aligned with its first element. That element is assumed to have as many words as the
    /// second: in `mark lb1 3, lb2 4` it is `lb1 3`, in `port tcp 25, 465` it is `25`.
    void set_hang(Line& line) const {
        std::vector<std::size_t> widths; // of the statement's words, up to the end of the second element
        std::vector<std::size_t> ends;   // the number of words up to the end of each element
        for (auto i = at_; i < tokens_.size() && ends.size() < 2; ++i) {
            auto const& next = tokens_[i];
            if (next.kind == Token::Kind::comment)
                continue;
            if (next.kind != Token::Kind::word || (next.starts_statement && i > at_))
                break;
            widths.push_back(width_of(next.text));
            if (next.text.ends_with(','))
                ends.push_back(widths.size());
        }
        if (ends.empty())
            return;
        auto const is_let = line.role == Line::Role::let;
        line.hang_cell = is_let ? 2 : 1;
        auto const second = (ends.size() > 1 ? ends[1] : widths.size()) - ends[0];
        auto const first = std::max(ends[0] - std::min(ends[0], second), std::size_t{is_let ? 3U : 1U});
        for (auto i = line.hang_cell; i < std::min(first, ends[0]); ++i)
            line.hang_offset += widths[i] + 1;
    }

    void open_block() {
        auto const close = matches_[at_];
        auto const block = std::span(tokens_).subspan(at_, close - at_ + 1);
        auto& statement = lines_[statement_];
        auto fits = block.size() == 2;
        if (!fits && tokens_[first_token_].line == tokens_[close].line)
            fits = statement.depth * indentation + width_of(statement.text()) + 1 + width_of(on_one_line(block)) <=
                   max_one_line_width;
        append(lines_.back().last_cell(), fits ? on_one_line(block) : "{");
        statement.aligned = fits && depth_ > 0;
        if (fits) {
            at_ = close;
        } else {
            ++depth_;
            begins_block_ = true;
        }
    }

    void add_comment() {
        if (at_ > 0 && breaks_before() == 0)
            lines_.back().comment = token().text;
        else
            add_line(token().after_comma ? Line::Role::list : Line::Role::comment);
    }

    std::vector<Token> const& tokens_;
    std::vector<std::size_t> matches_;
    std::vector<Line> lines_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::size_t statement_ = 0;   // index of the first line of the last statement
    std::size_t first_token_ = 0; // index of that statement's first token
    bool begins_block_ = false;   // the open block has no line yet
};

/// Pads the cells of a run of statements to common columns.
void align_cells(std::span<Line* const> run) {
    for (std::size_t i = 0; i < 2; ++i) {
        std::size_t widest = 0;
        auto const takes_part = [&](Line const& line) {
            return !line.cells[i + 1].empty() && width_of(line.cells[i]) <= max_aligned_cell;
        };
        for (auto const* line : run)
            if (takes_part(*line))
                widest = std::max(widest, width_of(line->cells[i]));
        for (auto* line : run)
            if (takes_part(*line))
                line->widths[i] = widest;
    }
}

/// Aligns runs of statements. A blank line or a block on several lines ends a run; `let` statements form separate runs.
void align_statements(std::vector<Line>& lines) {
    std::vector<Line*> run;
    auto const end_run = [&] {
        align_cells(run);
        run.clear();
    };
    for (auto& line : lines) {
        if (line.blank_before || line.role == Line::Role::brace ||
            (line.is_statement() && (!line.aligned || (!run.empty() && run.front()->role != line.role))))
            end_run();
        if (line.is_statement() && line.aligned)
            run.push_back(&line);
    }
    end_run();
}

/// The lines with indentation, but without the comments behind them.
std::vector<std::string> texts_of(std::vector<Line> const& lines) {
    std::vector<std::string> texts;
    texts.reserve(lines.size());
    std::size_t hang = 0; // where further lines of the last statement's list begin
    for (auto const& line : lines) {
        if (line.is_statement())
            hang = line.hang();
        auto const column = line.role == Line::Role::list ? hang : line.depth * indentation;
        texts.push_back(std::string(column, ' ') + line.text());
    }
    return texts;
}

/// Appends comments; those behind neighbouring lines of one depth share a column.
void add_comments(std::vector<Line> const& lines, std::vector<std::string>& texts) {
    for (std::size_t begin = 0, end = 0; begin < lines.size(); begin = end) {
        end = begin + 1;
        if (lines[begin].comment.empty())
            continue;
        while (end < lines.size() && !lines[end].comment.empty() && !lines[end].blank_before &&
               lines[end].depth == lines[begin].depth)
            ++end;
        std::size_t widest = 0;
        for (auto i = begin; i < end; ++i)
            if (auto const width = width_of(texts[i]); width <= max_aligned_line)
                widest = std::max(widest, width);
        for (auto i = begin; i < end; ++i) {
            auto const width = width_of(texts[i]);
            texts[i].append((width < widest ? widest - width : 0) + comment_distance, ' ');
            texts[i] += lines[i].comment;
        }
    }
}

} // namespace

std::string lay_out(std::vector<Token> const& tokens) {
    auto lines = Lines(tokens).make();
    align_statements(lines);
    auto texts = texts_of(lines);
    add_comments(lines, texts);
    std::string all;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].blank_before)
            all += '\n';
        all += texts[i];
        all += '\n';
    }
    return all;
}

} // namespace lbc::printer
