// Network value types: addresses, prefixes, MACs, ports, marks. Each is a small value that compares and prints itself,
// and none converts to another. Parsing accepts only the forms that the language reference lists.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lbc {

enum class Family : std::uint8_t { ipv4, ipv6 };
inline constexpr std::array families{Family::ipv4, Family::ipv6};

/// The index of a family in an array with one element for each family.
[[nodiscard]] constexpr std::size_t index_of(Family family) { return static_cast<std::size_t>(family); }

/// "ipv4" or "ipv6".
[[nodiscard]] std::string_view to_string(Family family);
/// "IPv4" or "IPv6", for people.
[[nodiscard]] std::string_view title(Family family);

/// An IPv4 or IPv6 address. Bytes are in network order; an IPv4 address uses the first four, the others are zero.
class IpAddress {
public:
    IpAddress() = default;
    IpAddress(Family family, std::array<std::uint8_t, 16> bytes) : family_(family), bytes_(bytes) {}

    /// Dotted quad without leading zeros, or any RFC 4291 form; no zone, no port.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

    [[nodiscard]] Family family() const { return family_; }
    [[nodiscard]] std::array<std::uint8_t, 16> const& bytes() const { return bytes_; }
    [[nodiscard]] int bits() const { return family_ == Family::ipv4 ? 32 : 128; }

    /// The canonical text (RFC 5952 for IPv6).
    [[nodiscard]] std::string str() const;

    /// Whether it is neither unspecified nor a group: not in 0.0.0.0/8, 224.0.0.0/3 or ff00::/8, and not ::.
    [[nodiscard]] bool is_unicast() const;
    [[nodiscard]] bool is_loopback() const;

    /// The bit at `index`, which is below bits(); 0 is the first on the wire.
    [[nodiscard]] bool bit(int index) const;
    /// The address one above; the first address after the last.
    [[nodiscard]] IpAddress next() const;

    friend auto operator<=>(IpAddress const&, IpAddress const&) = default;

private:
    Family family_ = Family::ipv4;
    std::array<std::uint8_t, 16> bytes_{};
};

/// A network: an address whose bits after the first `length` are zero.
struct Prefix {
    IpAddress address;
    int length = 0; // 0 to address.bits()

    /// The prefix of `length` bits that contains `address`; clears the host bits.
    [[nodiscard]] static Prefix of(IpAddress const& address, int length);
    [[nodiscard]] static Prefix host(IpAddress const& address) { return {address, address.bits()}; }

    [[nodiscard]] Family family() const { return address.family(); }
    /// The longest prefix that contains both, which must be of one family.
    [[nodiscard]] static Prefix common(Prefix const& a, Prefix const& b);
    [[nodiscard]] bool is_host() const { return length == address.bits(); }
    [[nodiscard]] bool contains(IpAddress const& other) const;
    [[nodiscard]] bool contains(Prefix const& other) const;
    [[nodiscard]] IpAddress last() const; // its highest address

    /// "192.0.2.1" for a single host, else "192.0.2.0/24".
    [[nodiscard]] std::string str() const;

    friend auto operator<=>(Prefix const&, Prefix const&) = default;
};

/// The netmask of a length from 0 to 32: 24 gives 255.255.255.0.
[[nodiscard]] IpAddress ipv4_netmask(int length);

/// An Ethernet address; the first byte is the first on the wire.
struct MacAddress {
    std::array<std::uint8_t, 6> bytes{};

    /// Six pairs of hex digits in either case, separated by `:` everywhere or by `-` everywhere.
    [[nodiscard]] static std::optional<MacAddress> parse(std::string_view text);
    [[nodiscard]] std::string str() const; // lower case, with ':'

    [[nodiscard]] bool is_zero() const { return bytes == decltype(bytes){}; }
    /// Whether it is a group address, which broadcast is too (IEEE 802: the lowest bit of the first byte).
    [[nodiscard]] bool is_group() const { return (bytes[0] & 1U) != 0; }
    /// A VRRP router's virtual MAC, 00:00:5e:00:01:ID or 00:00:5e:00:02:ID (RFC 5798, 7.3), which moves between boxes.
    [[nodiscard]] bool is_vrrp() const;

    friend auto operator<=>(MacAddress const&, MacAddress const&) = default;
};

/// A firewall mark, host byte order. IPVS compares all 32 bits. 0 is the mark of an unmarked packet, never that of a
/// service.
struct Fwmark {
    std::uint32_t value = 0;

    [[nodiscard]] std::string str() const; // "0x1a"
    friend auto operator<=>(Fwmark, Fwmark) = default;
};

/// A transport port, host byte order. 0 as a real server's port means "the packet's own port".
struct Port {
    std::uint16_t value = 0;

    friend auto operator<=>(Port, Port) = default;
};

/// "192.0.2.1:80", "[2001:db8::1]:80"
[[nodiscard]] std::string endpoint(IpAddress const& address, Port port);

/// Ports `first` to `last`, both included, first <= last.
struct PortRange {
    Port first;
    Port last;

    [[nodiscard]] static constexpr PortRange all() { return {Port{0}, Port{65535}}; }
    [[nodiscard]] bool is_all() const { return *this == all(); }
    [[nodiscard]] bool overlaps(PortRange const& other) const { return first <= other.last && other.first <= last; }
    [[nodiscard]] std::string str(char separator = '-') const; // "80", "8000-8099"

    friend auto operator<=>(PortRange const&, PortRange const&) = default;
};

/// A transport protocol that IPVS balances; the value is its IP protocol number. `any` is every protocol.
enum class Protocol : std::uint8_t { any = 0, tcp = 6, udp = 17, sctp = 132 };

[[nodiscard]] std::string_view to_string(Protocol protocol);

/// A network interface in the notation of iptables: 1 to 15 bytes; a `+` at the end matches every name that begins with
/// the rest.
class InterfacePattern {
public:
    /// Refuses an empty or too long name, `/`, white space, control characters, and a `+` that is not at the end.
    [[nodiscard]] static std::optional<InterfacePattern> parse(std::string_view text);

    [[nodiscard]] std::string_view str() const { return {text_.data(), size_}; }
    [[nodiscard]] bool is_wildcard() const { return str().ends_with('+'); }
    /// Whether a name exists that both match.
    [[nodiscard]] bool overlaps(InterfacePattern const& other) const;
    [[nodiscard]] bool matches(std::string_view interface) const;

    friend auto operator<=>(InterfacePattern const& a, InterfacePattern const& b) { return a.str() <=> b.str(); }
    friend bool operator==(InterfacePattern const& a, InterfacePattern const& b) { return a.str() == b.str(); }

private:
    explicit InterfacePattern(std::string_view text);

    std::array<char, 15> text_{}; // inline storage: most rules have an interface, or room for one
    std::uint8_t size_ = 0;
};

} // namespace lbc
