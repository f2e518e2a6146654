#include "backends/restore/read_tables.hpp"

#include "backends/ipset/ipset_text.hpp"
#include "backends/restore/rule_text.hpp"
#include "backends/restore/saved_text.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t largest_text = std::size_t{64} << 20U;
constexpr std::size_t longest_line = 10'239;     // of iptables-restore.c: a buffer of 10,240 bytes, less the NUL
constexpr std::size_t longest_ipset_line = 1000; // far longer than any line that lbc writes
constexpr std::size_t most_rules = 1'000'000;
constexpr std::size_t most_chains = 100'000;
constexpr std::size_t most_repeats = 16; // of tables in one text
constexpr std::size_t longest_name = 31; // XT_EXTENSION_MAXNAMELEN of x_tables.h, less the NUL

using Done = std::expected<void, std::string>;

template <typename... Args>
std::unexpected<std::string> refuse(fmt::format_string<Args...> format, Args&&... args) {
    return std::unexpected(printable(fmt::format(format, std::forward<Args>(args)...)));
}

std::string_view trim(std::string_view line) {
    constexpr std::string_view blanks = " \t";
    std::size_t const begin = line.find_first_not_of(blanks);
    return begin == std::string_view::npos ? std::string_view{}
                                           : line.substr(begin, line.find_last_not_of(blanks) - begin + 1);
}

/// Cuts a text into lines like iptables-restore of either kind: bytes beyond its buffer begin a new line.
class RestoreLines {
public:
    explicit RestoreLines(std::string_view text) : text_(text) {}

    std::optional<std::string_view> next() {
        if (text_.empty())
            return std::nullopt;
        is_rest_ = is_cut_;
        number_ += is_rest_ ? 0 : 1;
        auto const end = text_.substr(0, longest_line).find('\n');
        is_cut_ = end == std::string_view::npos && text_.size() > longest_line;
        auto const line = text_.substr(0, std::min(end, longest_line));
        text_.remove_prefix(std::min(line.size() + (is_cut_ ? 0 : 1), text_.size()));
        return line;
    }
    [[nodiscard]] std::size_t number() const { return number_; }
    [[nodiscard]] bool is_rest() const { return is_rest_; } // the rest of the line before

private:
    std::string_view text_;
    std::size_t number_ = 0;
    bool is_cut_ = false;
    bool is_rest_ = false;
};

/// The part of a line that a message shows.
std::string_view shown(std::string_view line) { return line.substr(0, 60); }

bool is_chain_name(std::string_view name) {
    static constexpr std::string_view verdicts[]{"ACCEPT", "DROP", "QUEUE", "RETURN"};
    return !name.empty() && name.size() <= longest_name && name.front() != '-' && name.front() != '!' &&
           std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }) &&
           std::ranges::find(verdicts, name) == std::ranges::end(verdicts);
}

class TablesReader {
public:
    /// `notes` is for texts that people saved; null if a program that lbc knows made the text.
    explicit TablesReader(Family family, std::vector<TextProblem>* notes = nullptr)
        : family_(family), sets_(family), notes_(notes) {}

    std::expected<Netfilter, TextProblem> read(std::string_view text) {
        if (text.size() > largest_text)
            return std::unexpected(TextProblem{0, fmt::format("the text is larger than {} MiB", largest_text >> 20U)});
        RestoreLines lines(text);
        while (auto const line = lines.next()) {
            line_ = lines.number();
            if (Done const done = take(*line, lines.is_rest()); !done)
                return std::unexpected(TextProblem{line_, done.error()});
        }
        if (notes_ != nullptr && tables_.empty() && !is_open_ && !notes_->empty())
            return std::unexpected(TextProblem{notes_->front().line, "no line of the text is a table's or a rule"});
        if (is_open_ && !is_implied_) {
            return std::unexpected(TextProblem{
                lines.number(), fmt::format("the table `{}` has no COMMIT: the text is cut off", rules_.table)});
        }
        if (is_open_)
            close();
        if (auto const mangle = std::ranges::find(tables_, "mangle", &Ruleset::table); mangle != tables_.end())
            mangle->sets = std::move(sets_).sets();
        return Netfilter{family_, std::move(tables_)};
    }

private:
    Done take(std::string_view line, bool is_rest) {
        if (line.contains('\0'))
            return refuse("the line has a NUL, behind which iptables-restore reads nothing of it");
        if (line.ends_with('\r'))
            return refuse("the line ends in a carriage return, which iptables-restore does not take");
        line = trim(line);
        if (line.empty())
            return {};
        if (line.starts_with(ipset_prefix) && !is_rest) {
            if (line.size() > longest_ipset_line)
                return refuse("a line for ipset is longer than {} bytes", longest_ipset_line);
            return sets_.take(line.substr(ipset_prefix.size()));
        }
        if (!is_open_ && IpsetReader::is_command(line))
            return sets_.take(line);
        switch (line.front()) {
        case '#': return comment(line);
        case '*': return open(line.substr(1));
        case ':': return declare(line.substr(1));
        default: break;
        }
        if (line == "COMMIT")
            return commit();
        if (notes_ != nullptr && !is_open_ && is_other_output(line)) {
            notes_->push_back({line_, printable(fmt::format("this is no line of a table: `{}`", shown(line)))});
            return {};
        }
        return append(line);
    }

