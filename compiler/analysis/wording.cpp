#include "compiler/analysis/wording.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace lbc {
namespace {

std::string exceptions_of(DestinationClass const& destination) {
    std::vector<std::string> except;
    for (auto const& prefix : destination.except)
        except.push_back(prefix.str());
    return except.empty() ? "" : fmt::format(" but for {}", list_of(except));
}

std::string text_of(DestinationClass const& destination) {
    return destination.prefix.length == 0 ? fmt::format("any {} address", title(destination.prefix.family()))
                                          : destination.prefix.str();
}

bool is_whole(ProtocolPorts const& one) { return one.ports.size() == 1 && one.ports[0].is_all(); }

/// "any interface but lo, eth1", "eth0, eth+ but eth1"
std::string text_of(std::vector<InterfaceClass> const& interfaces) {
    std::set<std::string> entered;
    std::set<std::string> except;
    for (auto const& interface : interfaces) {
        entered.emplace(interface.pattern ? interface.pattern->str() : interface.name);
        for (auto const& other : interface.except)
            except.emplace(other.str());
    }
    // An exception of a pattern that is listed by its own name is no exception of the whole.
    std::erase_if(except, [&](std::string const& name) { return entered.contains(name); });
    auto const all = entered.contains("+");
    auto text = all ? std::string("any interface") : list_of({entered.begin(), entered.end()});
    if (all && except == std::set<std::string>{"lo"})
        return text;
    return except.empty() ? text : fmt::format("{} but {}", text, list_of({except.begin(), except.end()}));
}

} // namespace

std::string list_of(std::vector<std::string> const& items) {
    constexpr std::size_t most = 6;
    if (items.size() <= most)
        return fmt::format("{}", fmt::join(items, ", "));
    return fmt::format("{}, and {} more", fmt::join(items.begin(), items.begin() + most, ", "), items.size() - most);
}

std::vector<std::string> targets_of(MarkChange const& change) {
    auto const address = text_of(change.destination);
    auto const except = exceptions_of(change.destination);
    // Every protocol that a rule names, and all others.
    if (change.ports.size() == change.protocols.size() + 1 && std::ranges::all_of(change.ports, is_whole))
        return {fmt::format("{} (every protocol){}", address, except)};
    auto const brackets = change.destination.prefix.family() == Family::ipv6;
    std::vector<std::string> targets;
    for (auto const& one : change.ports) {
        if (!one.protocol) {
            targets.push_back(fmt::format("{} (every other protocol){}", address, except));
            continue;
        }
        if (is_whole(one)) {
            auto const ports = has_ports(*one.protocol) ? "every port/" : "";
            targets.push_back(fmt::format("{} ({}{}){}", address, ports, protocol_name(*one.protocol), except));
            continue;
        }
        std::vector<std::string> ports;
        for (auto const& range : one.ports)
            ports.push_back(range.str());
        targets.push_back(fmt::format("{}{}{}:{}/{}{}", brackets ? "[" : "", address, brackets ? "]" : "",
                                      fmt::join(ports, ","), protocol_name(*one.protocol), except));
    }
    return targets;
}

std::string origin_of(MarkChange const& change) {
    if (change.sent_here)
        return "sent here";
    std::vector<std::string> sources;
    bool others = false;
    for (auto const& source : change.sources) {
        if (source.kind == SourceClass::Kind::mac)
            sources.push_back(source.mac.str());
        else if (source.kind == SourceClass::Kind::none)
            sources.emplace_back("devices without Ethernet addresses");
        others = others || source.kind == SourceClass::Kind::other;
    }
    auto text = "on " + text_of(change.interfaces);
    if (!others)
        return text + " from " + list_of(sources);
    std::vector<std::string> except;
    for (auto const& mac : change.macs)
        if (std::ranges::none_of(change.sources, [&](SourceClass const& source) { return source.mac == mac; }))
            except.push_back(mac.str());
    text += except.empty() ? " from any MAC" : fmt::format(" from any MAC but {}", list_of(except));
    if (std::ranges::none_of(change.sources, [](auto const& one) { return one.kind == SourceClass::Kind::none; }))
        return text;
    return text + ", and from devices without Ethernet addresses";
}

std::string title_of(Packet const& packet, Direction direction) {
    auto text = target_of(packet);
    if (direction == Direction::leaving)
        text += " sent here";
    else
        text += fmt::format(" on {} from {}", packet.interface,
                            packet.source ? packet.source->str() : "a device without Ethernet addresses");
    return packet.mark == Fwmark{} ? text : text + ", with mark " + packet.mark.str();
}

std::string title_of_witness(MarkChange const& change) {
    auto const first = change.witness.connection == Packet::Connection::first ? ", the first of a connection" : "";
    return title_of(change.witness, change.sent_here ? Direction::leaving : Direction::entering) + first;
}

std::string why_not(Rule const& rule, Packet const& packet) {
    auto const& when = rule.when;
    if (when.destination && when.destination->contains(packet.destination) == when.not_destination)
        return fmt::format("it goes to {}", packet.destination.str());
    if (when.in_interface && when.in_interface->matches(packet.interface) == when.not_in_interface)
        return packet.interface.empty() ? "it is sent here" : fmt::format("it enters on {}", packet.interface);
    if (when.protocol != 0 && (when.protocol == packet.protocol) == when.not_protocol)
        return fmt::format("it is of {}", protocol_name(packet.protocol));
    auto const has_port = [&](PortRange const& range) {
        return range.first <= packet.port && packet.port <= range.last;
    };
    if (!when.destination_ports.empty() &&
        std::ranges::any_of(when.destination_ports, has_port) == when.not_destination_ports)
        return fmt::format("it goes to port {}", packet.port.value);
    if (when.source_mac && (!packet.source || (*packet.source == *when.source_mac) == when.not_source_mac))
        return packet.source ? fmt::format("it comes from {}", packet.source->str()) : "it has no source MAC";
    if (when.mark)
        return "it has another mark";
    return std::holds_alternative<MapMark>(rule.then) ? fmt::format("the set has no {}", target_of(packet)) : "";
}

} // namespace lbc
