#include "compiler/site/service_draft.hpp"

#include <array>
#include <bit>
#include <set>
#include <utility>

namespace lbc {
namespace {

void report_overlap(Diagnostics& diagnostics, std::string_view text, Span again, Span first) {
    diagnostics.report(DiagId::redundant_value, again, "`{}` is there twice", text).note(first, "it is part of this");
}

/// Of two prefixes one contains the other, or they are disjoint, and a prefix sorts before those that it contains. So
/// each is compared only with the last one kept.
void settle_vips(ServiceDraft& draft) {
    if (draft.vips.size() < 2) {
        draft.service.vips = std::move(draft.vips);
        return;
    }
    auto sorted = draft.vips;
    std::ranges::stable_sort(sorted, {}, &Located<Prefix>::value);
    std::set<Prefix> kept;
    Located<Prefix> const* outer = nullptr;
    for (auto const& vip : sorted) {
        if (outer == nullptr || !outer->value.contains(vip.value)) {
            outer = &vip;
            kept.insert(vip.value);
            continue;
        }
        report_overlap(draft.reading.diagnostics, vip.value.str(), vip.span, outer->span);
    }
    for (auto const& vip : draft.vips)
        if (kept.erase(vip.value) > 0)
            draft.service.vips.push_back(vip);
}

SmallVector<PortRange, 1> merge(WrittenPorts ranges, Diagnostics& diagnostics) {
    if (ranges.size() > 1)
        std::ranges::stable_sort(ranges, {}, &Located<PortRange>::value);
    SmallVector<PortRange, 1> merged;
    Span last;
    for (auto const& [range, span] : ranges) {
        if (!merged.empty() && range.first <= merged.back().last)
            report_overlap(diagnostics, range.str(), span, last);
        if (!merged.empty() && range.first.value <= merged.back().last.value + 1)
            merged.back().last = std::max(merged.back().last, range.last);
        else
            merged.push_back(range);
        last = span;
    }
    return merged;
}

struct Netmask {
    int length = 0;
    bool dotted = false;
};

/// `255.255.255.0`, `24` or `/24`: the number of leading ones, at least one.
Value<Netmask> parse_netmask(std::string_view text) {
    if (auto const address = IpAddress::parse(text); address && address->family() == Family::ipv4) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 4; ++i)
            bits = (bits << 8U) | address->bytes()[i];
        auto const length = std::countl_one(bits);
        if (length > 0 && (length + std::countr_zero(bits) == 32 || length == 32))
            return Netmask{length, true};
        return std::unexpected(
            ValueError{DiagId::bad_number,
                       fmt::format("`{}` is no netmask: it has to begin with ones that stand together", text)});
    }
    if (text.starts_with('/'))
        text.remove_prefix(1);
    auto const number = parse_number(text, {"netmask length", 1, 128});
    if (!number)
        return std::unexpected(number.error());
    return Netmask{static_cast<int>(*number), false};
}

/// The largest block that people write for a list of VIPs, a /28 or a /124 of IPv6. A network with hosts in it is
/// likely to be larger.
constexpr int most_bits_of_a_block = 4;

/// Reads `network` as in `vip 10.60.0.0/24 network`. The word is wanted because a whole network is easily written by
/// mistake, with the length that belongs to an interface's address.
void read_network_word(Arguments& in, Prefix const& prefix) {
    auto const span = in.last();
    if (in.failed())
        return;
    bool const is_meant = in.accept("network");
    if (is_meant && prefix.is_host())
        in.fail(DiagId::extra_value, in.last(), fmt::format("`{}` is one address, and no network", prefix.str()));
    else if (!is_meant && prefix.address.bits() - prefix.length > most_bits_of_a_block)
        in.diagnostics().report(DiagId::vip_network, span,
                                "`{}` is a VIP of {}; for one of them leave the length out, for all of them write `{} "
                                "network`",
                                prefix.str(), addresses_of(prefix), prefix.str());
}

} // namespace

void read_vip(Arguments& in, ServiceDraft& draft) {
    in.list([&] {
        auto const prefix = in.value(parse_prefix, "an address");
        if (!prefix)
            return;
        auto const& address = prefix->address;
        auto const everything = prefix->length == 0;
        auto const reachable = address.is_unicast() && !address.is_loopback();
        if (!everything && !reachable)
            in.fail(DiagId::vip_not_unicast, in.last(),
                    fmt::format("`{}` is no address that clients can connect to", prefix->str()));
        else
            draft.vips.push_back({*prefix, in.last()});
        read_network_word(in, *prefix);
    });
}

void read_port(Arguments& in, ServiceDraft& draft) {
    static constexpr std::array<std::string_view, 4> words{"tcp", "udp", "sctp", "any"};
    static constexpr std::array said{Protocol::tcp, Protocol::udp, Protocol::sctp, Protocol::any};
    auto const index = in.choice(words, "a protocol");
    if (!index)
        return;
    auto& ports = draft.ports[static_cast<std::size_t>(std::ranges::find(protocols, said[*index]) - protocols.begin())];
    if (said[*index] == Protocol::any)
        ports.push_back({PortRange::all(), in.node().span()});
    else
        in.list([&] {
            if (auto const range = in.value(parse_ports, "a port"))
                ports.push_back({*range, in.last()});
        });
}

void settle_claims(ServiceDraft& draft) {
    if (std::exchange(draft.claims_settled, true))
        return;
    settle_vips(draft);
    for (std::size_t i = 0; i < protocols.size(); ++i) {
        auto& ports = draft.ports[i];
        if (ports.empty())
            continue;
        auto const span = ports.front().span;
        draft.service.ports.push_back({protocols[i], merge(std::move(ports), draft.reading.diagnostics), span});
    }
}

