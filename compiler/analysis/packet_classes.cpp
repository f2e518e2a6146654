#include "compiler/analysis/packet_classes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace lbc {
namespace {

InterfacePattern pattern_of(std::string_view text) { return *InterfacePattern::parse(text); }

/// All characters that a name may have, letters first.
std::string letters_of_names() {
    std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-.:@";
    for (int c = 1; c < 256; ++c)
        if (auto const letter = static_cast<char>(c);
            !letters.contains(letter) && letter != '+' && InterfacePattern::parse(std::string_view(&letter, 1)))
            letters += letter;
    return letters;
}

/// A name that the pattern matches and no narrower one; none if there is no such name.
std::optional<std::string> name_of(InterfacePattern const& pattern, std::set<InterfacePattern> const& all) {
    constexpr std::size_t longest = 15;
    static auto const letters = letters_of_names();
    std::string const prefix(pattern.str().substr(0, pattern.str().size() - 1));
    auto const is_other = [&](std::string const& name) {
        return std::ranges::none_of(all, [&](InterfacePattern const& other) {
            return other.str().size() > pattern.str().size() && other.matches(name);
        });
    };
    std::vector<std::string> stems{prefix.empty() ? "other" : prefix, prefix};
    for (std::size_t i = 0; i < stems.size() && i < all.size() + letters.size(); ++i) {
        if (!stems[i].empty() && stems[i] != "lo" && is_other(stems[i]) && !all.contains(pattern_of(stems[i])))
            return stems[i];
        if (stems[i].size() == longest)
            continue;
        for (char const c : letters)
            stems.push_back(stems[i] + c);
    }
    return std::nullopt;
}

std::vector<InterfaceClass> interface_classes(std::set<InterfacePattern> named) {
    auto const everything = pattern_of("+");
    named.insert(pattern_of("lo"));
    named.insert(everything);
    std::vector<InterfaceClass> classes{{.name = "lo", .pattern = {}, .except = {}}};
    for (auto const& pattern : named) {
        if (!pattern.is_wildcard()) {
            if (pattern.str() != "lo")
                classes.push_back({.name = std::string(pattern.str()), .pattern = {}, .except = {}});
            continue;
        }
        auto name = name_of(pattern, named);
        if (!name)
            continue;
        auto& added = classes.emplace_back(InterfaceClass{std::move(*name), pattern, {}});
        for (auto const& other : named)
            if (other.is_wildcard() ? other.str().size() > pattern.str().size() && pattern.overlaps(other)
                                    : pattern.matches(other.str()))
                added.except.push_back(other);
    }
    return classes;
}

std::vector<SourceClass> source_classes(std::set<MacAddress> const& named) {
    SourceClass other{SourceClass::Kind::other, {{0x02, 0xfe, 0xff, 0xff, 0x00, 0x00}}};
    while (named.contains(other.mac)) // at most one more than there are
        if (++other.mac.bytes[5] == 0)
            ++other.mac.bytes[4];
    std::vector<SourceClass> classes{other};
    for (auto const& mac : named)
        classes.push_back({SourceClass::Kind::mac, mac});
    classes.push_back({SourceClass::Kind::none, {}});
    return classes;
}

} // namespace

std::string protocol_name(std::uint8_t number) {
    auto const name = to_string(Protocol{number});
    return name.empty() || number == 0 ? fmt::format("protocol {}", number) : std::string(name);
}

bool has_ports(std::uint8_t protocol) { return protocol != 0 && !to_string(Protocol{protocol}).empty(); }

std::string target_of(Packet const& packet) {
    auto const target =
        has_ports(packet.protocol) ? endpoint(packet.destination, packet.port) : packet.destination.str();
    return fmt::format("{}/{}", target, protocol_name(packet.protocol));
}

std::string title(Packet const& packet) {
    auto const target = target_of(packet);
    return packet.source ? fmt::format("{} from {}", target, packet.source->str()) : target + " through a tunnel";
}

std::string InterfaceClass::str() const {
    if (!pattern)
        return name;
    std::vector<std::string_view> names;
    for (auto const& other : except)
        names.push_back(other.str());
    auto const all = pattern->str() == "+" ? std::string_view("any interface") : pattern->str();
    return names.empty() ? std::string(all) : fmt::format("{} but {}", all, fmt::join(names, ", "));
}

void append_ports(std::vector<ProtocolPorts>& list, std::optional<std::uint8_t> protocol, PortRange range) {
    if (list.empty() || list.back().protocol != protocol) {
        list.push_back({protocol, {range}});
        return;
    }
    auto& last = list.back().ports.back();
    if (std::uint32_t{last.last.value} + 1 == range.first.value)
        last.last = range.last;
    else
        list.back().ports.push_back(range);
}

