#include "backends/restore/rule_text.hpp"

#include "backends/restore/rule_match.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lbc {
namespace {

enum class Option : char {
    source = 's',
    destination = 'd',
    in_interface = 'i',
    out_interface = 'o',
    protocol = 'p',
    fragment = 'f',
    match = 'm',
    jump = 'j',
    go_to = 'g',
    counters = 'c',
    only_ipv4 = '4',
    only_ipv6 = '6'
};

struct OptionName {
    std::string_view name;
    Option option;
};
constexpr std::array<OptionName, 28> option_names{{{"-s", Option::source},
                                                   {"--source", Option::source},
                                                   {"--src", Option::source},
                                                   {"-d", Option::destination},
                                                   {"--destination", Option::destination},
                                                   {"--dst", Option::destination},
                                                   {"-i", Option::in_interface},
                                                   {"--in-interface", Option::in_interface},
                                                   {"-o", Option::out_interface},
                                                   {"--out-interface", Option::out_interface},
                                                   {"-p", Option::protocol},
                                                   {"--protocol", Option::protocol},
                                                   {"--proto", Option::protocol},
                                                   {"-f", Option::fragment},
                                                   {"--fragment", Option::fragment},
                                                   {"--fragments", Option::fragment},
                                                   {"-m", Option::match},
                                                   {"--match", Option::match},
                                                   {"-j", Option::jump},
                                                   {"--jump", Option::jump},
                                                   {"-g", Option::go_to},
                                                   {"--goto", Option::go_to},
                                                   {"-c", Option::counters},
                                                   {"--set-counters", Option::counters},
                                                   {"-4", Option::only_ipv4},
                                                   {"--ipv4", Option::only_ipv4},
                                                   {"-6", Option::only_ipv6},
                                                   {"--ipv6", Option::only_ipv6}}};

std::optional<Option> option_of(std::string_view word) {
    auto const* const found = std::ranges::find(option_names, word, &OptionName::name);
    return found == option_names.end() ? std::nullopt : std::optional(found->option);
}

/// Options whose value is any text, which may look like an option.
bool takes_text(std::string_view word) {
    static constexpr std::array<std::string_view, 6> names{"--comment",    "--string",       "--hex-string",
                                                           "--log-prefix", "--nflog-prefix", "--ulog-prefix"};
    return std::ranges::find(names, word) != names.end();
}

/// An option of iptables itself that this reader does not know, or in a form that only getopt takes: `-t`, `-jDROP`,
/// `--jum`, `--goto=X`. A number is no option.
bool is_odd_option(std::string_view word) {
    if (word.size() < 2 || word.front() != '-' || option_of(word))
        return false;
    if (word[1] != '-')
        return word[1] < '0' || word[1] > '9';
    std::string_view const name = word.substr(0, word.find('='));
    return name.size() > 2 &&
           (std::string_view("--jump").starts_with(name) || std::string_view("--goto").starts_with(name));
}

/// An option of iptables with all that stands before the next: `! -d 192.0.2.1`, `-m tcp --dport 80`.
struct Group {
    Option option;
    bool negated = false;
    Words all;   // with `!`
    Words value; // behind the option; never fewer words than it requires
    Words rest;  // behind the values that the option takes
};

std::size_t values_of(Option option) {
    switch (option) {
    case Option::fragment:
    case Option::only_ipv4:
    case Option::only_ipv6: return 0;
    case Option::counters: return 2;
    default: return 1;
    }
}

/// The end of the group that continues at `at`: before the next option of iptables, or its `!`. Nothing if an option is
/// odd.
std::optional<std::size_t> end_of_group(Words words, std::size_t at) {
    while (at < words.size()) {
        std::size_t const option = words[at].text == "!" ? at + 1 : at;
        if (option == words.size() || is_odd_option(words[option].text))
            return std::nullopt;
        if (option_of(words[option].text))
            return at;
        at = takes_text(words[option].text) ? option + 2 : option + 1;
    }
    return std::min(at, words.size());
}

/// The options of a rule; nothing if they make no sense.
std::optional<std::vector<Group>> split_groups(Words words) {
    std::vector<Group> groups;
    for (std::size_t at = 0; at < words.size();) {
        std::size_t const begin = at;
        bool const negated = words[at].text == "!";
        at += negated ? 1 : 0;
        auto const option = at < words.size() ? option_of(words[at].text) : std::nullopt;
        std::size_t const values = option ? values_of(*option) : 0;
        if (!option || words.size() - at <= values)
            return std::nullopt;
        auto const end = end_of_group(words, at + 1 + values);
        if (!end)
            return std::nullopt;
        groups.push_back({*option, negated, words.subspan(begin, *end - begin), words.subspan(at + 1, *end - at - 1),
                          words.subspan(at + 1 + values, *end - at - 1 - values)});
        at = *end;
    }
    return groups;
}

bool is_count(Word const& word) {
    return std::ranges::all_of(word.text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_target(Group const& group) { return group.option == Option::jump || group.option == Option::go_to; }

/// `has_protocol`: a `-p` of a known protocol stands at the group or before it, so that options of the protocol may
/// follow.
bool is_sensible(Group const& group, bool has_protocol) {
    bool const is_extension = is_target(group) || group.option == Option::match;
    if (is_extension || group.option == Option::protocol) {
        std::string const& name = group.value[0].text;
        if (name.empty() || name.starts_with('-') || (is_extension && group.negated))
            return false;
    }
    if (is_extension)
        return true;
    if (group.option == Option::counters && !std::ranges::all_of(group.value.first(2), is_count))
        return false;
    return group.rest.empty() || (has_protocol && split_options(group.rest));
}

/// Whether iptables would take the groups: at most one target and one protocol, and no words without an option.
bool are_sensible(std::vector<Group> const& groups) {
    auto const protocol = std::ranges::find_if(groups, [](Group const& group) {
        return group.option == Option::protocol && rule_protocol(group.value[0].text);
    });
    for (auto group = groups.begin(); group != groups.end(); ++group)
        if (!is_sensible(*group, protocol <= group))
            return false;
    return std::ranges::count_if(groups, is_target) <= 1 &&
           std::ranges::count(groups, Option::protocol, &Group::option) <= 1;
}

class RuleReader {
public:
    RuleReader(Family family, TableNames const& names) : family_(family), names_(names) {}

    std::expected<Rule, std::string> read(std::vector<Group> const& groups) {
        // Matches depend on the protocol, which may stand behind them.
        for (Group const& group : groups)
            if (group.option == Option::protocol)
                take(group);
        for (Group const& group : groups) {
            if (auto const refused = foreign_address(group); !refused.empty())
                return std::unexpected(refused);
            if (group.option != Option::protocol)
                take(group);
        }
        if (changes_mark_) {
            rule_.then = UnknownTarget{target_};
            // The mark changes before a match behind it fails: none of these keeps a packet from the change.
            rule_.when.destination_ports.clear();
            rule_.when.source_mac.reset();
            rule_.when.mark.reset();
        }
        return std::move(rule_);
    }

private:
    void take(Group const& group) {
        Matches& when = rule_.when;
        switch (group.option) {
        case Option::match: match(group); return;
        case Option::jump:
        case Option::go_to:
            target_ = as_written(group.value);
            rule_.then = read_target_words(group.value, group.option == Option::go_to, names_);
            return;
        case Option::only_ipv4:
        case Option::only_ipv6:
        case Option::counters: return;
        default: break;
        }
        Words const own = group.all.first(group.all.size() - group.rest.size());
        if (!take_basic(group))
            add_unknown(when, as_written(own));
        if (group.option == Option::protocol)
            protocol_ = &group.value[0];
        if (!group.rest.empty())
            read_protocol_options(*protocol_, group.rest, when);
    }

    bool take_basic(Group const& group) {
        switch (group.option) {
        case Option::source: {
            auto const prefix = rule_prefix(group.value[0].text);
            return prefix && prefix->length == 0 && !group.negated;
        }
        case Option::destination: return destination(group);
        case Option::in_interface: return in_interface(group);
        case Option::out_interface: return group.value[0].text == "+" && !group.negated;
        case Option::protocol: return protocol(group);
        default: return false;
        }
    }

    bool destination(Group const& group) {
        auto const prefix = rule_prefix(group.value[0].text);
        if (!prefix || rule_.when.destination)
            return false;
        if (prefix->length > 0 || group.negated) {
            rule_.when.destination = prefix;
            rule_.when.not_destination = group.negated;
        }
        return true;
    }

    bool in_interface(Group const& group) {
        auto const pattern = InterfacePattern::parse(group.value[0].text);
        if (!pattern || rule_.when.in_interface)
            return false;
        if (pattern->str() != "+" || group.negated) {
            rule_.when.in_interface = pattern;
            rule_.when.not_in_interface = group.negated;
        }
        return true;
    }

    bool protocol(Group const& group) {
        auto const number = rule_protocol(group.value[0].text);
        if (!number)
            return false;
        if (*number == 0)
            return !group.negated;
        rule_.when.protocol = *number;
        rule_.when.not_protocol = group.negated;
        return true;
    }

    void match(Group const& group) {
        if (group.value[0].text == "comment" && group.value.size() == 3 && group.value[1].text == "--comment") {
            rule_.comment += rule_.comment.empty() ? "" : " ";
            rule_.comment += printable(group.value[2].text);
            return;
        }
        changes_mark_ = changes_mark_ || changes_mark(group.all);
        read_match_words(group.all, rule_.when);
    }

    [[nodiscard]] std::string foreign_address(Group const& group) const {
        if (group.option != Option::destination && group.option != Option::source)
            return {};
        auto const prefix = rule_prefix(group.value[0].text);
        if (!prefix || prefix->family() == family_)
            return {};
        return fmt::format("`{}` is an {} address among the {} rules", prefix->str(), title(prefix->family()),
                           title(family_));
    }

    Family family_;
    TableNames const& names_;
    Rule rule_{{}, Continue{}, {}};
    std::string target_ = "CONTINUE"; // as written, if there is one
    bool changes_mark_ = false;
    Word const* protocol_ = nullptr; // behind `-p`
};

std::optional<Family> family_of_match(std::string_view name) {
    if (name == "icmp")
        return Family::ipv4;
    return name == "icmp6" ? std::optional(Family::ipv6) : std::nullopt;
}

std::optional<Family> family_of_protocol(std::string_view value) {
    auto const number = rule_protocol(value);
    if (number == 1)
        return Family::ipv4;
    return number == 58 ? std::optional(Family::ipv6) : std::nullopt;
}

} // namespace

std::expected<std::optional<Rule>, std::string> read_rule_words(Words words, Family family, TableNames const& names) {
    auto const groups = split_groups(words);
    if (!groups || !are_sensible(*groups)) {
        Rule rule{{}, UnknownTarget{"?"}, {}};
        rule.when.unknown = as_written(words);
        return rule;
    }
    Option const others = family == Family::ipv4 ? Option::only_ipv6 : Option::only_ipv4;
    if (std::ranges::find(*groups, others, &Group::option) != groups->end())
        return std::nullopt;
    return RuleReader(family, names).read(*groups);
}

FamilySigns family_signs(Words words) {
    auto const groups = split_groups(words);
    FamilySigns signs;
    for (Group const& group : groups.value_or(std::vector<Group>{})) {
        std::string_view const value = group.value.empty() ? std::string_view{} : group.value[0].text;
        if (group.option == Option::destination || group.option == Option::source) {
            auto const prefix = rule_prefix(value);
            signs.address = prefix ? prefix->family() : signs.address;
        } else if (group.option == Option::match || group.option == Option::protocol) {
            auto const family = group.option == Option::match ? family_of_match(value) : family_of_protocol(value);
            signs.protocol = signs.protocol ? signs.protocol : family;
        }
    }
    return signs;
}

} // namespace lbc