    Done comment(std::string_view line) {
        // iptables-nft-save prints these if another program has put rules into the table, or has tables beside it.
        if (line.starts_with("# Table `") && line.contains("incompatible"))
            return refuse("the text lacks rules that the program which wrote it does not know: `{}`", shown(line));
        if (line.starts_with("# Warning: ") && line.contains("-legacy tables present")) {
            return refuse("the text lacks the rules of other tables of its kernel: `{}`; save both kinds, `nft -j list "
                          "ruleset` and iptables-legacy-save, each in a file of its own",
                          shown(line));
        }
        if (auto const writer = writer_of(line); writer != Writer::unknown)
            writer_ = writer;
        return {};
    }

    Done open(std::string_view table) {
        if (is_open_)
            return refuse("the table `{}` begins before the COMMIT of `{}`", shown(table), rules_.table);
        if (!is_table(table))
            return refuse("`{}` is no table of iptables", shown(table));
        if (auto const again = std::ranges::find(tables_, table, &Ruleset::table); again != tables_.end()) {
            if (notes_ == nullptr)
                return refuse("the table `{}` is here a second time; one text holds one family's", table);
            if (++repeats_ > most_repeats)
                return refuse("more than {} tables are here again: give one of the texts alone", most_repeats);
            auto const before = writers_[static_cast<std::size_t>(again - tables_.begin())];
            if (before != writer_) {
                return refuse("the table `{}` is here of iptables-legacy-save and of iptables-nft-save, which are two "
                              "tables of one kernel; save both kinds, `nft -j list ruleset` and iptables-legacy-save, "
                              "each in a file of its own",
                              table);
            }
        }
        begin(table);
        return {};
    }

    void begin(std::string_view table) {
        is_open_ = true;
        rules_ = Ruleset{};
        rules_.family = family_;
        rules_.table = table;
        names_ = {rules_.table, {}};
        dropping_.clear();
        quoted_.clear();
        begin_ = line_;
    }

    /// Rules without a table line belong to the mangle table, if the text has no other table.
    Done need_table(std::string_view line) {
        if (is_open_)
            return {};
        if (!tables_.empty())
            return refuse("`{}` stands in no table", shown(line));
        begin("mangle");
        is_implied_ = true;
        return {};
    }

    Done declare(std::string_view line) {
        if (Done const done = need_table(line); !done)
            return done;
        auto const words = split_blanks(line);
        if (words.size() < 2 || words.size() > 3 || (words.size() == 3 && !is_counters(words[2])))
            return refuse("`:{}` is no chain with its policy", shown(line));
        std::string const name(words[0]);
        std::string_view const policy = words[1];
        if (!is_chain_name(name))
            return refuse("`{}` cannot be the name of a chain", shown(name));
        bool const can_drop = is_builtin_chain(rules_.table, name);
        if (policy != "-" && (!can_drop || (policy != "ACCEPT" && policy != "DROP")))
            return refuse("`{}` cannot be the policy of the chain `{}`", shown(policy), name);
        if (names_.chains.contains(name))
            return refuse("the chain `{}` is declared a second time", name);
        if (policy == "DROP")
            dropping_.push_back(rules_.chains.size());
        if (name.contains('"'))
            quoted_.insert(name);
        return add_chain(name);
    }

    Done add_chain(std::string_view name) {
        if (++chains_ > most_chains)
            return refuse("the text has more than {} chains", most_chains);
        names_.chains.emplace(name, rules_.chains.size());
        rules_.chains.push_back({std::string(name), {}});
        return {};
    }

