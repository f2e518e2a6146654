#include "compiler/service_draft.hpp"

#include <array>
#include <bit>

namespace lbc {
namespace {

PortClaim& claim_of(Service& service, Protocol protocol, Span span) {
    auto const at = std::ranges::find(service.ports, protocol, &PortClaim::protocol);
    if (at != service.ports.end())
        return *at;
    auto const behind = std::ranges::find_if(service.ports, [&](auto const& c) { return c.protocol > protocol; });
    return *service.ports.insert(behind, {protocol, {}, span});
}

/// Adds a range; ranges that overlap become one, with a warning, and ranges that touch become one.
void add_range(Arguments& in, PortClaim& claim, PortRange range) {
    auto const again = std::ranges::any_of(claim.ports, [&](auto const& other) { return other.overlaps(range); });
    if (again)
        in.diagnostics().report(DiagId::redundant_value, in.last(), "the service has port {} already", range.str());
    auto& ports = claim.ports;
    ports.push_back(range);
    std::ranges::sort(ports);
    std::vector<PortRange> merged;
    for (auto const& next : ports) {
        if (!merged.empty() && next.first.value <= merged.back().last.value + 1)
            merged.back().last = std::max(merged.back().last, next.last);
        else
            merged.push_back(next);
    }
    ports = std::move(merged);
}

/// `255.255.255.0`, `24` or `/24`: the number of leading ones.
Value<int> parse_netmask(std::string_view text) {
    if (auto const address = IpAddress::parse(text); address && address->family() == Family::ipv4) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 4; ++i)
            bits = (bits << 8U) | address->bytes()[i];
        auto const length = std::countl_one(bits);
        if (length + std::countr_zero(bits) == 32 || bits == 0xFFFFFFFF)
            return length;
        return std::unexpected(ValueError{DiagId::bad_number, fmt::format("`{}` is no netmask: its ones do not stand "
                                                                          "together",
                                                                          text)});
    }
    if (text.starts_with('/'))
        text.remove_prefix(1);
    auto const number = parse_number(text, {"netmask length", 1, 128});
    if (!number)
        return std::unexpected(number.error());
    return static_cast<int>(*number);
}

/// Adds a prefix. Of two that overlap, the larger one says it all.
void add_vip(Arguments& in, std::vector<Located<Prefix>>& vips, Located<Prefix> vip) {
    for (auto& other : vips) {
        auto const inside = other.value.contains(vip.value);
        if (!inside && !vip.value.contains(other.value))
            continue;
        in.diagnostics()
            .report(DiagId::redundant_value, vip.span, "`{}` and `{}` overlap", vip.value.str(), other.value.str())
            .note(other.span, "first given here");
        if (!inside)
            other = vip;
        return;
    }
    vips.push_back(vip);
}

} // namespace

void read_vip(Arguments& in, ServiceDraft& draft) {
    in.list([&] {
        auto const prefix = in.value(parse_prefix, "an address");
        if (!prefix)
            return;
        auto const first = prefix->address.bytes()[0];
        auto const v4 = prefix->family() == Family::ipv4;
        auto const group = v4 ? first >= 224 : first == 0xFF;
        auto const loopback = v4 ? first == 127 : prefix->is_host() && prefix->address == *IpAddress::parse("::1");
        auto const unspecified = prefix->address == IpAddress(prefix->family(), {}) && prefix->is_host();
        if (group || loopback || unspecified || (v4 && first == 0 && prefix->length > 0)) {
            in.fail(DiagId::vip_not_unicast, in.last(),
                    fmt::format("`{}` is no address that clients can connect to", prefix->str()));
            return;
        }
        add_vip(in, draft.service.vips, {*prefix, in.last()});
    });
}

void read_port(Arguments& in, ServiceDraft& draft) {
    static constexpr std::array<std::string_view, 4> words{"tcp", "udp", "sctp", "any"};
    static constexpr std::array protocols{Protocol::tcp, Protocol::udp, Protocol::sctp, Protocol::any};
    auto const index = in.choice(words, "a protocol");
    if (!index)
        return;
    auto const protocol = protocols[*index];
    auto& claim = claim_of(draft.service, protocol, in.node().span());
    if (protocol == Protocol::any) {
        claim.ports = {PortRange::all()};
        return;
    }
    in.list([&] {
        if (auto const range = in.value(parse_ports, "a port"))
            add_range(in, claim, *range);
    });
}

void read_mark(Arguments& in, ServiceDraft& draft) {
    draft.mark_span = in.node().span();
    in.list([&] {
        auto const word = in.word("a mark, or a director and its mark");
        if (!word)
            return;
        if (auto const mark = parse_mark(word->text); mark || !parse_name(word->text)) {
            if (!mark)
                in.fail(mark.error().id, word->span, mark.error().message);
            else if (draft.mark_everywhere)
                in.fail(DiagId::duplicate_statement, word->span, "a service has one mark on each director");
            else
                draft.mark_everywhere = Located<Fwmark>{*mark, word->span};
            return;
        }
        auto const id = draft.names.site.find_director(word->text);
        if (!id) {
            std::vector<std::string_view> names;
            for (auto const& director : draft.names.site.directors)
                names.push_back(director.name.value);
            in.fail(DiagId::unknown_director, word->span,
                    fmt::format("`{}` is no director of this site{}", word->text, did_you_mean(word->text, names)));
            return;
        }
        if (auto const mark = in.value(parse_mark, "the director's mark"))
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
        // The kernel's name of a scheduler has 15 characters at most (IP_VS_SCHEDNAME_MAXLEN).
        if (name->size() > 15) {
            in.fail(DiagId::unknown_value, in.last(), "a scheduler's name has at most 15 characters");
            return;
        }
        if (std::ranges::find(known, *name) == known.end())
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
            scheduler.flags.emplace_back(flag);
    });
}

void read_persistent(Arguments& in, ServiceDraft& draft) {
    if (!read_switch(in)) {
        draft.service.persistence.reset();
        return;
    }
    auto& persistence = draft.service.persistence.emplace();
    while (!in.done() && !in.at_comma()) {
        if (in.accept("netmask")) {
            persistence.netmask = in.value(parse_netmask, "a netmask").value_or(-1);
        } else if (in.accept("engine")) {
            static constexpr std::array<std::string_view, 1> engines{"sip"};
            if (in.choice(engines, "a persistence engine"))
                persistence.engine = "sip";
        } else if (auto const time = in.time()) {
            persistence.timeout = std::chrono::duration_cast<std::chrono::seconds>(*time);
            if (persistence.timeout != *time || persistence.timeout.count() == 0)
                in.fail(DiagId::number_range, in.last(), "persistence lasts whole seconds, at least one");
        }
    }
}

void read_quorum(Arguments& in, ServiceDraft& draft) {
    auto& quorum = draft.service.quorum ? *draft.service.quorum : draft.service.quorum.emplace();
    quorum.span = in.node().span();
    quorum.count = in.number({"quorum", 1, 2147483647}).value_or(1);
    if (in.accept("hysteresis"))
        quorum.hysteresis = in.number({"hysteresis", 0, 2147483647}).value_or(0);
    if (!in.failed() && quorum.hysteresis >= quorum.count)
        in.fail(DiagId::number_range, quorum.span,
                fmt::format("hysteresis {} is out of range (0 to {}, below the quorum)", quorum.hysteresis,
                            quorum.count - 1));
}

} // namespace lbc
