#include "grammar/diagnostic.hpp"

#include "grammar/utf8.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <map>
#include <span>

namespace lbc {

Diagnostic& Diagnostics::add(DiagId id, Span span, std::string message) {
    assert(id != DiagId::count_);
    echo_ = {};
    if (list_.size() < max_kept && !seen_.emplace(span, id).second)
        return echo_;
    ++(info(id).severity == Severity::error ? errors_ : warnings_);
    if (list_.size() == max_kept)
        return echo_;
    return list_.emplace_back(Diagnostic{id, span, std::move(message), {}});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
    std::vector<Diagnostic> all(list_.begin(), list_.end());
    std::ranges::stable_sort(all, {}, &Diagnostic::span);
    return all;
}

std::vector<Gathered> Diagnostics::gathered() const {
    auto const all = sorted();
    std::map<std::pair<DiagId, std::string_view>, std::vector<std::size_t>> causes; // message indices by cause
    std::vector<std::vector<std::size_t> const*> cause_of;
    cause_of.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        bool const by_form = all[i].severity() == Severity::warning && !all[i].form.empty();
        auto& cause = causes[{all[i].id, by_form ? all[i].form : std::string_view(all[i].message)}];
        cause.push_back(i);
        cause_of.push_back(&cause);
    }
    std::vector<Gathered> list;
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto const& cause = *cause_of[i];
        bool const is_one = cause.size() >= Gathered::fewest;
        if (is_one && cause.front() != i)
            continue;
        auto& gathered = list.emplace_back(Gathered{all[i], {}});
        if (is_one)
            for (auto const other : std::span(cause).subspan(1))
                gathered.more.push_back(all[other]);
    }
    return list;
}

namespace {

constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view red = "\x1b[1;31m";
constexpr std::string_view magenta = "\x1b[1;35m";
constexpr std::string_view cyan = "\x1b[1;36m";
constexpr std::string_view green = "\x1b[1;32m";
constexpr std::string_view reset = "\x1b[0m";

constexpr std::size_t tab_width = 4;
constexpr std::size_t least_digits = 5;      // of a line number before an excerpt: "   14 | "
constexpr std::size_t least_shown = 20;      // columns of a source line, on any terminal
constexpr std::size_t longest_character = 4; // bytes in UTF-8

/// A source line as a terminal can show it: tabs expanded, unprintable characters replaced. `columns` maps byte
/// offsets.
struct Display {
    std::string text;
    std::vector<std::size_t> columns; // the column of each byte, and of the end

    explicit Display(std::string_view line) {
        std::size_t column = 0;
        for (std::size_t at = 0; at < line.size();) {
            auto const bytes = std::max<std::size_t>(1, utf8_length(line, at));
            auto const width = line[at] == '\t' ? tab_width - column % tab_width : 1;
            columns.insert(columns.end(), bytes, column);
            text += line[at] == '\t' ? std::string(width, ' ') : printable(line.substr(at, bytes));
            column += width;
            at += bytes;
        }
        columns.push_back(column);
    }
};

class Renderer {
public:
    Renderer(Sources const& sources, TextStyle style) : sources_(sources), style_(style) {}

    void message(Span span, std::string_view label, std::string_view colour, std::string_view text,
                 std::string_view slug) {
        auto const& file = sources_[span.file];
        auto const [line, column] = file.position(span.begin);
        write("{}{}:{}:{}:{} {}{}:{} {}{}{}", paint(bold), printable(file.name()), line, column, paint(reset),
              paint(colour), label, paint(reset), paint(bold), printable(text), paint(reset));
        if (!slug.empty())
            write(" [{}]", slug);
        out_ += '\n';
        snippet(file, span, line);
    }

    /// The line with further places of a gathered message.
    void places(std::span<Diagnostic const> more) {
        constexpr std::size_t most_shown = 3;
        write("{:>5} = {} more: ", "", more.size());
        for (auto const& one : more.first(std::min(more.size(), most_shown))) {
            auto const& file = sources_[one.span.file];
            auto const [line, column] = file.position(one.span.begin);
            write("{}{}:{}:{}", &one == &more.front() ? "" : ", ", printable(file.name()), line, column);
        }
        write("{}\n", more.size() > most_shown ? ", …" : "");
    }

    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    [[nodiscard]] std::string_view paint(std::string_view code) const {
        return style_.colour ? code : std::string_view{};
    }

