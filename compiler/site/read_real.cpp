#include "compiler/site/readers.hpp"

#include <array>

namespace lbc {
namespace {

/// The most addresses of one range; more are taken for a mistake.
constexpr std::size_t longest_range = 4096;

/// One address that a target stands for.
struct Target {
    IpAddress address;
    std::optional<DirectorId> director;
};

struct Targets {
    SmallVector<Target, 2> list;
    Port port;
    Span span;
};

std::vector<Family> families_of(Service const& service) {
    std::vector<Family> present;
    for (auto const family : families)
        if (service.has_vip(family))
            present.push_back(family);
    return present;
}

/// Adds the director's address of each family of the service. A tunnel can cross families, so with a tunnel a director
/// that has none of them is reached at its first address.
void add_director(Arguments& in, RealContext& context, DirectorId id, Forwarding const& forwarding, Targets& out) {
    auto const& director = context.site()[id];
    auto const wanted = families_of(context.service);
    auto missing = std::optional<Family>{};
    for (auto const family : wanted)
        if (auto const address = director.address(family))
            out.list.push_back({*address, id});
        else
            missing = family;
    if (!missing)
        return;
    auto const tunnel = forwarding.method == Forwarding::Method::tun;
    if (out.list.empty() && tunnel && !director.addresses.empty()) {
        out.list.push_back({director.addresses.front().value, id});
    } else if (director.incomplete) {
        in.give_up();
    } else {
        in.fail(DiagId::missing_address, out.span,
                fmt::format("director `{}` has no {} address, which `{}` needs; add one to the director, or name the "
                            "real server's address",
                            director.name.value, title(*missing), context.service.name.value))
            .note(director.span, "the director");
    }
}

void add_range(Arguments& in, IpAddress first, std::string_view last_text, Targets& out) {
    auto const last = parse_host_address(last_text);
    if (!last) {
        in.fail(last.error().id, out.span, last.error().message);
        return;
    }
    if (last->family() != first.family() || *last < first) {
        in.fail(DiagId::reversed_range, out.span, "the range ends before it begins");
        return;
    }
    for (auto at = first;; at = at.next()) {
        if (out.list.size() == longest_range) {
            in.fail(DiagId::number_range, out.span,
                    fmt::format("a range of real servers has at most {} addresses", longest_range));
            return;
        }
        out.list.push_back({at, std::nullopt});
        if (at == *last)
            return;
    }
}

/// An address, a range `A-B`, or a director's name.
void read_host(Arguments& in, RealContext& context, TargetText const& text, Forwarding const& forwarding,
               Targets& out) {
    auto const dash = text.host.find('-');
    auto const parsed = IpAddress::parse(text.host.substr(0, dash));
    if (!parsed && !text.bracketed && parse_name(text.host)) {
        if (auto const id =
                find_director(in, text.host, out.span, context.site(), "no address and no director of this site"))
            add_director(in, context, *id, forwarding, out);
        return;
    }
    auto const is_host = parsed && parsed->is_unicast();
    auto const address = is_host ? Value<IpAddress>(*parsed) : parse_host_address(text.host.substr(0, dash));
    if (!address)
        in.fail(DiagId::bad_address, out.span,
                parsed ? address.error().message
                       : fmt::format("`{}` is no IPv4 or IPv6 address, range `A-B` or director", text.host));
    else if (dash == std::string_view::npos)
        out.list.push_back({*address, std::nullopt});
    else
        add_range(in, *address, text.host.substr(dash + 1), out);
}

std::optional<ast::Word> read_target_word(Arguments& in) { return in.word("an address or a director"); }

/// The addresses and the port that a target's word stands for; the forwarding method must be known.
std::optional<Targets> resolve_targets(Arguments& in, std::optional<ast::Word> const& word,
                                       Forwarding const& forwarding, RealContext& context) {
    if (!word || in.failed())
        return std::nullopt;
    Targets targets;
    targets.span = word->span();
    auto const text = split_target(word->text());
    if (text.port) {
        auto const port = parse_port(*text.port);
        if (!port) {
            in.fail(port.error().id, word->span(), port.error().message);
            return std::nullopt;
        }
        targets.port = *port;
    }
    read_host(in, context, text, forwarding, targets);
    if (in.failed())
        return std::nullopt;
    return targets;
}

/// The port of a service that has exactly one port; else 0.
Port only_port(Service const& service) {
    if (service.ports.size() != 1 || service.ports[0].ports.size() != 1)
        return {};
    auto const& range = service.ports[0].ports[0];
    return range.first == range.last ? range.first : Port{};
}

/// Direct routing and tunnels do not change the packet, so a port of a real server must be the port of the service.
void settle_port(Forwarding const& forwarding, Targets& targets, RealContext& context) {
    if (targets.port == Port{} || forwarding.method == Forwarding::Method::nat)
        return;
    auto const& service = context.service;
    if (!service.ports.empty() && targets.port != only_port(service))
        context.reading.diagnostics
            .report(DiagId::port_translation, targets.span,
                    "`forward {}` cannot change a packet's port to {}; leave the port out, or use `forward nat`",
                    forwarding.method == Forwarding::Method::dr ? "dr" : "tun", targets.port.value)
            .note(service.ports[0].span, "the service's ports");
    targets.port = Port{};
}

void refuse_nat_to_director(Forwarding const& forwarding, Targets const& targets, RealContext& context) {
    if (forwarding.method != Forwarding::Method::nat)
        return;
    for (auto const& target : targets.list)
        for (auto const& director : context.site().directors)
            for (auto const& address : director.addresses)
                if (address.value == target.address)
                    context.reading.diagnostics
                        .report(DiagId::nat_to_director, targets.span,
                                "`forward nat` cannot reach director `{}`: its answers would bypass this one; use "
                                "`forward dr`",
                                director.name.value)
                        .note(address.span, "its address");
}

void read_connections(Arguments& in, RealServer& real) {
    auto const span = in.here();
    auto const word = in.word("MAX or MIN-MAX");
    if (!word)
        return;
    constexpr NumberRange range{"connections", 0, 2147483647};
    auto const dash = word->text().find('-');
    auto const read = [&](std::string_view text) -> std::uint32_t {
        auto const number = parse_number(text, range);
        if (!number && !in.failed())
            in.fail(number.error().id, span, number.error().message);
        return number ? static_cast<std::uint32_t>(*number) : 0;
    };
    if (dash != std::string_view::npos)
        real.connections_min = read(word->text().substr(0, dash));
    real.connections_max = read(dash == std::string_view::npos ? word->text() : word->text().substr(dash + 1));
    if (!in.failed() && real.connections_min > real.connections_max)
        in.fail(
            DiagId::connection_limits, span,
            fmt::format("the lower limit {} is above the upper limit {}", real.connections_min, real.connections_max));
}

struct RealDraft {
    RealServer real;
    Reading reading;
};

constexpr std::array real_rules{
    StatementRule<RealDraft>{"check", Occurs::repeated, Block::optional,
                             [](Arguments& in, RealDraft& draft) {
                                 if (auto check = read_check(in, draft.reading))
                                     draft.real.checks.edit().push_back(std::move(*check));
                             }},
    StatementRule<RealDraft>{"notify-up", Occurs::once, Block::none,
                             [](Arguments& in, RealDraft& draft) { draft.real.notify_up = read_command(in); }},
    StatementRule<RealDraft>{"notify-down", Occurs::once, Block::none,
                             [](Arguments& in, RealDraft& draft) { draft.real.notify_down = read_command(in); }},
    StatementRule<RealDraft>{"inhibit-on-failure", Occurs::once, Block::none,
                             [](Arguments& in, RealDraft& draft) { draft.real.inhibit_on_failure = read_switch(in); }},
};

/// The most real servers of all services together; more are taken for a mistake.
constexpr std::size_t most_reals = 262'144;

/// Adds a real server for each address, unless the service has that one already.
void add_reals(Arguments& in, RealServer const& pattern, Targets const& targets, RealContext& context) {
    context.names.reals += targets.list.size();
    if (context.names.reals > most_reals) {
        in.fail(DiagId::number_range, targets.span, fmt::format("the site has more than {} real servers", most_reals));
        return;
    }
    if (!context.names.add_checks(in, pattern.checks.size() * targets.list.size()))
        return;
    for (auto const& target : targets.list) {
        if (auto const* first = context.index.find(context.service, target.address, targets.port)) {
            context.reading.diagnostics
                .report(DiagId::duplicate_real, targets.span, "`{}` is a real server of `{}` already",
                        target.address.str(), context.service.name.value)
                .note(first->span, "first given here");
            continue;
        }
        auto& real = context.service.reals.emplace_back(pattern);
        real.address = target.address;
        real.director = target.director;
        real.port = targets.port;
        real.span = targets.span;
    }
}

} // namespace

RealServer const* RealIndex::find(Service const& service, IpAddress const& address, Port port) {
    auto const& reals = service.reals;
    constexpr std::size_t few = 16; // searching so few is faster than building an index
    if (reals.size() <= few) {
        auto const found = std::ranges::find_if(
            reals, [&](RealServer const& real) { return real.address == address && real.port == port; });
        return found == reals.end() ? nullptr : &*found;
    }
    for (auto i = places_.size(); i < reals.size(); ++i)
        places_.try_emplace({reals[i].address, reals[i].port}, i);
    auto const found = places_.find({address, port});
    return found == places_.end() ? nullptr : &reals[found->second];
}

std::optional<Forwarding> read_forwarding(Arguments& in) {
    using Method = Forwarding::Method;
    using Tunnel = Forwarding::Tunnel;
    using Checksum = Forwarding::Checksum;
    static constexpr std::array<std::string_view, 3> method_words{"dr", "nat", "tun"};
    static constexpr std::array methods{Method::dr, Method::nat, Method::tun};
    auto const method = in.choice(method_words, "a forwarding method");
    if (!method)
        return std::nullopt;
    Forwarding forwarding;
    forwarding.method = methods[*method];
    if (forwarding.method != Method::tun)
        return forwarding;
    if (in.accept("gre"))
        forwarding.tunnel = Tunnel::gre;
    else if (in.accept("gue"))
        forwarding.tunnel = Tunnel::gue;
    else if (in.accept("ipip"))
        forwarding.tunnel = Tunnel::ipip;
    if (forwarding.tunnel == Tunnel::gue) {
        if (!in.accept("port")) {
            in.fail(DiagId::missing_value, in.last(), "a `gue` tunnel needs its port: `tun gue port 5555`");
            return std::nullopt;
        }
        forwarding.gue_port = in.value(parse_port, "a port").value_or(Port{});
    }
    auto const where = in.here();
    if (in.accept("csum"))
        forwarding.checksum = Checksum::csum;
    else if (in.accept("remcsum"))
        forwarding.checksum = Checksum::remcsum;
    else if (in.accept("nocsum"))
        forwarding.checksum = Checksum::none;
    if (forwarding.checksum != Checksum::none && forwarding.tunnel == Tunnel::ipip)
        in.fail(DiagId::unknown_value, where, "an `ipip` tunnel has no checksums; `gre` and `gue` have");
    return in.failed() ? std::nullopt : std::optional(forwarding);
}

void read_real(Arguments& in, RealContext& context) {
    auto const word = read_target_word(in);
    RealDraft draft{{}, context.reading};
    auto& real = draft.real;
    real.forwarding = context.service.forwarding;
    while (!in.done() && !in.at_comma())
        if (in.option("weight"))
            real.weight = in.number(weight_range).value_or(1);
        else if (in.option("forward"))
            real.forwarding = read_forwarding(in).value_or(real.forwarding);
        else if (in.option("connections"))
            read_connections(in, real);
        else
            break;
    if (in.node().has_block())
        read_statements<real_rules>(in.node().block(), in.node(), "a real server", context.reading, draft);
    auto targets = resolve_targets(in, word, real.forwarding, context);
    if (!targets)
        return;
    settle_port(real.forwarding, *targets, context);
    refuse_nat_to_director(real.forwarding, *targets, context);
    add_reals(in, real, *targets, context);
}

void read_sorry(Arguments& in, RealContext& context) {
    auto const word = read_target_word(in);
    auto forwarding = context.service.forwarding;
    if (in.option("forward"))
        forwarding = read_forwarding(in).value_or(forwarding);
    auto targets = resolve_targets(in, word, forwarding, context);
    if (!targets)
        return;
    settle_port(forwarding, *targets, context);
    refuse_nat_to_director(forwarding, *targets, context);
    auto& sorry = context.service.sorry;
    for (auto const& target : targets->list) {
        auto const same = std::ranges::find(sorry, target.address.family(),
                                            [](SorryServer const& other) { return other.address.family(); });
        if (same != sorry.end())
            in.fail(DiagId::duplicate_statement, targets->span, "a service has one sorry server for each family")
                .note(same->span, "the first one");
        else
            sorry.edit().push_back({target.address, target.director, targets->port, forwarding, targets->span});
    }
}

} // namespace lbc
