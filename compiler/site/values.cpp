#include "compiler/site/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace lbc {
namespace {

template <typename... Args>
std::unexpected<ValueError> refuse(DiagId id, fmt::format_string<Args...> format, Args&&... args) {
    return std::unexpected(ValueError{id, fmt::format(format, std::forward<Args>(args)...)});
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// The bounds of a mark are printed in hex if they are above 9, because people read marks in hex.
std::string show(std::uint64_t number, NumberRange const& range) {
    return range.high == mark_range.high && number > 9 ? fmt::format("{:#x}", number) : std::to_string(number);
}

} // namespace

std::string addresses_of(Prefix const& prefix) {
    auto const free_bits = prefix.address.bits() - prefix.length;
    if (free_bits == 0)
        return "1 address";
    return free_bits < 32 ? fmt::format("{} addresses", std::uint64_t{1} << free_bits)
                          : fmt::format("2^{} addresses", free_bits);
}

Value<std::uint64_t> parse_number(std::string_view text, NumberRange const& range) {
    auto const hex = text.starts_with("0x") || text.starts_with("0X");
    auto const digits = hex ? text.substr(2) : text;
    if (text.empty())
        return refuse(DiagId::bad_number, "a number is missing; {} is a number from {} to {}", range.what,
                      show(range.low, range), show(range.high, range));
    if (digits.empty() || !std::ranges::all_of(digits, hex ? is_hex_digit : is_digit))
        return refuse(DiagId::bad_number, "`{}` is no number; {} is a number from {} to {}", text, range.what,
                      show(range.low, range), show(range.high, range));
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
    if (error != std::errc{} || number < range.low || number > range.high)
        return refuse(range.id, "{} {} is out of range ({} to {})", range.what, text, show(range.low, range),
                      show(range.high, range));
    return number;
}

Value<Fwmark> parse_mark(std::string_view text) {
    auto const number = parse_number(text, mark_range);
    if (!number)
        return std::unexpected(number.error());
    return Fwmark{static_cast<std::uint32_t>(*number)};
}

Value<Port> parse_port(std::string_view text) {
    auto const number = parse_number(text, port_range);
    if (!number)
        return std::unexpected(number.error());
    return Port{static_cast<std::uint16_t>(*number)};
}

Value<PortRange> parse_ports(std::string_view text) {
    if (text == "any")
        return PortRange::all();
    auto const dash = text.find('-');
    auto const first = parse_port(text.substr(0, dash));
    if (!first)
        return std::unexpected(first.error());
    if (dash == std::string_view::npos)
        return PortRange{*first, *first};
    auto const last = parse_port(text.substr(dash + 1));
    if (!last)
        return std::unexpected(last.error());
    if (*last < *first)
        return refuse(DiagId::reversed_range, "`{}` ends before it begins; did you mean `{}-{}`?", text, last->value,
                      first->value);
    return PortRange{*first, *last};
}

Value<Milliseconds> parse_time(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> units{
        {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
    auto const digits = text.substr(0, std::min(text.size(), text.find_first_not_of("0123456789")));
    auto const unit = digits.size() == text.size() ? std::string_view("s") : text.substr(digits.size());
    auto const known = std::ranges::find(units, unit, &std::pair<std::string_view, std::uint64_t>::first);
    if (digits.empty() || known == units.end())
        return refuse(DiagId::bad_time, "`{}` is no time; expected `250ms`, `3s`, `5m`, `1h` or a number of seconds",
                      text);
    constexpr std::uint64_t longest = 31ULL * 24 * 3'600'000;
    auto const number = parse_number(digits, {"time", 0, longest / known->second});
    if (!number)
        return refuse(DiagId::number_range, "time {} is out of range (0 to 31 days)", text);
    return Milliseconds(*number * known->second);
}

Value<MacAddress> parse_mac(std::string_view text) {
    auto const mac = MacAddress::parse(text);
    if (!mac)
        return refuse(DiagId::bad_mac,
                      "`{}` is no MAC address; expected six pairs of hex digits such as "
                      "`08:00:27:9e:ef:a0`",
                      text);
    if (mac->is_zero() || mac->is_group())
        return refuse(DiagId::bad_mac, "`{}` is {} MAC; no packet comes from it", text,
                      mac->is_zero() ? "the zero" : "a broadcast or multicast");
    return *mac;
}

Value<IpAddress> parse_address(std::string_view text) {
    auto const address = IpAddress::parse(text);
    if (!address)
        return refuse(DiagId::bad_address, "`{}` is no IPv4 or IPv6 address", text);
    return *address;
}

Value<std::pair<IpAddress, int>> parse_interface_address(std::string_view text) {
    auto const slash = text.find('/');
    auto const address = parse_address(text.substr(0, slash));
    if (!address)
        return std::unexpected(address.error());
    if (slash == std::string_view::npos)
        return std::pair{*address, address->bits()};
    auto const length =
        parse_number(text.substr(slash + 1), {"prefix length", 0, static_cast<std::uint64_t>(address->bits())});
    if (!length)
        return std::unexpected(length.error());
    return std::pair{*address, static_cast<int>(*length)};
}

Value<Prefix> parse_prefix(std::string_view text) {
    auto const parsed = parse_interface_address(text);
    if (!parsed)
        return std::unexpected(parsed.error());
    auto const prefix = Prefix::of(parsed->first, parsed->second);
    if (prefix.address != parsed->first)
        return refuse(
            DiagId::host_bits,
            "`{}` has bits set behind its prefix; leave the length out: `{}` (`{}` is each of the network's {})", text,
            parsed->first.str(), prefix.str(), addresses_of(prefix));
    return prefix;
}

Value<InterfacePattern> parse_interface(std::string_view text) {
    auto const pattern = InterfacePattern::parse(text);
    if (!pattern)
        return refuse(DiagId::bad_interface,
                      "`{}` is no interface name; it has 1 to 15 characters, no `/`, and `+` "
                      "only at its end",
                      text);
    if (text == "lo")
        return refuse(DiagId::bad_interface,
                      "no client enters on `lo`; `local` balances what the director itself sends");
    return *pattern;
}

Value<std::string> parse_device(std::string_view text) {
    if (text == "lo")
        return refuse(DiagId::bad_interface,
                      "`lo` leads to no other machine; name the interface to the other directors");
    auto const pattern = parse_interface(text);
    if (!pattern)
        return std::unexpected(pattern.error());
    if (pattern->is_wildcard())
        return refuse(DiagId::bad_interface, "`{}` is a pattern; name one interface here", text);
    return std::string(text);
}

Value<std::string> parse_name(std::string_view text) {
    auto const starts = !text.empty() && (is_letter(text[0]) || text[0] == '_');
    auto const goes_on = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; };
    if (!starts || !std::ranges::all_of(text, goes_on))
        return refuse(DiagId::bad_name,
                      "`{}` is no name; a name is a letter or `_`, then letters, digits, `_`, `-` "
                      "or `.`",
                      text);
    if (text.size() > 63)
        return refuse(DiagId::bad_name, "a name has at most 63 characters, this one {}", text.size());
    return std::string(text);
}

Value<std::string> parse_hostname(std::string_view text) {
    auto const is_part = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; };
    if (text.empty() || text[0] == '-' || text[0] == '.' || !std::ranges::all_of(text, is_part))
        return refuse(DiagId::bad_name, "`{}` is no host name; it has letters, digits, `-` and `.`", text);
    constexpr std::size_t longest_hostname = 64; // __NEW_UTS_LEN of linux/utsname.h
    if (text.size() > longest_hostname)
        return refuse(DiagId::bad_name, "a host name has at most {} characters, this one {}; give what `uname -n` says",
                      longest_hostname, text.size());
    return std::string(text);
}

Value<IpAddress> parse_host_address(std::string_view text) {
    auto const address = parse_address(text);
    if (address && !address->is_unicast())
        return refuse(DiagId::bad_address, "`{}` is no address that a host can have", text);
    return address;
}

Value<std::string> parse_hex(std::string_view text) {
    if (text.empty() || text.size() % 2 != 0 || !std::ranges::all_of(text, is_hex_digit))
        return refuse(DiagId::bad_number, "`{}` is no hex string; expected pairs of hex digits such as `0a1b`", text);
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    return lower;
}

TargetText split_target(std::string_view text) {
    if (text.starts_with('[')) {
        auto const close = text.find(']');
        if (close != std::string_view::npos && close + 1 == text.size())
            return {text.substr(1, close - 1), std::nullopt, true};
        if (close != std::string_view::npos && text[close + 1] == ':')
            return {text.substr(1, close - 1), text.substr(close + 2), true};
        return {text, std::nullopt, false};
    }
    auto const colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
        return {text, std::nullopt, false}; // no port, or an IPv6 address without brackets
    return {text.substr(0, colon), text.substr(colon + 1), false};
}

} // namespace lbc
