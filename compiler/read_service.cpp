#include "compiler/readers.hpp"

#include <array>
#include <bit>

namespace lbc {
namespace {

/// A service while it is read: what its statements say, and what can only be settled when all are known.
struct Draft {
    Service service;
    Names& names;
    Reading reading;
    std::optional<Located<Fwmark>> mark_everywhere;
    std::vector<std::pair<DirectorId, Located<Fwmark>>> marks;
    std::vector<Located<DirectorId>> on;
    Span mark_span;
    bool pools_good = true;
};

void read_vip(Arguments& in, Draft& draft) {
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
        in.add_unique(draft.service.vips, Located<Prefix>{*prefix, in.last()});
    });
}

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
        in.diagnostics().report(DiagId::redundant_value, in.last(), "the service has port {} already",
                                range.str());
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

void read_port(Arguments& in, Draft& draft) {
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

void read_mark(Arguments& in, Draft& draft) {
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

void read_on(Arguments& in, Draft& draft) {
    in.list([&] {
        if (auto const id = read_director_name(in, draft.names.site))
            in.add_unique(draft.on, Located<DirectorId>{*id, in.last()});
    });
}

void read_scheduler(Arguments& in, Draft& draft) {
    static constexpr std::array<std::string_view, 14> known{"rr", "wrr", "lc", "wlc", "fo",  "ovf", "lblc",
                                                           "lblcr", "dh", "sh", "mh", "sed", "nq",  "twos"};
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
                                                                         "together", text)});
    }
    if (text.starts_with('/'))
        text.remove_prefix(1);
    auto const number = parse_number(text, {"netmask length", 1, 128});
    if (!number)
        return std::unexpected(number.error());
    return static_cast<int>(*number);
}