std::vector<DestinationClass> destination_classes(Family family, std::vector<Prefix> prefixes) {
    prefixes.push_back(Prefix::of(IpAddress(family, {}), 0));
    std::erase_if(prefixes, [&](Prefix const& prefix) { return prefix.family() != family; });
    std::ranges::sort(prefixes);
    prefixes.erase(std::ranges::unique(prefixes).begin(), prefixes.end());
    // Of two prefixes, one holds the other or they are disjoint. In sorted order, a prefix precedes those in it.
    std::vector<DestinationClass> classes;
    std::vector<std::size_t> open;
    for (auto const& prefix : prefixes) {
        while (!open.empty() && !classes[open.back()].prefix.contains(prefix))
            open.pop_back();
        if (!open.empty())
            classes[open.back()].except.push_back(prefix);
        open.push_back(classes.size());
        classes.push_back({prefix, {}, prefix.address});
    }
    std::erase_if(classes, [](DestinationClass& destination) {
        for (auto const& inner : destination.except) {
            if (!inner.contains(destination.address))
                return false;
            auto const last = inner.last();
            if (last == destination.prefix.last())
                return true; // nothing is left of it
            destination.address = last.next();
        }
        return false;
    });
    return classes;
}

namespace {

/// The chains of a table that a walk from one of its base chains can reach.
std::set<std::string_view> reachable(RulesFor::Table const& table, Direction direction) {
    std::set<std::string_view> found;
    auto const bases = base_chains(*table.all);
    std::vector<std::string_view> open;
    for (auto const& base : bases)
        if (direction_of(base.hook) == direction)
            open.emplace_back(base.chain);
    while (!open.empty()) {
        auto const name = open.back();
        open.pop_back();
        auto const chain = std::ranges::lower_bound(table.chains, name, {}, &RulesFor::NamedChain::name);
        if (chain == table.chains.end() || chain->name != name || !found.insert(chain->name).second)
            continue;
        for (auto const& placed : chain->rules)
            if (auto const* jump = std::get_if<Jump>(&placed.rule->then))
                open.emplace_back(jump->chain);
            else if (auto const* go = std::get_if<Goto>(&placed.rule->then))
                open.emplace_back(go->chain);
    }
    return found;
}

/// Adds the marks that a rule matches; of a mask, the least and the greatest.
void add_asked(Matches const& when, std::set<Fwmark>& marks) {
    if (!when.mark)
        return;
    marks.insert(*when.mark);
    marks.insert(Fwmark{when.mark->value | ~when.mark_mask});
}

/// Whether a protocol number is a header that the search for a packet's protocol skips, so that no packet has it
/// (ipv6_ext_hdr in exthdrs_core.c). nftables stops at AH (IP6_FH_F_AUTH in nf_tables_ipv6.h), and ip6_tables does not.
bool is_passed_over(Ruleset const& table, std::uint8_t protocol) {
    static constexpr std::array<std::uint8_t, 4> headers{0, 43, 44, 60}; // hop-by-hop, routing, fragment, options
    constexpr std::uint8_t authentication = 51;
    return table.family == Family::ipv6 && (std::ranges::find(headers, protocol) != headers.end() ||
                                            (protocol == authentication && table.shape == nullptr));
}

std::vector<Fwmark> with_none(std::set<Fwmark> marks) {
    marks.insert(Fwmark{});
    return {marks.begin(), marks.end()};
}

} // namespace

void SplitPoints::add(RulesFor const& rules) {
    for (auto const& table : rules.tables()) {
        auto const enters = reachable(table, Direction::entering);
        auto const leaves = reachable(table, Direction::leaving);
        for (auto const& chain : table.chains)
            for (auto const& placed : chain.rules) {
                auto const& when = placed.rule->when;
                if (when.in_interface)
                    interfaces.insert(*when.in_interface);
                if (when.source_mac)
                    macs.insert(*when.source_mac);
                if (when.protocol != 0 && !is_passed_over(*table.all, when.protocol))
                    protocols.insert(when.protocol);
                if (std::holds_alternative<MapMark>(placed.rule->then))
                    for (auto const protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp})
                        protocols.insert(static_cast<std::uint8_t>(protocol));
                if (enters.contains(chain.name))
                    add_asked(when, entering);
                if (leaves.contains(chain.name))
                    add_asked(when, leaving);
            }
    }
}

PacketPartition::PacketPartition(SplitPoints const& borders)
    : interfaces(interface_classes(borders.interfaces)), sources(source_classes(borders.macs)),
      protocols(borders.protocols.begin(), borders.protocols.end()) {
    while (borders.protocols.contains(other_protocol_))
        --other_protocol_;
    protocols.emplace_back();
    entering = with_none(borders.entering);
    leaving = with_none(borders.leaving);
}

std::vector<std::uint8_t> PacketPartition::named_protocols() const {
    std::vector<std::uint8_t> named;
    for (auto const& protocol : protocols)
        if (protocol)
            named.push_back(*protocol);
    return named;
}

std::vector<MacAddress> PacketPartition::named_macs() const {
    std::vector<MacAddress> named;
    for (auto const& one : sources)
        if (one.kind == SourceClass::Kind::mac)
            named.push_back(one.mac);
    return named;
}

Packet PacketPartition::packet(DestinationClass const& destination, std::optional<std::uint8_t> protocol,
                               std::string const& interface, std::optional<MacAddress> source) const {
    return {destination.address, protocol.value_or(other_protocol_), {}, interface, source, {}};
}

} // namespace lbc
