// Finds the tables in a script of `compile --emit sh`: they stand between `wanted() {` and its `esac`, in a
// here-document for each director and family.
#include "backends/restore/read_tables.hpp"
#include "backends/restore/script_heading.hpp"
#include "compiler/base/shell_quote.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc {
namespace {

class Lines {
public:
    explicit Lines(std::string_view text) : text_(text) {}

    /// The next line without its end; nothing behind the last.
    std::optional<std::string_view> next() {
        if (text_.empty())
            return std::nullopt;
        ++number_;
        std::size_t const end = std::min(text_.find('\n'), text_.size());
        std::string_view const line = text_.substr(0, end);
        text_.remove_prefix(std::min(end + 1, text_.size()));
        return line;
    }
    [[nodiscard]] std::size_t number() const { return number_; }
    [[nodiscard]] std::string_view rest() const { return text_; }

private:
    std::string_view text_;
    std::size_t number_ = 0;
};

/// The text up to the line `END`; nothing if there is none.
std::optional<std::string_view> here_document(Lines& lines) {
    std::string_view const from = lines.rest();
    while (true) {
        std::string_view const before = lines.rest();
        auto const line = lines.next();
        if (!line)
            return std::nullopt;
        if (*line == "END")
            return from.substr(0, from.size() - before.size());
    }
}

bool find_wanted(Lines& lines) {
    while (auto const line = lines.next())
        if (*line == "wanted() {")
            return true;
    return false;
}

/// "lb1" of "# ==== lb1 ====".
std::optional<std::string_view> director_of(std::string_view line) {
    constexpr std::string_view before = "# ==== ";
    constexpr std::string_view behind = " ====";
    if (!line.starts_with(before) || !line.ends_with(behind) || line.size() < before.size() + behind.size())
        return std::nullopt;
    return line.substr(before.size(), line.size() - before.size() - behind.size());
}

std::unexpected<TextProblem> refuse(std::size_t line, std::string_view message) {
    return std::unexpected(TextProblem{line, printable(message)});
}

std::unexpected<TextProblem> no_director(std::string_view director, std::string_view directors) {
    return refuse(0, directors.empty() ? "the script has no director"
                                       : fmt::format("`{}` is no director of the script, which has {}", director,
                                                     directors.substr(0, 200)));
}

} // namespace

bool is_rules_script(std::string_view text) { return text.starts_with(script_heading); }

std::expected<std::string, TextProblem> tables_in_script(std::string_view script, std::string_view director,
                                                         Family family) {
    std::string const wanted =
        fmt::format("    {}) cat <<'END' ;;", shell_quote(fmt::format("{}/{}", director, to_string(family))));
    Lines lines(script);
    std::string directors;
    std::string text;
    bool is_there = false;
    bool is_over = !find_wanted(lines);
    while (!is_over) {
        auto const line = lines.next();
        if (!line)
            return refuse(lines.number(), "the script is cut off");
        if (auto const name = director_of(*line)) {
            is_there = is_there || *name == director;
            directors += fmt::format("{}`{}`", directors.empty() ? "" : ", ", *name);
        } else if (line->ends_with(") cat <<'END' ;;")) {
            auto const body = here_document(lines);
            if (!body)
                return refuse(lines.number(), "the script is cut off");
            text = *line == wanted ? std::string(*body) : std::move(text);
        }
        is_over = *line == "    esac";
    }
    return is_there ? std::expected<std::string, TextProblem>(std::move(text)) : no_director(director, directors);
}

} // namespace lbc
