// From a word to a value: the syntax of numbers, times, MACs and addresses in a site file, and the message for a word
// that does not fit. Nothing here knows statements.
#pragma once

#include "compiler/site/site.hpp"
#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lbc {

/// Why a word is not the expected value; the message is that of a diagnostic.
struct ValueError {
    DiagId id{};
    std::string message;
};

template <typename T>
using Value = std::expected<T, ValueError>;

/// The range of a number, and its name in messages: "weight 99 is out of range (0 to 9)".
struct NumberRange {
    std::string_view what;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    DiagId id = DiagId::number_range;
};

inline constexpr NumberRange mark_range{"mark", 1, 0xFFFFFFFF};
inline constexpr NumberRange port_range{"port", 1, 65535, DiagId::port_range};
inline constexpr NumberRange weight_range{"weight", 0, 2147483647};

/// Decimal, or hexadecimal after `0x` or `0X`.
[[nodiscard]] Value<std::uint64_t> parse_number(std::string_view text, NumberRange const& range);
[[nodiscard]] Value<Fwmark> parse_mark(std::string_view text);
[[nodiscard]] Value<Port> parse_port(std::string_view text);

/// `N`, `N-M` or `any`.
[[nodiscard]] Value<PortRange> parse_ports(std::string_view text);

/// `250ms`, `3s`, `5m`, `1h`; a bare number is seconds. At most 31 days, the limit of IPVS timers.
[[nodiscard]] Value<Milliseconds> parse_time(std::string_view text);

[[nodiscard]] Value<MacAddress> parse_mac(std::string_view text);
[[nodiscard]] Value<IpAddress> parse_address(std::string_view text);

/// `ADDR` or `ADDR/LEN`, without host bits.
[[nodiscard]] Value<Prefix> parse_prefix(std::string_view text);
/// The number of addresses of a prefix: "1 address", "256 addresses", "2^64 addresses".
[[nodiscard]] std::string addresses_of(Prefix const& prefix);

/// `ADDR` or `ADDR/LEN`; host bits are allowed, because it is the address of an interface.
[[nodiscard]] Value<std::pair<IpAddress, int>> parse_interface_address(std::string_view text);

[[nodiscard]] Value<InterfacePattern> parse_interface(std::string_view text);

/// The name of one interface, without a `+`; refuses `lo`.
[[nodiscard]] Value<std::string> parse_device(std::string_view text);

/// A letter or `_`, then letters, digits, `_`, `-`, `.`; at most 63 characters.
[[nodiscard]] Value<std::string> parse_name(std::string_view text);

/// The host name of a machine: RFC 1123, and `_`; at most 64 bytes, the limit of uname(2).
[[nodiscard]] Value<std::string> parse_hostname(std::string_view text);

/// An address that one machine can have: not a group, not the unspecified one.
[[nodiscard]] Value<IpAddress> parse_host_address(std::string_view text);

/// An even number of hex digits; returned in lower case.
[[nodiscard]] Value<std::string> parse_hex(std::string_view text);

/// A target with an optional port: `192.168.0.1:80`, `[2001:db8::1]:80`, `lb1:80`.
struct TargetText {
    std::string_view host;                // without brackets
    std::optional<std::string_view> port; // the text behind a `:`, possibly empty
    bool bracketed = false;
};
[[nodiscard]] TargetText split_target(std::string_view text);

} // namespace lbc