void read_persistent(Arguments& in, Draft& draft) {
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

void read_quorum(Arguments& in, Draft& draft) {
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

template <auto member>
void read_quorum_command(Arguments& in, Draft& draft) {
    auto& quorum = draft.service.quorum ? *draft.service.quorum : draft.service.quorum.emplace();
    quorum.*member = in.string("a command").value_or("");
    quorum.span = in.node().span();
}

template <auto member>
void read_service_switch(Arguments& in, Draft& draft) {
    draft.service.*member = read_switch(in);
}

void read_service_real(Arguments& in, Draft& draft) {
    RealContext context{draft.service, draft.names.site, draft.reading};
    read_real(in, context);
}

void read_service_sorry(Arguments& in, Draft& draft) {
    RealContext context{draft.service, draft.names.site, draft.reading};
    read_sorry(in, context);
}

void read_service_check(Arguments& in, Draft& draft) {
    if (auto check = read_check(in, draft.reading))
        draft.service.checks.push_back(std::move(*check));
}

void read_pool(Arguments& in, Draft& draft);

// In the order in which they are read: real servers need the service's addresses, ports and forwarding.
constexpr std::array service_rules{
    StatementRule<Draft>{"description", Occurs::once, Block::none,
                         [](Arguments& in, Draft& draft) {
                             draft.service.description = in.string("a description").value_or("");
                         }},
    StatementRule<Draft>{"vip", Occurs::repeated, Block::none, read_vip},
    StatementRule<Draft>{"port", Occurs::repeated, Block::none, read_port},
    StatementRule<Draft>{"mark", Occurs::once, Block::none, read_mark},
    StatementRule<Draft>{"on", Occurs::repeated, Block::none, read_on},
    StatementRule<Draft>{"interface", Occurs::repeated, Block::none,
                         [](Arguments& in, Draft& draft) {
                             in.values<InterfacePattern>(parse_interface, "an interface", draft.service.interfaces);
                         }},
    StatementRule<Draft>{"bypass", Occurs::repeated, Block::none,
                         [](Arguments& in, Draft& draft) {
                             in.values<MacAddress>(parse_mac, "a MAC address", draft.service.bypass);
                         }},
    StatementRule<Draft>{"local", Occurs::once, Block::none, read_service_switch<&Service::local>},
    StatementRule<Draft>{"scheduler", Occurs::once, Block::none, read_scheduler},
    StatementRule<Draft>{"forward", Occurs::once, Block::none,
                         [](Arguments& in, Draft& draft) {
                             draft.service.forwarding = read_forwarding(in).value_or(Forwarding{});
                         }},
    StatementRule<Draft>{"persistent", Occurs::once, Block::none, read_persistent},
    StatementRule<Draft>{"one-packet", Occurs::once, Block::none, read_service_switch<&Service::one_packet>},
    StatementRule<Draft>{"real", Occurs::repeated, Block::optional, read_service_real},
    StatementRule<Draft>{"sorry", Occurs::repeated, Block::none, read_service_sorry},
    StatementRule<Draft>{"check", Occurs::repeated, Block::optional, read_service_check},
    StatementRule<Draft>{"pool", Occurs::repeated, Block::none, read_pool},
    StatementRule<Draft>{"quorum", Occurs::once, Block::none, read_quorum},
    StatementRule<Draft>{"quorum-up", Occurs::once, Block::none, read_quorum_command<&Quorum::up>},
    StatementRule<Draft>{"quorum-down", Occurs::once, Block::none, read_quorum_command<&Quorum::down>},
    StatementRule<Draft>{"alpha", Occurs::once, Block::none, read_service_switch<&Service::alpha>},
    StatementRule<Draft>{"omega", Occurs::once, Block::none, read_service_switch<&Service::omega>},
    StatementRule<Draft>{"inhibit-on-failure", Occurs::once, Block::none,
                         read_service_switch<&Service::inhibit_on_failure>},
};

constexpr std::array pool_rules{
    StatementRule<Draft>{"real", Occurs::repeated, Block::optional, read_service_real},
    StatementRule<Draft>{"sorry", Occurs::repeated, Block::none, read_service_sorry},
    StatementRule<Draft>{"check", Occurs::repeated, Block::optional, read_service_check},
};

void read_pool(Arguments& in, Draft& draft) {
    in.list([&] {
        auto const word = in.word("a pool");
        if (!word)
            return;
        auto const found = draft.names.pools.find(word->text);
        if (found == draft.names.pools.end()) {
            std::vector<std::string_view> names;
            for (auto const& [name, node] : draft.names.pools)
                names.push_back(name);
            in.fail(DiagId::unknown_pool, word->span,
                    fmt::format("`{}` is no pool of this site{}", word->text, did_you_mean(word->text, names)));
            return;
        }
        draft.names.used_pools.insert(found->first);
        auto const& pool = *found->second;
        draft.pools_good =
            read_statements<Draft>(pool_rules, pool.block(), pool, "a pool", draft.reading, draft) && draft.pools_good;
    });
}

/// Its own statements, then those of `defaults` whose word it does not use.
std::vector<ast::Node> with_defaults(ast::Node const& node, std::vector<ast::Node> const* defaults) {
    auto nodes = node.block();
    if (defaults == nullptr)
        return nodes;
    auto const own = nodes;
    for (auto const& statement : *defaults)
        if (std::ranges::none_of(own, [&](auto const& n) { return n.keyword() == statement.keyword(); }))
            nodes.push_back(statement);
    return nodes;
}

/// Which directors balance the service, and with which marks; marks to allocate stay 0.
void settle_directors(Draft& draft) {
    auto& service = draft.service;
    auto& out = draft.reading.diagnostics;
    auto const& site = draft.names.site;
    for (std::size_t i = 0; i < site.directors.size(); ++i) {
        DirectorId const id{i};
        auto const listed = std::ranges::any_of(draft.on, [&](auto const& on) { return on.value == id; });
        if (draft.on.empty() || listed)
            service.on.push_back({id, {}, false, service.name.span});
    }
    for (auto& on : service.on) {
        if (draft.mark_everywhere) {
            on.mark = draft.mark_everywhere->value;
            on.span = draft.mark_everywhere->span;
            continue;
        }
        auto const mark = std::ranges::find(draft.marks, on.director, &decltype(draft.marks)::value_type::first);
        if (mark != draft.marks.end()) {
            on.mark = mark->second.value;
            on.span = mark->second.span;
        } else if (!draft.marks.empty() && !service.incomplete) {
            out.report(DiagId::missing_mark, draft.mark_span, "director `{}` balances `{}` too, and has no mark here",
                       site[on.director].name.value, service.name.value);
        } else {
            on.allocated = true;
        }
    }
    for (auto const& [id, mark] : draft.marks)
        if (service.on_director(id) == nullptr && !service.incomplete)
            out.report(DiagId::missing_mark, mark.span, "director `{}` does not balance `{}`; leave its mark out, or "
                       "add it to `on`", site[id].name.value, service.name.value);
}

void require(Draft const& draft, ast::Node const& node, bool missing, std::string_view keyword) {
    if (missing)
        draft.reading.diagnostics.report(DiagId::missing_statement, node.span(), "service `{}` needs `{}`",
                                         draft.service.name.value, keyword);
}

bool has_any(std::vector<ast::Node> const& nodes, std::string_view keyword) {
    return std::ranges::any_of(nodes, [&](auto const& node) { return node.keyword() == keyword; });
}

/// What a service cannot be without, and what its statements say of each other.
void settle(Draft& draft, ast::Node const& node, std::vector<ast::Node> const& statements) {
    auto& service = draft.service;
    auto& out = draft.reading.diagnostics;
    if (!service.incomplete) {
        require(draft, node, !has_any(statements, "vip"), "vip");
        require(draft, node, !has_any(statements, "port"), "port");
    }
    settle_directors(draft);
    if (service.ports.size() > 1 && service.ports[0].protocol == Protocol::any) {
        out.report(DiagId::redundant_value, service.ports[1].span, "`port any` has every port of every protocol "
                   "already").note(service.ports[0].span, "given here");
        service.ports.resize(1);
    }
    auto const only_udp = service.ports.size() == 1 && service.ports[0].protocol == Protocol::udp;
    if (service.one_packet && !service.ports.empty() && !only_udp) {
        auto const at = std::ranges::find(statements, "one-packet", &ast::Node::keyword);
        out.report(DiagId::one_packet_not_udp, at->span(), "`one-packet` is for UDP alone; give the other ports a "
                   "service of their own").note(service.ports[0].span, "the service's ports");
    }
}

} // namespace

std::optional<Service> read_service(ast::Node const& node, Names& names, Reading reading) {
    auto name = read_block_name(node, reading);
    Draft draft{{}, names, reading, {}, {}, {}, {}, true};
    draft.service.span = node.span();
    if (name)
        draft.service.name = *name;
    if ((!name && !node.has_block()) || !check_block(node, Block::required, reading.diagnostics))
        return std::nullopt;
    auto const statements = with_defaults(node, names.defaults);
    auto const good = read_statements<Draft>(service_rules, statements, node, "a service", reading, draft);
    draft.service.incomplete = !good || !draft.pools_good;
    settle(draft, node, statements);
    if (!name)
        return std::nullopt;
    return std::move(draft.service);
}

void read_unused_pool(ast::Node const& node, Names& names, Reading reading) {
    Draft draft{{}, names, reading, {}, {}, {}, {}, true};
    read_statements<Draft>(pool_rules, node.block(), node, "a pool", reading, draft);
}

} // namespace lbc