    template <typename... Args>
    void write(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    }

    void snippet(SourceFile const& file, Span span, std::uint32_t line) {
        auto text = file.line(line);
        if (text.empty() || !file.is_quoted())
            return;
        auto begin = std::min<std::size_t>(span.begin - offset_in(file, text), text.size());
        auto const end = std::clamp<std::size_t>(span.end - offset_in(file, text), begin, text.size());
        auto const length = end - begin;
        auto number = std::to_string(line);
        number.insert(0, least_digits - std::min(least_digits, number.size()), ' ');
        number += " | ";
        std::string const gutter(number.size() - 2, ' ');
        auto const room = std::max(style_.width, number.size() + least_shown) - number.size();
        auto const cut = cut_around(text, begin, room);
        begin -= cut;
        Display const shown(text);
        auto const from = shown.columns[begin];
        auto const width = std::max<std::size_t>(1, shown.columns[std::min(begin + length, text.size())] - from);
        write("{}{}\n", number, shown.text);
        write("{}| {:{}}{}^{}{}\n", gutter, "", from, paint(green), std::string(width - 1, '~'), paint(reset));
    }

    [[nodiscard]] static std::size_t offset_in(SourceFile const& file, std::string_view text) {
        return static_cast<std::size_t>(text.data() - file.text().data());
    }

    /// Cuts a long line to the part around a byte that fits into `room` columns; returns how many bytes were cut off
    /// before it.
    [[nodiscard]] static std::size_t cut_around(std::string_view& text, std::size_t byte, std::size_t room) {
        // No more than this can be shown, so that no line costs what it is long. A character that it begins with is
        // whole.
        auto const most = longest_character * room;
        auto first = byte < most ? 0 : byte - most;
        for (int i = 0; i < 3 && first > 0 && is_continuation(text, first); ++i)
            --first;
        auto const near = text.substr(first, byte - first + most);
        Display const shown(near);
        if (near.size() == text.size() && shown.columns.back() <= room)
            return 0;
        auto const& columns = shown.columns;
        auto const here = columns[byte - first];
        auto start = here < room / 2 ? 0 : here - room / 2;
        auto const begin = std::ranges::lower_bound(columns, start);
        start = *begin;
        auto const end = std::ranges::upper_bound(begin, columns.end(), start + room) - 1;
        auto const cut = static_cast<std::size_t>(begin - columns.begin());
        auto const length = static_cast<std::size_t>(std::ranges::lower_bound(begin, end, *end) - begin);
        text = near.substr(cut, length);
        // Tabs reach other columns now.
        while (!text.empty() && Display(text).columns.back() > room) {
            while (text.size() > 1 && is_continuation(text, text.size() - 1))
                text.remove_suffix(1);
            text.remove_suffix(1);
        }
        return first + cut;
    }

    [[nodiscard]] static bool is_continuation(std::string_view text, std::size_t at) {
        return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    }

    Sources const& sources_;
    TextStyle style_;
    std::string out_;
};

} // namespace

namespace {

void write_message(Renderer& renderer, Diagnostic const& diagnostic) {
    auto const is_error = diagnostic.severity() == Severity::error;
    renderer.message(diagnostic.span, is_error ? "error" : "warning", is_error ? red : magenta, diagnostic.message,
                     info(diagnostic.id).slug);
    for (auto const& note : diagnostic.notes)
        renderer.message(note.span, "note", cyan, note.message, {});
}

} // namespace

std::string render(Sources const& sources, Diagnostic const& diagnostic, TextStyle style) {
    Renderer renderer(sources, style);
    write_message(renderer, diagnostic);
    return renderer.take();
}

std::string render(Sources const& sources, Gathered const& gathered, TextStyle style) {
    Renderer renderer(sources, style);
    write_message(renderer, gathered.first);
    if (!gathered.more.empty())
        renderer.places(gathered.more);
    return renderer.take();
}

} // namespace lbc
