#include "backends/iptables/xt_match.hpp"

#include <fmt/format.h>

#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>

#define _Bool bool // NOLINT(bugprone-reserved-identifier): the next header is C, and has that word
#include <linux/netfilter/xt_sctp.h>
#undef _Bool

#include <algorithm>

namespace lbc::xt {
namespace {

constexpr std::uint8_t mac_revision = 0;
constexpr std::uint8_t mark_revision = 1;
constexpr std::uint8_t multiport_revision = 1;
constexpr std::uint16_t last_port = 65535;

/// XT_MULTI_PORTS slots: one for a port, two for a range.
std::size_t multiport_slots(std::vector<PortRange> const& ranges) {
    std::size_t slots = 0;
    for (PortRange const& range : ranges) {
        slots += range.first == range.last ? 1 : 2;
    }
    return slots;
}

std::optional<Protocol> port_protocol(std::uint8_t number) {
    for (Protocol const protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
        if (static_cast<std::uint8_t>(protocol) == number) {
            return protocol;
        }
    }
    return std::nullopt;
}

/// The fields that xt_tcp and xt_udp share. Ports are in host order.
template <typename Info>
Info any_source(PortRange const& range) {
    Info info{};
    info.spts[1] = last_port;
    info.dpts[0] = range.first.value;
    info.dpts[1] = range.last.value;
    return info;
}

xt_sctp_info sctp_ports(PortRange const& range) {
    xt_sctp_info info{};
    if (!range.is_all()) { // `-m sctp` alone asks for no port, as iptables makes it
        info.dpts[0] = range.first.value;
        info.dpts[1] = range.last.value;
        info.flags = XT_SCTP_DEST_PORTS;
    }
    for (xt_sctp_flag_info& flag : info.flag_info) {
        flag.chunktype = 0xff; // as iptables leaves an unused one
    }
    return info;
}

void append_port_range(Protocol protocol, PortRange const& range, Bytes& out) {
    if (protocol == Protocol::tcp) {
        append_extension(out, "tcp", 0, any_source<xt_tcp>(range));
    } else if (protocol == Protocol::udp) {
        append_extension(out, "udp", 0, any_source<xt_udp>(range));
    } else {
        append_extension(out, "sctp", 0, sctp_ports(range));
    }
}

void append_multiport(std::vector<PortRange> const& ranges, Bytes& out) {
    xt_multiport_v1 info{};
    info.flags = XT_MULTIPORT_DESTINATION;
    for (PortRange const& range : ranges) {
        info.ports[info.count] = range.first.value;
        if (range.first != range.last) {
            info.pflags[info.count++] = 1; // the next slot ends the range
            info.ports[info.count] = range.last.value;
        }
        ++info.count;
    }
    append_extension(out, "multiport", multiport_revision, info);
}

bool set_port_range(std::uint16_t first, std::uint16_t last, Matches& into) {
    if (!into.destination_ports.empty() || first > last) {
        return false;
    }
    into.destination_ports = {{Port{first}, Port{last}}};
    return true;
}

bool read_tcp(ByteView match, Matches& into) {
    auto const info = load_info<xt_tcp>(match);
    return info && into.protocol == static_cast<std::uint8_t>(Protocol::tcp) && info->spts[0] == 0 &&
           info->spts[1] == last_port && info->option == 0 && info->flg_mask == 0 && info->flg_cmp == 0 &&
           info->invflags == 0 && set_port_range(info->dpts[0], info->dpts[1], into);
}

bool read_udp(ByteView match, Matches& into) {
    auto const info = load_info<xt_udp>(match);
    return info && into.protocol == static_cast<std::uint8_t>(Protocol::udp) && info->spts[0] == 0 &&
           info->spts[1] == last_port && info->invflags == 0 && set_port_range(info->dpts[0], info->dpts[1], into);
}

bool read_sctp(ByteView match, Matches& into) {
    auto const info = load_info<xt_sctp_info>(match);
    if (!info || into.protocol != static_cast<std::uint8_t>(Protocol::sctp) || info->invflags != 0) {
        return false;
    }
    if (info->flags == 0) {
        return set_port_range(0, last_port, into);
    }
    return info->flags == XT_SCTP_DEST_PORTS && set_port_range(info->dpts[0], info->dpts[1], into);
}

/// The ranges of the slots; none where the slots make no sense.
std::vector<PortRange> multiport_ranges(xt_multiport_v1 const& info) {
    std::vector<PortRange> ranges;
    for (std::size_t slot = 0; slot < info.count; ++slot) {
        Port const first{info.ports[slot]};
        bool const is_range = info.pflags[slot] != 0;
        if (is_range && ++slot == info.count) {
            return {};
        }
        Port const last{info.ports[slot]};
        if (first > last) {
            return {};
        }
        ranges.push_back({first, last});
    }
    return ranges;
}

bool read_multiport(ByteView match, Matches& into) {
    auto const info = load_info<xt_multiport_v1>(match);
    if (!info || !into.destination_ports.empty() || !port_protocol(into.protocol) ||
        info->flags != XT_MULTIPORT_DESTINATION || info->invert != 0 || info->count > XT_MULTI_PORTS) {
        return false;
    }
    into.destination_ports = multiport_ranges(*info);
    return !into.destination_ports.empty();
}

bool read_mac(ByteView match, Matches& into) {
    auto const info = load_info<xt_mac_info>(match);
    if (!info || into.source_mac) {
        return false;
    }
    MacAddress mac;
    std::ranges::copy(info->srcaddr, mac.bytes.begin());
    into.source_mac = mac;
    into.not_source_mac = info->invert != 0;
    return true;
}

bool read_mark(ByteView match, Matches& into) {
    auto const info = load_info<xt_mark_mtinfo1>(match);
    if (!info || into.mark || info->mask != whole_mark || info->invert != 0) {
        return false;
    }
    into.mark = Fwmark{info->mark};
    return true;
}

bool read_known(std::string_view name, std::uint8_t revision, ByteView match, Matches& into) {
    if (name == "tcp" && revision == 0) {
        return read_tcp(match, into);
    }
    if (name == "udp" && revision == 0) {
        return read_udp(match, into);
    }
    if (name == "sctp" && revision == 0) {
        return read_sctp(match, into);
    }
    if (name == "multiport" && revision == multiport_revision) {
        return read_multiport(match, into);
    }
    if (name == "mac" && revision == mac_revision) {
        return read_mac(match, into);
    }
    return name == "mark" && revision == mark_revision && read_mark(match, into);
}

} // namespace

std::string hex(ByteView bytes) {
    std::string out;
    out.reserve(2 * bytes.size());
    for (std::byte const byte : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[std::to_integer<std::size_t>(byte >> 4)];
        out += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return out;
}

std::string refuse_matches(Matches const& when) {
    if (!when.unknown.empty()) {
        return fmt::format("lbc cannot write the match `{}`", when.unknown);
    }
    if (when.not_in_interface || when.not_destination || when.not_protocol || when.not_destination_ports ||
        when.not_mark || when.mark_mask != whole_mark) {
        return "lbc writes no negation but that of a source MAC, and no mask of a mark";
    }
    if (!when.destination_ports.empty() && !port_protocol(when.protocol)) {
        return fmt::format("protocol {} has no ports", when.protocol);
    }
    if (when.destination_ports.size() > 1 && multiport_slots(when.destination_ports) > XT_MULTI_PORTS) {
        return fmt::format("one rule takes at most {} ports, and a range counts as two", XT_MULTI_PORTS);
    }
    return {};
}

void append_matches(Matches const& when, Bytes& out) {
    if (when.destination_ports.size() == 1) {
        append_port_range(*port_protocol(when.protocol), when.destination_ports.front(), out);
    } else if (!when.destination_ports.empty()) {
        append_multiport(when.destination_ports, out);
    }
    if (when.source_mac) {
        xt_mac_info info{};
        std::ranges::copy(when.source_mac->bytes, info.srcaddr);
        info.invert = when.not_source_mac ? 1 : 0;
        append_extension(out, "mac", mac_revision, info);
    }
    if (when.mark) {
        append_extension(out, "mark", mark_revision, xt_mark_mtinfo1{when.mark->value, whole_mark, 0});
    }
}

void read_match(ByteView match, Matches& into) {
    auto const head = load<ExtensionHead>(match);
    if (head && read_known(text(head->name), head->revision, match, into)) {
        return;
    }
    into.unknown += into.unknown.empty() ? "" : " ";
    into.unknown += head
                        ? fmt::format("-m {}.{}:{}", text(head->name), head->revision, hex(match.subspan(sizeof *head)))
                        : fmt::format("malformed:{}", hex(match));
}

void collect_extensions(Matches const& when, std::set<Extension>& into) {
    using enum Extension::Kind;
    if (when.destination_ports.size() > 1) {
        into.insert({match, "multiport", multiport_revision, "xt_multiport"});
    } else if (!when.destination_ports.empty() && when.protocol == static_cast<std::uint8_t>(Protocol::tcp)) {
        into.insert({match, "tcp", 0, "xt_tcpudp"});
    } else if (!when.destination_ports.empty() && when.protocol == static_cast<std::uint8_t>(Protocol::udp)) {
        into.insert({match, "udp", 0, "xt_tcpudp"});
    } else if (!when.destination_ports.empty()) {
        into.insert({match, "sctp", 0, "xt_sctp"});
    }
    if (when.source_mac) {
        into.insert({match, "mac", mac_revision, "xt_mac"});
    }
    if (when.mark) {
        into.insert({match, "mark", mark_revision, "xt_mark"});
    }
}

} // namespace lbc::xt
