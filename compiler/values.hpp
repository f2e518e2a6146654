// From a word to a value: what a number, a time, a MAC or an address looks like in a site file, and what to say of a
// word that is none. Nothing here knows statements.
#pragma once

#include "compiler/site.hpp"
#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lbc {

/// Why a word is not the value that was asked for; the message is a diagnostic's.
struct ValueError {
    DiagId id{};
    std::string message;
};

template <typename T>
using Value = std::expected<T, ValueError>;

/// The values a number can have, with the field's name for messages: "weight 99 is out of range (0 to 9)".
struct NumberRange {
    std::string_view what;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    DiagId id = DiagId::number_range;
};

inline constexpr NumberRange mark_range{"mark", 1, 0xFFFFFFFF};
inline constexpr NumberRange port_range{"port", 1, 65535, DiagId::port_range};
inline constexpr NumberRange weight_range{"weight", 0, 2147483647};

/// Decimal, or hexadecimal after `0x`.
[[nodiscard]] Value<std::uint64_t> parse_number(std::string_view text, NumberRange const& range);
[[nodiscard]] Value<Fwmark> parse_mark(std::string_view text);
[[nodiscard]] Value<Port> parse_port(std::string_view text);

/// `N`, `N-M` or `any`.
[[nodiscard]] Value<PortRange> parse_ports(std::string_view text);

/// `250ms`, `3s`, `5m`, `1h`; a bare number is seconds. At most 31 days, which is where IPVS's timers end.
[[nodiscard]] Value<Milliseconds> parse_time(std::string_view text);

[[nodiscard]] Value<MacAddress> parse_mac(std::string_view text);
[[nodiscard]] Value<IpAddress> parse_address(std::string_view text);

/// `ADDR` or `ADDR/LEN`, without host bits.
[[nodiscard]] Value<Prefix> parse_prefix(std::string_view text);
/// How many a prefix has: "1 address", "256 addresses", "2^64 addresses".
[[nodiscard]] std::string addresses_of(Prefix const& prefix);

/// `ADDR/LEN` where host bits are an interface's address.
[[nodiscard]] Value<std::pair<IpAddress, int>> parse_interface_address(std::string_view text);

[[nodiscard]] Value<InterfacePattern> parse_interface(std::string_view text);

/// An interface's name without a `+`.
[[nodiscard]] Value<std::string> parse_device(std::string_view text);

/// A letter or `_`, then letters, digits, `_`, `-`, `.`.
[[nodiscard]] Value<std::string> parse_name(std::string_view text);

/// A machine's name as DNS and uname(2) have it: RFC 1123, and `_`; at most 64 bytes, as uname(2) has no more.
[[nodiscard]] Value<std::string> parse_hostname(std::string_view text);

/// An address that one machine can have: no group, not the unspecified one.
[[nodiscard]] Value<IpAddress> parse_host_address(std::string_view text);

/// An even number of hex digits; given back in lower case.
[[nodiscard]] Value<std::string> parse_hex(std::string_view text);

/// A target with an optional port: `192.168.0.1:80`, `[2001:db8::1]:80`, `lb1:80`.
struct TargetText {
    std::string_view host;                // without brackets
    std::optional<std::string_view> port; // behind a `:`, which may have nothing behind it
    bool bracketed = false;
};
[[nodiscard]] TargetText split_target(std::string_view text);

} // namespace lbc
