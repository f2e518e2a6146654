#include "backends/restore/rule_words.hpp"

#include "compiler/rules/ruleset.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace lbc {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Reads one word from the beginning of `line` and removes it there; nothing if its quote is not closed.
std::optional<Word> take_word(std::string_view& line) {
    Word word;
    bool quoted = false;
    std::size_t at = 0;
    for (; at < line.size(); ++at) {
        char const c = line[at];
        if (quoted && c == '\\' && at + 1 < line.size()) {
            word.text += line[++at];
        } else if (c == '"' && quoted) {
            quoted = false;
            ++at;
            break;
        } else if (c == '"') {
            quoted = true;
        } else if (!quoted && is_blank(c)) {
            break;
        } else {
            word.text += c;
        }
    }
    if (quoted)
        return std::nullopt;
    word.written = line.substr(0, at);
    line.remove_prefix(at);
    return word;
}

bool begins_option(Word const& word) { return word.text == "!" || word.text.starts_with("--"); }

std::optional<std::uint32_t> parse_digits(std::string_view text, int base) {
    std::uint32_t value = 0;
    char const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || error != std::errc{} || stop != end)
        return std::nullopt;
    return value;
}

std::optional<std::uint32_t> parse_mark_value(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X"))
        return parse_digits(text.substr(2), 16);
    return rule_number(text, whole_mark);
}

std::optional<Port> parse_port(std::string_view text) {
    auto const number = rule_number(text, PortRange::all().last.value);
    return number ? std::optional(Port{static_cast<std::uint16_t>(*number)}) : std::nullopt;
}

/// The prefix length of a netmask; nothing if the address is no netmask.
std::optional<int> mask_length(IpAddress const& mask) {
    std::array<std::uint8_t, 16> ones{};
    ones.fill(0xff);
    for (int length = 0; length <= mask.bits(); ++length)
        if (Prefix::of(IpAddress(mask.family(), ones), length).address.bytes() == mask.bytes())
            return length;
    return std::nullopt;
}

std::optional<int> parse_length(std::string_view text, IpAddress const& address) {
    if (auto const length = rule_number(text, static_cast<std::uint32_t>(address.bits())))
        return static_cast<int>(*length);
    auto const mask = IpAddress::parse(text);
    return mask && mask->family() == address.family() ? mask_length(*mask) : std::nullopt;
}

} // namespace

std::optional<std::vector<Word>> split_words(std::string_view line) {
    std::vector<Word> words;
    while (true) {
        while (!line.empty() && is_blank(line.front()))
            line.remove_prefix(1);
        if (line.empty())
            return words;
        auto word = take_word(line);
        if (!word)
            return std::nullopt;
        words.push_back(std::move(*word));
    }
}

std::string as_written(Words words) {
    std::string out;
    for (Word const& word : words) {
        out += out.empty() ? "" : " ";
        out += word.written;
    }
    return out;
}

std::optional<std::vector<RuleOption>> split_options(Words words) {
    std::vector<RuleOption> options;
    for (std::size_t at = 0; at < words.size();) {
        std::size_t const begin = at;
        bool const negated = words[at].text == "!";
        at += negated ? 1 : 0;
        if (at == words.size() || !words[at].text.starts_with("--"))
            return std::nullopt;
        std::string_view const name = words[at++].text;
        std::size_t const values = at;
        while (at < words.size() && !begins_option(words[at]))
            ++at;
        options.push_back({negated, name, words.subspan(values, at - values), words.subspan(begin, at - begin)});
    }
    return options;
}

std::optional<std::uint32_t> rule_number(std::string_view text, std::uint32_t largest) {
    if (text.size() > 1 && text.front() == '0')
        return std::nullopt;
    auto const value = parse_digits(text, 10);
    return value && *value <= largest ? value : std::nullopt;
}

std::optional<MarkAndMask> rule_mark(std::string_view text) {
    std::size_t const slash = text.find('/');
    auto const mark = parse_mark_value(text.substr(0, slash));
    auto const mask = slash == std::string_view::npos ? whole_mark : parse_mark_value(text.substr(slash + 1));
    return mark && mask ? std::optional(MarkAndMask{*mark, *mask}) : std::nullopt;
}

std::optional<PortRange> rule_ports(std::string_view text) {
    std::size_t const colon = text.find(':');
    if (colon == std::string_view::npos) {
        auto const port = parse_port(text);
        return port ? std::optional(PortRange{*port, *port}) : std::nullopt;
    }
    std::string_view const first = text.substr(0, colon);
    std::string_view const last = text.substr(colon + 1);
    auto const low = first.empty() ? PortRange::all().first : parse_port(first);
    auto const high = last.empty() ? PortRange::all().last : parse_port(last);
    return low && high && *low <= *high ? std::optional(PortRange{*low, *high}) : std::nullopt;
}

std::optional<std::uint8_t> rule_protocol(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, std::uint8_t>, 27> names{
        {{"all", 0},       {"icmp", 1},        {"igmp", 2},       {"ipencap", 4},   {"tcp", 6},
         {"udp", 17},      {"dccp", 33},       {"ipv6", 41},      {"rsvp", 46},     {"gre", 47},
         {"esp", 50},      {"ah", 51},         {"ipv6-icmp", 58}, {"icmpv6", 58},   {"ospf", 89},
         {"ipip", 94},     {"etherip", 97},    {"pim", 103},      {"ipcomp", 108},  {"vrrp", 112},
         {"l2tp", 115},    {"sctp", 132},      {"mh", 135},       {"ipv6-mh", 135}, {"mobility-header", 135},
         {"udplite", 136}, {"mpls-in-ip", 137}}};
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    auto const* const found = std::ranges::find(names, lower, &std::pair<std::string_view, std::uint8_t>::first);
    if (found != names.end())
        return found->second;
    auto const number = rule_number(text, 255);
    return number ? std::optional(static_cast<std::uint8_t>(*number)) : std::nullopt;
}

std::optional<Prefix> rule_prefix(std::string_view text) {
    std::size_t const slash = text.find('/');
    auto const address = IpAddress::parse(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    auto const length =
        slash == std::string_view::npos ? address->bits() : parse_length(text.substr(slash + 1), *address);
    return length ? std::optional(Prefix::of(*address, *length)) : std::nullopt;
}

bool is_counters(std::string_view word) {
    std::size_t const colon = word.find(':');
    auto const digits = [](std::string_view text) {
        return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    };
    return word.starts_with('[') && word.ends_with(']') && colon != std::string_view::npos &&
           digits(word.substr(1, colon - 1)) && digits(word.substr(colon + 1, word.size() - colon - 2));
}

} // namespace lbc
