#include "backends/nft/variant_lines.hpp"

#include "compiler/rules/ruleset.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace lbc {
namespace {

using Counts = std::map<std::string, std::size_t, std::less<>>;

/// The option that iptables-nft-save prints before a comment. Names that it prints unescaped have at most 31 bytes,
/// those of sets.
constexpr std::string_view comment_option = " -m comment --comment ";

/// The position of the closing quote of a text that starts after the opening one.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
    while (at < text.size() && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return std::min(at, text.size());
}

bool ends_word(std::string_view text, std::size_t at) {
    return at >= text.size() || text[at] == ' ' || text[at] == '\n';
}

/// Whether iptables-restore reads the words of a rule as iptables-nft-save meant them: quotes only enclose whole values
/// of options.
bool has_plain_words(std::string_view rule) {
    std::string_view before; // the word before this one
    for (std::size_t at = 0; at < rule.size();) {
        if (rule[at] == '"') {
            auto const end = end_of_quoted(rule, at + 1);
            if (!before.starts_with("--") || end == rule.size() || !ends_word(rule, end + 1))
                return false;
            at = end + 2;
            before = {};
            continue;
        }
        auto const end = std::min(rule.find_first_of(" \n", at), rule.size());
        before = rule.substr(at, end - at);
        if (before.find_first_of("\"'\\") != std::string_view::npos || (end < rule.size() && rule[end] == '\n'))
            return false;
        at = end + 1;
    }
    return true;
}

/// ":LBC - [0:0]"
bool declares(std::string_view line, std::string_view name) {
    auto const rest = line.substr(std::min(line.size(), name.size() + 1));
    auto const counters = rest.find(" [");
    return counters != std::string_view::npos && rest.starts_with(' ') && rest.ends_with(']') &&
           rest.find(' ', 1) == counters && rest.find(' ', counters + 1) == std::string_view::npos;
}

std::string about(std::string_view line) {
    constexpr std::size_t most = 200;
    return fmt::format("it has the line `{}{}`", printable(line.substr(0, most)), line.size() > most ? "…" : "");
}

class Comparison {
public:
    explicit Comparison(std::vector<NftDumpedRule> const& rules) {
        for (auto const& rule : rules)
            kernel_[rule.chain].push_back(rule.next);
    }

    /// Checks a line of a mangle table.
    std::optional<std::string> look_at(std::string_view line) {
        if (line.starts_with(':'))
            return look_at_chain(line);
        if (line.starts_with("-A "))
            return look_at_rule(line);
        if (line != "COMMIT" && !line.starts_with('*') && own_) // text after a line break in a name
            return about(*own_);
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::string> end() const {
        for (auto const& [chain, count] : counts_)
            if (auto const has = next_of(chain).size(); has != count)
                return fmt::format("it has {} rules of the chain {}, where the kernel has {}", count, chain, has);
        for (auto const& [chain, rules] : kernel_)
            if (is_own_chain(chain) && !counts_.contains(chain))
                return fmt::format("it has no chain {}, which the kernel has", printable(chain));
        return std::nullopt;
    }

private:
    [[nodiscard]] std::vector<std::string> const& next_of(std::string_view chain) const {
        static std::vector<std::string> const none;
        auto const found = kernel_.find(chain);
        return found == kernel_.end() ? none : found->second;
    }

    std::optional<std::string> look_at_chain(std::string_view line) {
        auto const name = line.substr(1, line.find(' ') - 1);
        bool const is_own = is_own_chain(name);
        if (!declares(line, name))
            return is_own ? std::optional(about(line)) : std::nullopt;
        if (is_own || !line.substr(name.size() + 1).starts_with(" - ")) // a built-in chain has a policy
            counts_.emplace(name, 0);
        return std::nullopt;
    }

    std::optional<std::string> look_at_rule(std::string_view line) {
        own_.reset();
        auto const words = line.substr(3);
        auto const chain = words.substr(0, words.find(' '));
        auto const count = counts_.find(chain);
        if (count == counts_.end())
            return is_own_chain(chain) ? std::optional(about(line)) : std::nullopt;
        auto const& next = next_of(chain);
        if (count->second == next.size())
            return about(line);
        auto const& leads_to = next[count->second++];
        auto const says = last_jump(line);
        bool const is_hook = is_own_chain(leads_to);
        if ((is_hook || is_own_chain(says)) && says != leads_to)
            return about(line);
        if (!is_hook && !is_own_chain(chain))
            return std::nullopt;
        own_ = line;
        return has_plain_words(line) ? std::nullopt : std::optional(about(line));
    }

    std::map<std::string, std::vector<std::string>, std::less<>> kernel_; // where the rules of each chain lead
    Counts counts_;                       // rules read so far, of own and built-in chains
    std::optional<std::string_view> own_; // the last rule, if it is own
};

} // namespace

SavedLine take_saved_line(std::string_view& saved) {
    auto end = std::min(saved.find('\n'), saved.size());
    bool is_broken = false;
    for (std::size_t from = 0; saved.starts_with("-A ") && !is_broken;) {
        auto const option = saved.substr(0, end).find(comment_option, from);
        auto const quote = option + comment_option.size();
        if (option == std::string_view::npos || quote >= saved.size())
            break;
        from = quote;
        if (saved[quote] != '"')
            continue;
        auto const closing = end_of_quoted(saved, quote + 1);
        is_broken = closing == saved.size() || !ends_word(saved, closing + 1);
        from = closing;
        if (!is_broken)
            end = std::min(saved.find('\n', closing), saved.size());
    }
    auto const line = saved.substr(0, end);
    saved.remove_prefix(std::min(end + 1, saved.size()));
    return {line, is_broken};
}

std::string_view last_jump(std::string_view rule) {
    auto const blank = rule.rfind(' ');
    if (blank == std::string_view::npos)
        return {};
    auto const before = rule.substr(0, blank);
    auto const option = before.substr(before.rfind(' ') + 1);
    return option == "-j" || option == "-g" ? rule.substr(blank + 1) : std::string_view();
}

std::optional<std::string> distrust(std::string_view saved, std::vector<NftDumpedRule> const& rules) {
    Comparison comparison(rules);
    bool is_mangle = false;
    while (!saved.empty()) {
        auto const line = take_saved_line(saved);
        if (line.is_broken)
            return about(line.text);
        if (line.text.starts_with('*'))
            is_mangle = line.text == "*mangle";
        if (!is_mangle)
            continue;
        if (auto why = comparison.look_at(line.text))
            return why;
        is_mangle = line.text != "COMMIT";
    }
    return comparison.end();
}

} // namespace lbc
