#include "backends/iptables/xt_match.hpp"

#include "backends/iptables/xt_words.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>

#define _Bool bool // NOLINT(bugprone-reserved-identifier): the next header is C, and has that word
#include <linux/netfilter/xt_sctp.h>
#undef _Bool

#include <algorithm>
#include <utility>

namespace lbc::xt {
namespace {

constexpr std::uint8_t mac_revision = 0;
constexpr std::uint8_t mark_revision = 1;
constexpr std::uint8_t multiport_revision = 1;
constexpr std::uint16_t last_port = 65535;

/// XT_MULTI_PORTS slots: one for a port, two for a range.
std::size_t multiport_slots(std::vector<PortRange> const& ranges) {
    std::size_t slots = 0;
    for (PortRange const& range : ranges)
        slots += range.first == range.last ? 1 : 2;
    return slots;
}

std::optional<Protocol> port_protocol(std::uint8_t number) {
    for (Protocol const protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp})
        if (static_cast<std::uint8_t>(protocol) == number)
            return protocol;
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
    if (!range.is_all()) { // `-m sctp` alone matches every port, as iptables makes it
        info.dpts[0] = range.first.value;
        info.dpts[1] = range.last.value;
        info.flags = XT_SCTP_DEST_PORTS;
    }
    for (xt_sctp_flag_info& flag : info.flag_info)
        flag.chunktype = 0xff; // as iptables leaves an unused one
    return info;
}

void append_port_range(Protocol protocol, PortRange const& range, Bytes& out) {
    if (protocol == Protocol::tcp)
        append_extension(out, "tcp", 0, any_source<xt_tcp>(range));
    else if (protocol == Protocol::udp)
        append_extension(out, "udp", 0, any_source<xt_udp>(range));
    else
        append_extension(out, "sctp", 0, sctp_ports(range));
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

bool is_of(Protocol protocol, Matches const& when) {
    return when.protocol == static_cast<std::uint8_t>(protocol) && !when.not_protocol;
}

/// The ports that `-m tcp`, `-m udp` and `-m sctp` match.
struct PortMatch {
    std::string_view name;
    PortRange source;
    PortRange destination;
    bool not_source = false;
    bool not_destination = false;
    std::string others{}; // the text of what else it matches
};

template <typename Info>
PortMatch both_ports(std::string_view name, Info const& info) {
    return {name, {Port{info.spts[0]}, Port{info.spts[1]}}, {Port{info.dpts[0]}, Port{info.dpts[1]}}};
}

/// Puts the destination into its field, if no match before has set it; the rest becomes text.
bool take_ports(PortMatch const& match, Matches& into) {
    auto const& [name, source, destination, not_source, not_destination, others] = match;
    if (source.first > source.last || destination.first > destination.last)
        return false;
    std::string words;
    if (not_source || !source.is_all())
        words += fmt::format(" {}--sport {}", negation(not_source), source.str(':'));
    words += others;
    bool const asks = not_destination || !destination.is_all();
    bool const takes = into.destination_ports.empty() && (asks || words.empty());
    if (takes) {
        into.destination_ports = {destination};
        into.not_destination_ports = not_destination;
    } else if (asks) {
        words.insert(0, fmt::format(" {}--dport {}", negation(not_destination), destination.str(':')));
    }
    if (!takes || !words.empty())
        add_unknown(into, fmt::format("-m {}{}", name, words));
    return true;
}

bool read_tcp(ByteView match, Matches& into) {
    auto const info = load_info<xt_tcp>(match);
    if (!info || !is_of(Protocol::tcp, into) || (info->invflags & ~XT_TCP_INV_MASK) != 0)
        return false;
    PortMatch ports = both_ports("tcp", *info);
    ports.not_source = (info->invflags & XT_TCP_INV_SRCPT) != 0;
    ports.not_destination = (info->invflags & XT_TCP_INV_DSTPT) != 0;
    ports.others = tcp_words(*info);
    return take_ports(ports, into);
}

bool read_udp(ByteView match, Matches& into) {
    auto const info = load_info<xt_udp>(match);
    if (!info || !is_of(Protocol::udp, into) || (info->invflags & ~XT_UDP_INV_MASK) != 0)
        return false;
    PortMatch ports = both_ports("udp", *info);
    ports.not_source = (info->invflags & XT_UDP_INV_SRCPT) != 0;
    ports.not_destination = (info->invflags & XT_UDP_INV_DSTPT) != 0;
    return take_ports(ports, into);
}

bool read_sctp(ByteView match, Matches& into) {
    constexpr unsigned port_flags = XT_SCTP_SRC_PORTS | XT_SCTP_DEST_PORTS;
    auto const info = load_info<xt_sctp_info>(match);
    // The kernel refuses an inverted part that is not matched (sctp_mt_check).
    if (!info || !is_of(Protocol::sctp, into) || (info->flags & ~port_flags) != 0 ||
        (info->invflags & ~info->flags) != 0) {
        return false;
    }
    PortMatch ports{"sctp", PortRange::all(), PortRange::all()};
    PortMatch const asked = both_ports("sctp", *info);
    if ((info->flags & XT_SCTP_SRC_PORTS) != 0) {
        ports.source = asked.source;
        ports.not_source = (info->invflags & XT_SCTP_SRC_PORTS) != 0;
    }
    if ((info->flags & XT_SCTP_DEST_PORTS) != 0) {
        ports.destination = asked.destination;
        ports.not_destination = (info->invflags & XT_SCTP_DEST_PORTS) != 0;
    }
    return take_ports(ports, into);
}

/// The ranges of the slots; none if the slots are malformed.
std::vector<PortRange> multiport_ranges(xt_multiport_v1 const& info) {
    std::vector<PortRange> ranges;
    for (std::size_t slot = 0; slot < info.count; ++slot) {
        Port const first{info.ports[slot]};
        bool const is_range = info.pflags[slot] != 0;
        if (is_range && ++slot == info.count)
            return {};
        Port const last{info.ports[slot]};
        if (first > last)
            return {};
        ranges.push_back({first, last});
    }
    return ranges;
}

/// The option that matches these ports; none for a number that multiport does not know.
std::string_view multiport_option(std::uint8_t flags) {
    switch (flags) {
    case XT_MULTIPORT_SOURCE: return "--sports";
    case XT_MULTIPORT_DESTINATION: return "--dports";
    case XT_MULTIPORT_EITHER: return "--ports";
    default: return {};
    }
}

bool read_multiport(ByteView match, Matches& into) {
    auto const info = load_info<xt_multiport_v1>(match);
    if (!info || info->invert > 1 || info->count > XT_MULTI_PORTS || multiport_option(info->flags).empty())
        return false;
    std::vector<PortRange> ranges = multiport_ranges(*info);
    if (ranges.empty())
        return false;
    bool const inverted = info->invert != 0;
    if (info->flags == XT_MULTIPORT_DESTINATION && into.destination_ports.empty() && port_protocol(into.protocol) &&
        !into.not_protocol) {
        into.destination_ports = std::move(ranges);
        into.not_destination_ports = inverted;
    } else {
        add_unknown(into, fmt::format("-m multiport {}{} {}", negation(inverted), multiport_option(info->flags),
                                      port_words(ranges)));
    }
    return true;
}

bool read_mac(ByteView match, Matches& into) {
    auto const info = load_info<xt_mac_info>(match);
    if (!info || info->invert < 0 || info->invert > 1)
        return false;
    bool const inverted = info->invert != 0;
    MacAddress mac;
    std::ranges::copy(info->srcaddr, mac.bytes.begin());
    if (into.source_mac) {
        add_unknown(into, fmt::format("-m mac {}--mac-source {}", negation(inverted), mac.str()));
    } else {
        into.source_mac = mac;
        into.not_source_mac = inverted;
    }
    return true;
}

bool read_mark(ByteView match, Matches& into) {
    auto const info = load_info<xt_mark_mtinfo1>(match);
    if (!info || info->invert > 1)
        return false;
    bool const inverted = info->invert != 0;
    if (into.mark) {
        add_unknown(into, fmt::format("-m mark {}--mark {:#x}/{:#x}", negation(inverted), info->mark, info->mask));
    } else {
        into.mark = Fwmark{info->mark};
        into.mark_mask = info->mask;
        into.not_mark = inverted;
    }
    return true;
}

/// The comment as one printable line; of several in a rule the first is kept.
bool read_comment(ByteView match, Rule& into) {
    auto const info = load_info<xt_comment_info>(match);
    if (!info)
        return false;
    if (into.comment.empty()) {
        into.comment = printable(text(info->comment));
        std::ranges::replace(into.comment, '\t', ' ');
    }
    return true;
}

bool read_known(std::string_view name, std::uint8_t revision, ByteView match, Matches& into) {
    if (name == "tcp" && revision == 0)
        return read_tcp(match, into);
    if (name == "udp" && revision == 0)
        return read_udp(match, into);
    if (name == "sctp" && revision == 0)
        return read_sctp(match, into);
    if (name == "multiport" && revision == multiport_revision)
        return read_multiport(match, into);
    if (name == "mac" && revision == mac_revision)
        return read_mac(match, into);
    return name == "mark" && revision == mark_revision && read_mark(match, into);
}

} // namespace

std::string refuse_matches(Matches const& when) {
    if (!when.unknown.empty())
        return fmt::format("lbc cannot write the match `{}`", when.unknown);
    if (when.not_in_interface || when.not_destination || when.not_protocol || when.not_destination_ports ||
        when.not_mark || when.mark_mask != whole_mark) {
        return "lbc writes no negation but that of a source MAC, and no mask of a mark";
    }
    if (!when.destination_ports.empty() && !port_protocol(when.protocol))
        return fmt::format("protocol {} has no ports", when.protocol);
    if (when.destination_ports.size() > 1 && multiport_slots(when.destination_ports) > XT_MULTI_PORTS)
        return fmt::format("one rule takes at most {} ports, and a range counts as two", XT_MULTI_PORTS);
    return {};
}

void append_matches(Matches const& when, Bytes& out) {
    if (when.destination_ports.size() == 1)
        append_port_range(*port_protocol(when.protocol), when.destination_ports.front(), out);
    else if (!when.destination_ports.empty())
        append_multiport(when.destination_ports, out);
    if (when.source_mac) {
        xt_mac_info info{};
        std::ranges::copy(when.source_mac->bytes, info.srcaddr);
        info.invert = when.not_source_mac ? 1 : 0;
        append_extension(out, "mac", mac_revision, info);
    }
    if (when.mark) {
        xt_mark_mtinfo1 info{};
        info.mark = when.mark->value;
        info.mask = whole_mark;
        append_extension(out, "mark", mark_revision, info);
    }
}

void read_match(ByteView match, Comments comments, Rule& into) {
    auto const head = load<ExtensionHead>(match);
    bool const is_comment = head && text(head->name) == "comment" && head->revision == 0;
    if (is_comment && comments == Comments::kept && read_comment(match, into))
        return;
    if (!head || !read_known(text(head->name), head->revision, match, into.when))
        add_unknown(into.when, extension_words("-m ", match));
}

void collect_extensions(Matches const& when, std::set<Extension>& into) {
    using enum Extension::Kind;
    if (when.destination_ports.size() > 1)
        into.insert({match, "multiport", multiport_revision, "xt_multiport"});
    else if (!when.destination_ports.empty() && when.protocol == static_cast<std::uint8_t>(Protocol::tcp))
        into.insert({match, "tcp", 0, "xt_tcpudp"});
    else if (!when.destination_ports.empty() && when.protocol == static_cast<std::uint8_t>(Protocol::udp))
        into.insert({match, "udp", 0, "xt_tcpudp"});
    else if (!when.destination_ports.empty())
        into.insert({match, "sctp", 0, "xt_sctp"});
    if (when.source_mac)
        into.insert({match, "mac", mac_revision, "xt_mac"});
    if (when.mark)
        into.insert({match, "mark", mark_revision, "xt_mark"});
}

} // namespace lbc::xt
