#include "cli/input/packet.hpp"

#include "cli/input/site_input.hpp"
#include "compiler/analysis/packet_classes.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace lbc {
namespace {

template <typename T>
using Read = std::expected<T, std::string>;

constexpr std::uint8_t icmp = 1;
constexpr std::uint8_t icmp6 = 58;

std::optional<unsigned> number_of(std::string_view text, unsigned most) {
    unsigned value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool const is_whole = error == std::errc() && end == text.data() + text.size() && value <= most;
    return is_whole ? std::optional(value) : std::nullopt;
}

Read<std::uint8_t> read_protocol(std::string_view text) {
    for (auto const protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp})
        if (text == to_string(protocol))
            return static_cast<std::uint8_t>(protocol);
    if (text == "icmp")
        return icmp;
    if (auto const number = number_of(text, 255))
        return static_cast<std::uint8_t>(*number);
    return std::unexpected(fmt::format("`{}` is no protocol: tcp, udp, sctp, icmp, or a number from 0 to 255", text));
}

/// `ADDRESS:PORT`, `[ADDRESS]:PORT`, or an address alone for a protocol without ports.
Read<Packet> read_target(std::string_view text, std::uint8_t protocol) {
    Packet packet;
    packet.protocol = protocol;
    auto address = text;
    std::string_view port;
    auto const colon = text.rfind(':');
    if (text.starts_with('[')) {
        auto const end = text.find(']');
        address = end == std::string_view::npos ? "" : text.substr(1, end - 1);
        auto const rest = end == std::string_view::npos ? "" : text.substr(end + 1);
        if (!rest.empty() && !rest.starts_with(':'))
            address = "";
        port = rest.starts_with(':') ? rest.substr(1) : "";
    } else if (colon != std::string_view::npos && text.find(':') == colon) {
        address = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    auto const parsed = IpAddress::parse(address);
    if (!parsed)
        return std::unexpected(fmt::format("`{}` is no ADDRESS:PORT, such as 192.0.2.1:80 or [2001:db8::1]:80", text));
    packet.destination = *parsed;
    if (protocol == icmp && parsed->family() == Family::ipv6)
        packet.protocol = icmp6;
    if (!has_ports(protocol)) {
        if (port.empty())
            return packet;
        return std::unexpected(
            fmt::format("`{}` has a port, and {} has none: {}", text, protocol_name(packet.protocol), parsed->str()));
    }
    auto const number = number_of(port, 65535);
    if (!number)
        return std::unexpected(fmt::format("`{}` has no port from 0 to 65535, which {} needs: {}", text,
                                           protocol_name(protocol), endpoint(*parsed, Port{80})));
    packet.port = Port{static_cast<std::uint16_t>(*number)};
    return packet;
}

/// A MAC that neither a director nor a bypassed box has.
MacAddress client_mac(Site const& site) {
    SplitPoints borders;
    for (auto const& director : site.directors)
        for (auto const& mac : director.macs)
            borders.macs.insert(mac.value);
    for (auto const& service : site.services)
        for (auto const& mac : service.bypass)
            borders.macs.insert(mac.value);
    return PacketPartition(borders).sources.front().mac;
}

} // namespace

std::string usual_interface(Site const& site, DirectorId director, Packet const& packet) {
    auto const name = [](std::vector<Located<InterfacePattern>> const& patterns) {
        std::string text(patterns.front().value.str());
        if (text.ends_with('+'))
            text.back() = '0';
        return text;
    };
    for (auto const& service : site.services)
        for (auto const& vip : service.vips)
            if (vip.value.contains(packet.destination) && !service.interfaces.empty())
                return name(service.interfaces);
    return site[director].interfaces.empty() ? "eth0" : name(site[director].interfaces);
}

std::expected<Sender, std::string> read_sender(TracedPacket const& options, Site const& site, DirectorId director,
                                               Host const& host) {
    auto const protocol = read_protocol(options.protocol);
    if (!protocol)
        return std::unexpected(protocol.error());
    auto packet = read_target(options.to, *protocol);
    if (!packet)
        return std::unexpected(packet.error());
    if (auto const interface = InterfacePattern::parse(options.interface);
        !options.interface.empty() && (!interface || interface->is_wildcard()))
        return std::unexpected(fmt::format("`{}` is no name of an interface", options.interface));
    Sender sender{*packet, Direction::entering, "a client", false};
    sender.packet.interface = options.interface.empty() ? usual_interface(site, director, *packet) : options.interface;
    sender.packet.source = client_mac(site);
    if (options.from_mac == "none") {
        sender.packet.source.reset();
        sender.name = "a device without Ethernet addresses";
    } else if (!options.from_mac.empty()) {
        sender.packet.source = MacAddress::parse(options.from_mac);
        if (!sender.packet.source)
            return std::unexpected(
                fmt::format("`{}` is no MAC, such as 02:00:00:00:00:01, nor `none`", options.from_mac));
        sender.name = options.from_mac;
    } else if (!options.from.empty() && options.from != "client") {
        auto const from = choose_director(site, options.from, host);
        if (!from)
            return std::unexpected(from.error());
        sender.name = site[*from].name.value;
        if (*from == director) {
            sender.direction = Direction::leaving;
            sender.packet.interface.clear();
            sender.packet.source.reset();
        } else if (site[*from].macs.empty()) {
            return std::unexpected(fmt::format("director `{}` has no `mac`; give one with --from-mac", sender.name));
        } else {
            sender.packet.source = site[*from].macs.front().value;
            sender.is_director = true;
        }
    }
    if (sender.packet.interface == "lo")
        sender.packet.source.reset(); // it is no Ethernet device
    return sender;
}

} // namespace lbc