void read_mark(Arguments& in, ServiceDraft& draft) {
    draft.mark_span = in.node().span();
    in.list([&] {
        auto const word = in.word("a mark, or a director and its mark");
        if (!word)
            return;
        if (auto const mark = parse_mark(word->text()); mark || !parse_name(word->text())) {
            if (!mark)
                in.fail(mark.error().id, word->span(), mark.error().message);
            else if (draft.mark_everywhere)
                in.fail(DiagId::duplicate_statement, word->span(), "a service has one mark on each director");
            else
                draft.mark_everywhere = Located<Fwmark>{*mark, word->span()};
            return;
        }
        auto const id = find_director(in, word->text(), word->span(), draft.names.site, "no director of this site");
        auto const mark = in.value(parse_mark, "the director's mark");
        if (!id || !mark)
            return;
        auto const given = std::ranges::find(draft.marks, *id, &decltype(draft.marks)::value_type::first);
        if (given != draft.marks.end())
            in.fail(DiagId::duplicate_statement, word->span(), "this director has a mark already")
                .note(given->second.span, "its mark");
        else
            draft.marks.push_back({*id, {*mark, in.last()}});
    });
    if (draft.mark_everywhere && !draft.marks.empty())
        in.fail(DiagId::duplicate_statement, draft.mark_everywhere->span,
                "a mark for every director stands beside marks for single ones");
}

void read_on(Arguments& in, ServiceDraft& draft) {
    in.list([&] {
        if (auto const id = read_director_name(in, draft.names.site))
            in.add_unique(draft.on, Located<DirectorId>{*id, in.last()});
    });
}

void read_scheduler(Arguments& in, ServiceDraft& draft) {
    static constexpr std::array<std::string_view, 14> known{"rr",    "wrr", "lc", "wlc", "fo",  "ovf", "lblc",
                                                            "lblcr", "dh",  "sh", "mh",  "sed", "nq",  "twos"};
    static constexpr std::array<std::string_view, 7> flags{"sh-fallback", "sh-port", "mh-fallback", "mh-port",
                                                           "flag-1",      "flag-2",  "flag-3"};
    auto& scheduler = draft.service.scheduler;
    scheduler.span = in.node().span();
    if (auto name = in.value(parse_name, "a scheduler")) {
        // The kernel limits the name of a scheduler to 15 characters (IP_VS_SCHEDNAME_MAXLEN).
        if (name->size() > 15) {
            in.fail(DiagId::unknown_value, in.last(), "a scheduler's name has at most 15 characters");
            return;
        }
        scheduler.known = std::ranges::find(known, *name) != known.end();
        if (!scheduler.known)
            in.diagnostics().report(DiagId::unknown_scheduler, in.last(),
                                    "lbc does not know the scheduler `{}`, and passes it on{}", *name,
                                    did_you_mean(*name, known));
        scheduler.name = std::move(*name);
    }
    if (in.done())
        return;
    in.list([&] {
        auto const index = in.choice(flags, "a scheduler flag");
        if (!index)
            return;
        auto const flag = flags[*index];
        auto const of = flag.substr(0, 2);
        if ((of == "sh" || of == "mh") && of != scheduler.name)
            in.fail(DiagId::flag_scheduler, in.last(),
                    fmt::format("`{}` is a flag of the scheduler `{}`, not of `{}`", flag, of, scheduler.name));
        else if (std::ranges::find(scheduler.flags, flag) == scheduler.flags.end())
            scheduler.flags.edit().emplace_back(flag);
    });
}

void read_persistent(Arguments& in, ServiceDraft& draft) {
    if (!read_switch(in)) {
        draft.service.persistence = std::nullopt;
        return;
    }
    auto& persistence = draft.service.persistence.emplace();
    auto has_time = false;
    while (!in.done() && !in.at_comma()) {
        if (in.option("netmask")) {
            auto const netmask = in.value(parse_netmask, "a netmask").value_or(Netmask{-1, false});
            persistence.netmask = netmask.length;
            persistence.netmask_ipv4_only = netmask.dotted;
        } else if (in.option("engine")) {
            static constexpr std::array<std::string_view, 1> engines{"sip"};
            if (in.choice(engines, "a persistence engine"))
                persistence.engine = "sip";
        } else if (std::exchange(has_time, true)) {
            return; // a word too many, which `finish` reports
        } else if (auto const time = in.time()) {
            persistence.timeout = std::chrono::duration_cast<std::chrono::seconds>(*time);
            if (persistence.timeout != *time || persistence.timeout.count() == 0)
                in.fail(DiagId::number_range, in.last(), "persistence lasts whole seconds, at least one");
        }
    }
    settle_claims(draft);
    if (!in.failed() && persistence.netmask > 32 && draft.service.has_vip(Family::ipv4))
        in.fail(DiagId::number_range, in.last(),
                fmt::format("netmask length {} is out of range (1 to 32) for the service's IPv4 VIPs",
                            persistence.netmask));
}

void read_quorum(Arguments& in, ServiceDraft& draft) {
    auto& quorum = draft.service.quorum ? *draft.service.quorum : draft.service.quorum.emplace();
    quorum.span = in.node().span();
    quorum.count = in.number({"quorum", 1, 2147483647}).value_or(1);
    if (in.option("hysteresis"))
        quorum.hysteresis = in.number({"hysteresis", 0, 2147483647}).value_or(0);
    if (!in.failed() && quorum.hysteresis >= quorum.count)
        in.fail(DiagId::number_range, quorum.span,
                fmt::format("hysteresis {} is out of range (0 to {}, below the quorum)", quorum.hysteresis,
                            quorum.count - 1));
}

} // namespace lbc
