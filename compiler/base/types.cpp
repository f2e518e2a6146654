#include "compiler/base/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>

#include <arpa/inet.h>

namespace lbc {
namespace {

/// The byte at `index` of a netmask of `length` bits.
std::uint8_t mask_byte(int length, std::size_t index) {
    auto const ones = std::clamp(length - static_cast<int>(index) * 8, 0, 8);
    return static_cast<std::uint8_t>(0xFF00U >> static_cast<unsigned>(ones));
}

std::optional<std::uint8_t> hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f')
        return static_cast<std::uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return static_cast<std::uint8_t>(c - 'A' + 10);
    return std::nullopt;
}

int socket_family(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

} // namespace

std::string_view title(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

std::string_view to_string(Family family) { return family == Family::ipv4 ? "ipv4" : "ipv6"; }

std::string_view to_string(Protocol protocol) {
    switch (protocol) {
    case Protocol::any: return "any";
    case Protocol::tcp: return "tcp";
    case Protocol::udp: return "udp";
    case Protocol::sctp: return "sctp";
    }
    return {};
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    // inet_pton stops at a NUL, so a NUL in the text would hide what follows it.
    if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    auto const family = text.find(':') == std::string_view::npos ? Family::ipv4 : Family::ipv6;
    std::array<std::uint8_t, 16> bytes{};
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    std::ranges::copy(text, terminated.begin());
    if (inet_pton(socket_family(family), terminated.data(), bytes.data()) != 1)
        return std::nullopt;
    return IpAddress(family, bytes);
}

std::string IpAddress::str() const {
    if (family_ == Family::ipv4) { // a site has thousands, and inet_ntop calls printf
        std::string text;
        for (std::size_t i = 0; i < 4; ++i) {
            fmt::format_int const number(bytes_[i]);
            text.append(number.data(), number.size());
            text += '.';
        }
        text.pop_back();
        return text;
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    return inet_ntop(socket_family(family_), bytes_.data(), text.data(), text.size());
}

bool IpAddress::is_unicast() const {
    if (family_ == Family::ipv4)
        return bytes_[0] != 0 && bytes_[0] < 224;
    return bytes_[0] != 0xFF && bytes_ != decltype(bytes_){};
}

bool IpAddress::is_loopback() const {
    decltype(bytes_) one{};
    one.back() = 1;
    return family_ == Family::ipv4 ? bytes_[0] == 127 : bytes_ == one;
}

bool IpAddress::bit(int index) const {
    auto const byte = bytes_[static_cast<std::size_t>(index / 8)];
    return ((byte >> (7 - index % 8)) & 1U) != 0;
}

IpAddress IpAddress::next() const {
    auto result = *this;
    for (auto i = static_cast<std::size_t>(bits() / 8); i-- > 0;)
        if (++result.bytes_[i] != 0)
            break;
    return result;
}

Prefix Prefix::of(IpAddress const& address, int length) {
    assert(length >= 0 && length <= address.bits());
    auto bytes = address.bytes();
    for (auto i = static_cast<std::size_t>(length / 8); i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(bytes[i] & mask_byte(length, i));
    return {IpAddress(address.family(), bytes), length};
}

Prefix Prefix::common(Prefix const& a, Prefix const& b) {
    assert(a.family() == b.family());
    auto const most = std::min(a.length, b.length);
    auto const [first, second] = std::ranges::mismatch(a.address.bytes(), b.address.bytes());
    if (first == a.address.bytes().end())
        return of(a.address, most);
    auto const whole = static_cast<int>(first - a.address.bytes().begin()) * 8;
    auto const same = std::countl_zero(static_cast<std::uint8_t>(*first ^ *second));
    return of(a.address, std::min(most, whole + same));
}

IpAddress ipv4_netmask(int length) {
    std::array<std::uint8_t, 16> ones{};
    ones.fill(0xff);
    return Prefix::of(IpAddress(Family::ipv4, ones), length).address;
}

bool Prefix::contains(IpAddress const& other) const {
    return other.family() == family() && of(other, length).address == address;
}

bool Prefix::contains(Prefix const& other) const {
    return other.length == length ? other.address == address : other.length > length && contains(other.address);
}

IpAddress Prefix::last() const {
    auto bytes = address.bytes();
    for (std::size_t i = 0; i < static_cast<std::size_t>(address.bits() / 8); ++i)
        bytes[i] = static_cast<std::uint8_t>(bytes[i] | ~mask_byte(length, i));
    return {family(), bytes};
}

std::string Prefix::str() const { return is_host() ? address.str() : fmt::format("{}/{}", address.str(), length); }

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
    constexpr std::size_t text_size = 17; // six pairs and five separators
    if (text.size() != text_size || (text[2] != ':' && text[2] != '-'))
        return std::nullopt;
    MacAddress mac;
    for (std::size_t i = 0; i < mac.bytes.size(); ++i) {
        auto const high = hex_digit(text[3 * i]);
        auto const low = hex_digit(text[3 * i + 1]);
        if (!high || !low || (i > 0 && text[3 * i - 1] != text[2]))
            return std::nullopt;
        mac.bytes[i] = static_cast<std::uint8_t>(*high * 16 + *low);
    }
    return mac;
}

std::string MacAddress::str() const { return fmt::format("{:02x}", fmt::join(bytes, ":")); }

bool MacAddress::is_vrrp() const {
    return bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0x5e && bytes[3] == 0 && (bytes[4] == 1 || bytes[4] == 2);
}

std::string Fwmark::str() const {
    std::array<char, 10> text{'0', 'x'};
    return {text.data(), std::to_chars(text.data() + 2, text.data() + text.size(), value, 16).ptr};
}

std::string endpoint(IpAddress const& address, Port port) {
    auto const text = address.str();
    return address.family() == Family::ipv6 ? fmt::format("[{}]:{}", text, port.value)
                                            : fmt::format("{}:{}", text, port.value);
}

std::string PortRange::str(char separator) const {
    auto text = std::to_string(first.value);
    if (first != last) {
        text += separator;
        text += std::to_string(last.value);
    }
    return text;
}

InterfacePattern::InterfacePattern(std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
    std::ranges::copy(text, text_.begin());
}

std::optional<InterfacePattern> InterfacePattern::parse(std::string_view text) {
    constexpr std::size_t longest = 15; // IFNAMSIZ of linux/if.h, less the NUL
    static_assert(longest == std::tuple_size_v<decltype(text_)>);
    auto const refused = [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte == 0x7F || c == '/';
    };
    if (text.empty() || text.size() > longest || std::ranges::any_of(text, refused))
        return std::nullopt;
    if (text.substr(0, text.size() - 1).find('+') != std::string_view::npos)
        return std::nullopt;
    return InterfacePattern(text);
}

bool InterfacePattern::matches(std::string_view interface) const {
    if (!is_wildcard())
        return interface == str();
    return interface.starts_with(str().substr(0, size_ - 1U));
}

bool InterfacePattern::overlaps(InterfacePattern const& other) const {
    // If the stem of one wildcard begins with that of the other, the longer stem is itself a name that both match.
    auto const stem = [](InterfacePattern const& p) {
        return p.str().substr(0, p.size_ - (p.is_wildcard() ? 1U : 0U));
    };
    return (is_wildcard() && matches(stem(other))) || (other.is_wildcard() && other.matches(stem(*this))) ||
           *this == other;
}

} // namespace lbc