    Done append(std::string_view line) {
        auto const split = split_rule(line, quoted_);
        if (!split)
            return refuse("{}", split.error());
        Words words = *split;
        if (is_counters(words.front().written))
            words = words.subspan(1);
        if (words.size() < 2 || !is_append(words.front().text))
            return refuse("`{}` is none of `*TABLE`, `:CHAIN POLICY`, `-A CHAIN RULE` and COMMIT", shown(line));
        if (Done const done = need_table(line); !done)
            return done;
        return append(words[1].text, words.subspan(2));
    }

    Done append(std::string const& chain, Words rule) {
        if (!names_.chains.contains(chain)) {
            if (!is_builtin_chain(rules_.table, chain))
                return refuse("the chain `{}` is not declared in the table `{}`", shown(chain), rules_.table);
            if (Done const done = add_chain(chain); !done)
                return done;
        }
        if (++rule_count_ > most_rules)
            return refuse("the text has more than {} rules", most_rules);
        auto read = read_rule_words(rule, family_, names_);
        if (!read)
            return std::unexpected(printable(read.error()));
        if (*read)
            rules_.chains[names_.chains.find(chain)->second].rules.push_back(std::move(**read));
        return {};
    }

    Done commit() {
        if (!is_open_ || is_implied_)
            return refuse("COMMIT stands in no table");
        close();
        return {};
    }

    void close() {
        for (std::size_t const chain : dropping_)
            rules_.chains[chain].rules.push_back({{}, Drop{.is_policy = true}, {}});
        std::ranges::sort(rules_.chains, {}, &Chain::name);
        is_open_ = false;
        auto const again = std::ranges::find(tables_, rules_.table, &Ruleset::table);
        if (again == tables_.end()) {
            tables_.push_back(std::move(rules_));
            writers_.push_back(writer_);
        } else if (*again != rules_) {
            notes_->push_back(
                {begin_, fmt::format("the table `{}` is here again, with other rules: those before it may "
                                     "hold or not, as iptables-restore takes them back",
                                     rules_.table)});
            *again = with_doubtful(*again, std::move(rules_));
        }
    }

    Family family_;
    IpsetReader sets_;
    std::vector<TextProblem>* notes_;
    std::vector<Ruleset> tables_;
    std::vector<Writer> writers_; // of each table
    Writer writer_ = Writer::unknown;
    std::size_t line_ = 0;
    std::size_t chains_ = 0;
    std::size_t rule_count_ = 0;
    std::size_t repeats_ = 0;
    bool is_open_ = false;
    bool is_implied_ = false; // the open table has no line of its own

    // Of the open table:
    std::size_t begin_ = 0; // its line
    Ruleset rules_;
    TableNames names_;
    std::vector<std::size_t> dropping_;         // places of chains with the policy DROP
    std::set<std::string, std::less<>> quoted_; // its chains with a quote in their names
};

std::optional<Family> family_of_comment(std::string_view line) {
    for (std::string_view const before : {"# Generated by ", "# Load with: "}) {
        if (line.starts_with(before)) {
            std::string_view const program = line.substr(before.size());
            return program.starts_with("ip6tables")  ? std::optional(Family::ipv6)
                   : program.starts_with("iptables") ? std::optional(Family::ipv4)
                                                     : std::nullopt;
        }
    }
    return std::nullopt;
}

FamilySigns signs_of_line(std::string_view line) {
    bool const is_rule = line.starts_with('-') || line.starts_with('[');
    auto const words = is_rule ? split_words(line) : std::nullopt;
    if (!words)
        return {};
    auto const append = std::ranges::find_if(*words, [](Word const& word) { return is_append(word.text); });
    auto const chain = static_cast<std::size_t>(append - words->begin()) + 1;
    return chain < words->size() ? family_signs(Words(*words).subspan(chain + 1)) : FamilySigns{};
}

} // namespace

std::expected<Netfilter, TextProblem> read_tables(std::string_view text, Family family) {
    return TablesReader(family).read(text);
}

std::expected<SavedTables, TextProblem> read_saved_tables(std::string_view text, Family family) {
    SavedTables saved;
    auto rules = TablesReader(family, &saved.notes).read(text);
    if (!rules)
        return std::unexpected(std::move(rules.error()));
    saved.rules = std::move(*rules);
    return saved;
}

std::optional<Family> family_of_tables(std::string_view text) {
    std::optional<Family> hint;
    RestoreLines lines(text);
    while (auto const next = lines.next()) {
        std::string_view const line = trim(*next);
        if (auto const family = family_of_comment(line))
            return family;
        FamilySigns const signs = signs_of_line(line);
        if (signs.address)
            return signs.address;
        hint = hint ? hint : signs.protocol;
    }
    return hint;
}

} // namespace lbc
