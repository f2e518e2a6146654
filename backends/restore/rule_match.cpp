#include "backends/restore/rule_match.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc {
namespace {

/// The name of the rule's protocol, such as "tcp", if it has ports; else empty.
std::string_view port_protocol(Matches const& when) {
    if (when.not_protocol)
        return {};
    for (Protocol const protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp})
        if (when.protocol == static_cast<std::uint8_t>(protocol))
            return to_string(protocol);
    return {};
}

/// The match with the options of a protocol.
std::string match_name(Word const& protocol) {
    constexpr std::uint8_t icmp = 1;
    constexpr std::uint8_t icmp6 = 58;
    auto const number = rule_protocol(protocol.text);
    return number == icmp ? "icmp" : number == icmp6 ? "icmp6" : as_written(Words(&protocol, 1));
}

bool asks_any_port(Matches const& when) {
    return when.destination_ports.empty() ||
           (when.destination_ports == std::vector{PortRange::all()} && !when.not_destination_ports);
}

bool set_ports(std::vector<PortRange> ports, bool negated, Matches& into) {
    if (!asks_any_port(into))
        return false;
    into.destination_ports = std::move(ports);
    into.not_destination_ports = negated;
    return true;
}

bool read_port_option(RuleOption const& option, Matches& into) {
    bool const source = option.name == "--sport" || option.name == "--source-port";
    bool const destination = option.name == "--dport" || option.name == "--destination-port";
    auto const ports =
        (source || destination) && option.values.size() == 1 ? rule_ports(option.values[0].text) : std::nullopt;
    if (!ports)
        return false;
    return source ? ports->is_all() && !option.negated : set_ports({*ports}, option.negated, into);
}

/// `-m tcp`, `-m udp`, `-m sctp`: options that no field can represent stay behind their own `-m`.
bool read_port_match(std::string_view name, Words words, Matches& into) {
    auto const options = split_options(words);
    if (!options || name != port_protocol(into))
        return false;
    std::string others;
    for (RuleOption const& option : *options) {
        if (!read_port_option(option, into)) {
            others += ' ';
            others += as_written(option.all);
        }
    }
    if (!others.empty())
        add_unknown(into, fmt::format("-m {}{}", name, others));
    else if (into.destination_ports.empty())
        into.destination_ports = {PortRange::all()};
    return true;
}

std::vector<PortRange> parse_port_list(std::string_view text) {
    constexpr std::size_t most_slots = 15; // XT_MULTI_PORTS, of which a range takes two
    std::vector<PortRange> ports;
    std::size_t slots = 0;
    while (true) {
        std::size_t const comma = text.find(',');
        std::string_view const part = text.substr(0, comma);
        auto const range = part.starts_with(':') || part.ends_with(':') ? std::nullopt : rule_ports(part);
        slots += range && part.contains(':') ? 2 : 1;
        if (!range || slots > most_slots)
            return {};
        ports.push_back(*range);
        if (comma == std::string_view::npos)
            return ports;
        text.remove_prefix(comma + 1);
    }
}

bool read_multiport(RuleOption const& option, Matches& into) {
    if (port_protocol(into).empty() || (option.name != "--dports" && option.name != "--destination-ports"))
        return false;
    std::vector<PortRange> ports = parse_port_list(option.values[0].text);
    return !ports.empty() && set_ports(std::move(ports), option.negated, into);
}

bool read_mac(RuleOption const& option, Matches& into) {
    auto const mac = MacAddress::parse(option.values[0].text);
    if (!mac || into.source_mac || option.name != "--mac-source")
        return false;
    into.source_mac = mac;
    into.not_source_mac = option.negated;
    return true;
}

bool read_mark(RuleOption const& option, Matches& into) {
    auto const asked = rule_mark(option.values[0].text);
    if (!asked || into.mark || option.name != "--mark")
        return false;
    into.mark = Fwmark{asked->mark};
    into.mark_mask = asked->mask;
    into.not_mark = option.negated;
    return true;
}

bool read_known(std::string_view name, Words words, Matches& into) {
    if (name == "tcp" || name == "udp" || name == "sctp")
        return read_port_match(name, words, into);
    auto const options = split_options(words);
    if (!options || options->size() != 1 || options->front().values.size() != 1)
        return false;
    if (name == "multiport")
        return read_multiport(options->front(), into);
    if (name == "mac")
        return read_mac(options->front(), into);
    return name == "mark" && read_mark(options->front(), into);
}

} // namespace

void add_unknown(Matches& into, std::string_view text) {
    into.unknown += into.unknown.empty() ? "" : " ";
    into.unknown += text;
}

void read_match_words(Words match, Matches& into) {
    if (!read_known(match[1].text, match.subspan(2), into))
        add_unknown(into, as_written(match));
}

void read_protocol_options(Word const& protocol, Words options, Matches& into) {
    std::string_view const ports = port_protocol(into);
    if (ports.empty() || !read_port_match(ports, options, into))
        add_unknown(into, fmt::format("-m {} {}", match_name(protocol), as_written(options)));
}

bool changes_mark(Words match) {
    // getopt takes any beginning of an option's name for the option.
    return match[1].text == "socket" && std::ranges::any_of(match.subspan(2), [](Word const& word) {
               return word.text.starts_with("--r") && std::string_view("--restore-skmark").starts_with(word.text);
           });
}

} // namespace lbc
