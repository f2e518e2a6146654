#include "backends/nft/nft_narrowing.hpp"

#include "backends/restore/rule_match.hpp"
#include "compiler/analysis/port_pieces.hpp"

#include <algorithm>
#include <utility>

namespace lbc {
namespace {

/// Of two different patterns that overlap, one is a wildcard, and the longer one, or the whole name, is within it.
bool is_within(InterfacePattern const& a, InterfacePattern const& b) {
    return a == b || (b.is_wildcard() && a.overlaps(b) && (!a.is_wildcard() || a.str().size() >= b.str().size()));
}

/// Each function adds a requirement, and returns false if no packet meets it and the earlier ones: the rule never
/// holds.
class Narrowing {
public:
    explicit Narrowing(Matches& when) : when_(when) {}

    bool destination(Prefix const& prefix) {
        if (!when_.destination) {
            when_.destination = prefix;
            return true;
        }
        if (when_.not_destination) {
            if (when_.destination->contains(prefix))
                return false;
            if (prefix.contains(*when_.destination))
                add_unknown(when_, "daddr");
            when_.destination = prefix;
            when_.not_destination = false;
            return true;
        }
        if (prefix.contains(*when_.destination))
            return true;
        bool const narrows = when_.destination->contains(prefix);
        when_.destination = prefix;
        return narrows;
    }

    bool protocol(std::uint8_t number) {
        if (number == 0) {
            add_unknown(when_, "meta l4proto 0");
            return true;
        }
        bool const is_same = when_.protocol == number;
        if (when_.protocol != 0 && is_same == when_.not_protocol)
            return false;
        when_.protocol = number;
        when_.not_protocol = false;
        return true;
    }

    bool ports(PortRange const& range) {
        auto ports = when_.destination_ports.empty() ? std::vector{PortRange::all()} : ports_of(when_);
        when_.not_destination_ports = false;
        std::erase_if(ports, [&](PortRange const& other) { return !other.overlaps(range); });
        for (auto& other : ports)
            other = {std::max(other.first, range.first), std::min(other.last, range.last)};
        when_.destination_ports = std::move(ports);
        return !when_.destination_ports.empty();
    }

    bool mac(MacAddress const& mac) {
        if (when_.source_mac && (*when_.source_mac == mac) == when_.not_source_mac)
            return false;
        when_.source_mac = mac;
        when_.not_source_mac = false;
        return true;
    }

    bool interface(InterfacePattern const& pattern) {
        if (!when_.in_interface) {
            when_.in_interface = pattern;
            return true;
        }
        bool const overlaps = when_.in_interface->overlaps(pattern);
        if (when_.not_in_interface) {
            if (is_within(pattern, *when_.in_interface))
                return false;
            if (overlaps)
                add_unknown(when_, "iifname");
            when_.not_in_interface = false;
            when_.in_interface = pattern;
            return true;
        }
        if (is_within(pattern, *when_.in_interface))
            when_.in_interface = pattern;
        return overlaps;
    }

    bool mark(std::uint32_t value, std::uint32_t mask) {
        if (!when_.mark) {
            when_.mark = Fwmark{value};
            when_.mark_mask = mask;
            return true;
        }
        if (when_.not_mark || when_.mark_mask != mask) {
            add_unknown(when_, "meta mark");
            return true;
        }
        return when_.mark == Fwmark{value};
    }

private:
    Matches& when_;
};

} // namespace

bool narrow(Matches& when, NftKey const& key, NftElement const& element) {
    Narrowing narrowing(when);
    return std::ranges::all_of(key, [&](NftField field) {
        switch (field) {
        case NftField::destination4:
        case NftField::destination6: return narrowing.destination(element.destination);
        case NftField::protocol: return narrowing.protocol(element.protocol);
        case NftField::port: return narrowing.ports(element.ports);
        case NftField::source_mac: return narrowing.mac(element.mac);
        default: add_unknown(when, "what lbc does not know"); return true;
        }
    });
}

Matches finished(Matches when) {
    if (!when.destination_ports.empty() &&
        (when.not_protocol || (when.protocol != static_cast<std::uint8_t>(Protocol::tcp) &&
                               when.protocol != static_cast<std::uint8_t>(Protocol::udp) &&
                               when.protocol != static_cast<std::uint8_t>(Protocol::sctp)))) {
        when.destination_ports.clear();
        when.not_destination_ports = false;
        add_unknown(when, "th dport");
    }
    return when;
}

bool narrow_interface(Matches& when, InterfacePattern const& pattern) { return Narrowing(when).interface(pattern); }

bool narrow_mark(Matches& when, std::uint32_t mark, std::uint32_t mask) { return Narrowing(when).mark(mark, mask); }

bool can_negate(Matches const& way, NftField field) {
    switch (field) {
    case NftField::destination4:
    case NftField::destination6: return !way.destination;
    case NftField::protocol: return way.protocol == 0;
    case NftField::port: return way.destination_ports.empty();
    case NftField::source_mac: return !way.source_mac;
    default: return false;
    }
}

void negate(Matches& way, NftField field, NftElement const& value) {
    switch (field) {
    case NftField::destination4:
    case NftField::destination6:
        way.destination = value.destination;
        way.not_destination = true;
        return;
    case NftField::protocol:
        way.protocol = value.protocol;
        way.not_protocol = true;
        if (value.protocol == 0)
            add_unknown(way, "meta l4proto != 0");
        return;
    case NftField::port:
        way.destination_ports = {value.ports};
        way.not_destination_ports = true;
        return;
    case NftField::source_mac:
        way.source_mac = value.mac;
        way.not_source_mac = true;
        return;
    default: return;
    }
}

} // namespace lbc
