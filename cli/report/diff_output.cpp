#include "cli/report/diff_output.hpp"

#include "cli/input/site_input.hpp"
#include "cli/report/config_lines.hpp"
#include "cli/report/write_lines.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <span>
#include <tuple>
#include <utility>

namespace lbc {
namespace {

/// "lb1, lb2: 192.0.2.1:443/tcp is now balanced (mark 0x3c); open TCP connections stay where they are"
std::string sentence(Change const& change) {
    return fmt::format("{}{}{}{}{}", fmt::join(change.directors, ", "), change.directors.empty() ? "" : ": ",
                       change.text, change.connections.empty() ? "" : "; ", change.connections);
}

/// Changes of one subject, or of several services that change alike.
struct Part {
    std::vector<std::string> subjects;
    std::span<Change const> changes; // of the first
};

bool is_alike(Change const& a, Change const& b) {
    return std::tie(a.kind, a.directors, a.text, a.connections, a.disruptive) ==
           std::tie(b.kind, b.directors, b.text, b.connections, b.disruptive);
}

/// Fewer services than this that change alike are easier to read one by one.
constexpr std::size_t fewest_alike = 3;

std::vector<Part> parts_of(std::vector<Change> const& changes) {
    std::vector<Part> all;
    for (std::size_t first = 0; first < changes.size();) {
        auto last = first;
        while (last < changes.size() && changes[last].subject == changes[first].subject)
            ++last;
        all.push_back({{changes[first].subject}, std::span(changes).subspan(first, last - first)});
        first = last;
    }
    std::map<std::string, std::vector<std::size_t>> by_lines;
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::string lines;
        for (auto const& change : all[i].changes)
            lines += sentence(change) + '\n';
        if (all[i].subjects.front().starts_with("service "))
            by_lines[lines].push_back(i);
    }
    for (auto const& [lines, places] : by_lines) {
        auto& first = all[places.front()];
        if (places.size() < fewest_alike)
            continue;
        for (auto const i : std::span(places).subspan(1))
            if (std::ranges::equal(all[i].changes, first.changes, is_alike))
                first.subjects.push_back(std::exchange(all[i].subjects, {}).front());
    }
    std::erase_if(all, [](Part const& part) { return part.subjects.empty(); });
    return all;
}

/// "service web", or "services a, b, c and 57 more".
std::string title_of(Part const& part) {
    constexpr std::size_t most_named = 8;
    constexpr std::size_t named_of_many = 5;
    if (part.subjects.size() == 1)
        return part.subjects.front();
    auto const named = part.subjects.size() > most_named ? named_of_many : part.subjects.size();
    std::vector<std::string_view> names;
    for (auto const& subject : std::span(part.subjects).first(named))
        names.push_back(std::string_view(subject).substr(std::string_view("service ").size()));
    auto const more = part.subjects.size() - named;
    return fmt::format("services {}{}", fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

std::string order_of(Rollout const& rollout) { return fmt::format("{}", fmt::join(rollout.order, ", then ")); }

std::string verdict_of(DiffReport const& report) {
    auto const& rollout = *report.rollout;
    switch (rollout.verdict) {
    case Rollout::Verdict::one_director: break;
    case Rollout::Verdict::unknown:
        return "in which order the directors can be changed is unknown: there are too many kinds of packets to compare";
    case Rollout::Verdict::any_order: return "the directors can be changed in any order";
    case Rollout::Verdict::in_order: return fmt::format("change {}, in this order", order_of(rollout));
    case Rollout::Verdict::no_order:
        return fmt::format("no order is safe for {}: {}{}", fmt::join(rollout.cycle, ", "),
                           report.remedy ? sentence(*report.remedy) : std::string(),
                           rollout.order.empty() ? "" : fmt::format("; before them, {}", order_of(rollout)));
    }
    return "no two directors change";
}

/// Whether the rollout is worth printing; it is not for a safe change of one director.
bool has_rollout(DiffReport const& report) {
    auto const& rollout = report.rollout;
    return rollout && !report.difference.empty() &&
           (rollout->verdict != Rollout::Verdict::one_director || !rollout->unavoidable.empty() ||
            !rollout->standing.empty() || !rollout->vrrp.empty());
}

std::vector<std::string> rollout_lines(DiffReport const& report) {
    auto const& rollout = *report.rollout;
    // VRRP's steps name the directors that change.
    std::vector<std::string> lines = rollout.vrrp;
    if (rollout.vrrp.empty() || rollout.verdict != Rollout::Verdict::one_director)
        lines.insert(lines.begin(), verdict_of(report));
    auto const add = [&](std::string_view what, std::vector<Hazard> const& hazards) {
        for (auto const& text : sentences(hazards))
            lines.push_back(fmt::format("{}{}", what, text));
    };
    add(rollout.verdict == Rollout::Verdict::in_order ? "otherwise: " : "", rollout.avoided);
    add("in any order: ", rollout.unavoidable);
    add("in the end: ", rollout.standing);
    return lines;
}

std::string summary_of(DiffReport const& report) {
    auto const& changes = report.difference.changes;
    auto const& runs = report.difference.runs;
    if (report.difference.empty())
        return report.writes.empty() ? "no difference" : "no difference to traffic; the same stands in another order";
    auto text = fmt::format("{}, {} disruptive", counted(changes.size(), "change"), report.difference.disruptive());
    if (!runs.empty())
        text += fmt::format(", {}", counted(runs.size(), "command"));
    std::vector<std::string> directors;
    auto const add = [&](auto const& list) {
        for (auto const& change : list)
            for (auto const& name : change.directors)
                if (std::ranges::find(directors, name) == directors.end())
                    directors.push_back(name);
    };
    add(changes);
    add(runs);
    return directors.empty() ? text : fmt::format("{}; on {}", text, fmt::join(directors, ", "));
}

std::string writes_text(DirectorWrites const& writes, bool colour) {
    std::string text;
    auto const add = [&](auto const& change) {
        text += fmt::format("{}: {}: rules {} -> {}\n", writes.director, title_of(change), change.before.rule_count(),
                            change.after.rule_count());
        text += write_lines(change, colour);
    };
    std::ranges::for_each(writes.marks, add);
    if (writes.nft)
        add(*writes.nft);
    if (!writes.services.empty())
        text += fmt::format("{}: IPVS: writes {}\n", writes.director, writes.services.size());
    for (auto const& change : writes.services)
        text += write_line(change, colour);
    if (writes.keepalived)
        text += fmt::format("{}: {}\n{}", writes.director, writes.keepalived->path,
                            write_lines(*writes.keepalived, colour));
    return text;
}

std::string bold(std::string_view text, bool colour) {
    return colour ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

/// Text for an HTML element, in which Markdown has no meaning.
std::string html(std::string_view text) {
    std::string out;
    for (char const c : text)
        if (c == '<')
            out += "&lt;";
        else if (c == '&')
            out += "&amp;";
        else
            out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return out;
}

/// Text that Markdown shows unchanged, also if it is not trusted.
std::string escaped(std::string_view text) {
    std::string out;
    for (char const c : html(text)) {
        if (std::string_view("`*_[]|\\~#@").contains(c))
            out += '\\';
        out += c;
    }
    return out;
}

/// Collects paragraphs as long as there is room, and counts the others.
class Comment {
public:
    explicit Comment(std::size_t limit) : limit_(limit) {}

    bool add(std::string_view text) {
        if (text_.size() + text.size() > limit_)
            return false;
        text_ += text;
        return true;
    }
    /// Adds one of many items; the last ones may have no room.
    void add_one(std::string_view text) {
        if (left_out_ > 0 || !add(text))
            ++left_out_;
    }
    /// The number of items that had no room. `take_left_out` also resets it.
    [[nodiscard]] bool has_left_out() const { return left_out_ > 0; }
    std::size_t take_left_out() { return std::exchange(left_out_, 0); }
    void add_room(std::size_t bytes) { limit_ += bytes; }
    /// Adds a text at the end, without regard to the room.
    void close(std::string_view text) { text_ += text; }

    [[nodiscard]] std::string const& text() const { return text_; }

private:
    std::size_t limit_;
    std::size_t left_out_ = 0;
    std::string text_;
};

/// False if not even the title has room.
bool add_details(Comment& comment, std::string_view title, std::vector<std::string> const& lines,
                 std::string_view fence, bool is_open = false) {
    if (!comment.add(fmt::format("\n<details{}><summary>{}</summary>\n\n{}", is_open ? " open" : "", title, fence)))
        return false;
    for (auto const& line : lines)
        comment.add_one(line + "\n");
    auto const left_out = comment.take_left_out();
    if (!fence.empty())
        comment.close("```\n");
    if (left_out > 0)
        comment.close(fmt::format("\n… and {} more\n", counted(left_out, "line")));
    comment.close("\n</details>\n");
    return true;
}

/// The writes as lines of a `diff` block, in which the sign comes first.
std::vector<std::string> diff_block(DirectorWrites const& writes) {
    std::vector<std::string> lines;
    std::string_view text;
    auto const all = writes_text(writes, false);
    for (text = all; !text.empty();) {
        auto const end = text.find('\n');
        auto line = std::string(text.substr(0, end));
        text.remove_prefix(end + 1);
        if (line.starts_with("  "))
            line.erase(0, 2);
        if (line.starts_with("~"))
            line[0] = '!';
        std::ranges::replace(line, '`', '\'');
        lines.push_back(std::move(line));
    }
    return lines;
}

/// Adds the commands that directors run, before all else, each in a block in which Markdown has no meaning.
void add_runs(Comment& comment, std::vector<RunChange> const& runs) {
    if (!runs.empty())
        comment.add("\n**commands**\n\n");
    for (auto const& change : runs) {
        auto text = fmt::format("- ⚠️ {}\n\n  ```diff\n", escaped(sentence(change)));
        for (auto const& line : run_lines(change))
            text += fmt::format("  {}\n", printable(line));
        comment.add_one(text + "  ```\n\n");
    }
    if (auto const left_out = comment.take_left_out(); left_out > 0)
        comment.close(fmt::format("\n⚠️ … and {} more\n", counted(left_out, "command")));
}

} // namespace

std::string diff_text(DiffReport const& report, bool rules, bool colour) {
    std::string text;
    if (!report.difference.runs.empty())
        text += bold("commands", colour) + "\n";
    for (auto const& change : report.difference.runs)
        text += write_lines(change, "  ", colour);
    for (auto const& part : parts_of(report.difference.changes)) {
        text += bold(title_of(part), colour) + "\n";
        for (auto const& change : part.changes) {
            auto const line = sentence(change);
            text += change.disruptive
                        ? fmt::format("  {}! {}{}\n", colour ? "\x1b[31m" : "", line, colour ? "\x1b[0m" : "")
                        : fmt::format("    {}\n", line);
        }
    }
    if (!report.beforehand.empty())
        text += bold("first", colour) + "\n";
    for (auto const& one : report.beforehand)
        text += fmt::format("    {}\n", sentence(one));
    if (has_rollout(report)) {
        text += bold("rollout", colour) + "\n";
        for (auto const& line : rollout_lines(report))
            text += fmt::format("    {}\n", line);
    }
    if (rules)
        for (auto const& writes : report.writes)
            text += writes_text(writes, colour);
    return text + bold(summary_of(report), colour) + "\n";
}

std::string diff_markdown(DiffReport const& report, bool rules, std::size_t limit) {
    constexpr std::size_t ends = 400; // closing lines
    // The rollout keeps its room, however many changes there are.
    auto const for_rollout = has_rollout(report) || !report.beforehand.empty() ? limit / 4 : 0;
    Comment comment(std::max(limit, 4 * ends) - ends - for_rollout);
    comment.close(fmt::format("### lbc: {}\n\n{} → {}\n", escaped(summary_of(report)), escaped(report.before),
                              escaped(report.after)));
    add_runs(comment, report.difference.runs);
    std::size_t left_out_changes = 0;
    for (auto const& part : parts_of(report.difference.changes)) {
        auto head = fmt::format("\n**{}**\n\n", escaped(title_of(part)));
        for (auto const& change : part.changes) {
            comment.add_one(fmt::format("{}- {}{}\n", head, change.disruptive ? "⚠️ " : "", escaped(sentence(change))));
            head.clear();
            left_out_changes += comment.has_left_out() ? part.subjects.size() : 0;
        }
    }
    comment.take_left_out();
    if (left_out_changes > 0)
        comment.close(fmt::format("\n… and {} more\n", counted(left_out_changes, "change")));
    comment.add_room(for_rollout);
    if (!report.beforehand.empty())
        comment.add("\n**first**\n\n");
    for (auto const& one : report.beforehand)
        comment.add_one(fmt::format("- {}\n", escaped(sentence(one))));
    if (auto const left_out = comment.take_left_out(); left_out > 0)
        comment.close(fmt::format("\n… and {} more\n", counted(left_out, "step")));
    if (has_rollout(report)) {
        auto lines = rollout_lines(report);
        auto const title = "Rollout: " + html(lines.front());
        for (auto& line : lines)
            line = "- " + escaped(line);
        bool const is_open = report.rollout->verdict == Rollout::Verdict::no_order;
        add_details(comment, title, lines, "", is_open);
    }
    std::size_t left_out = 0;
    if (rules)
        for (auto const& writes : report.writes)
            if (left_out > 0 ||
                !add_details(comment, "Rules and writes of " + html(writes.director), diff_block(writes), "```diff\n"))
                ++left_out;
    if (left_out > 0)
        comment.close(fmt::format("\n… and the rules and writes of {} more\n", counted(left_out, "director")));
    return comment.text();
}

} // namespace lbc
