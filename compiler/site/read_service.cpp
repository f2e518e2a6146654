#include "compiler/site/service_draft.hpp"

#include <array>

namespace lbc {
namespace {

using Draft = ServiceDraft;

template <auto member>
void read_quorum_command(Arguments& in, Draft& draft) {
    auto& quorum = draft.service.quorum ? *draft.service.quorum : draft.service.quorum.emplace();
    quorum.*member = read_command(in);
    quorum.span = in.node().span();
}

template <auto member>
void read_service_switch(Arguments& in, Draft& draft) {
    draft.service.*member = read_switch(in);
}

void read_service_real(Arguments& in, Draft& draft) {
    settle_claims(draft);
    RealContext context{draft.service, draft.reals, draft.names, draft.reading};
    read_real(in, context);
}

void read_service_sorry(Arguments& in, Draft& draft) {
    settle_claims(draft);
    RealContext context{draft.service, draft.reals, draft.names, draft.reading};
    read_sorry(in, context);
}

void read_service_check(Arguments& in, Draft& draft) {
    if (!draft.names.add_checks(in, 1))
        return;
    if (auto check = read_check(in, draft.reading))
        draft.service.checks.edit().push_back(std::move(*check));
}

void read_pool(Arguments& in, Draft& draft);

// The order of reading: real servers need the service's addresses, ports and forwarding.
constexpr std::array service_rules{
    StatementRule<Draft>{
        "description", Occurs::once, Block::none,
        [](Arguments& in, Draft& draft) { draft.service.description = in.prose("a description").value_or(""); }},
    StatementRule<Draft>{"vip", Occurs::repeated, Block::none, read_vip},
    StatementRule<Draft>{"port", Occurs::repeated, Block::none, read_port},
    StatementRule<Draft>{"mark", Occurs::once, Block::none, read_mark},
    StatementRule<Draft>{"on", Occurs::repeated, Block::none, read_on},
    StatementRule<Draft>{"interface", Occurs::repeated, Block::none,
                         [](Arguments& in, Draft& draft) {
                             in.values<InterfacePattern>(parse_interface, "an interface",
                                                         draft.service.interfaces.edit());
                         }},
    StatementRule<Draft>{"bypass", Occurs::repeated, Block::none,
                         [](Arguments& in, Draft& draft) {
                             in.values<MacAddress>(parse_mac, "a MAC address", draft.service.bypass.edit());
                         }},
    StatementRule<Draft>{"local", Occurs::once, Block::none, read_service_switch<&Service::local>},
    StatementRule<Draft>{"scheduler", Occurs::once, Block::none, read_scheduler},
    StatementRule<Draft>{
        "forward", Occurs::once, Block::none,
        [](Arguments& in, Draft& draft) { draft.service.forwarding = read_forwarding(in).value_or(Forwarding{}); }},
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
    StatementRule<Draft>{"firewalled", Occurs::once, Block::none, read_service_switch<&Service::firewalled>},
};

constexpr std::array pool_rules{
    StatementRule<Draft>{"real", Occurs::repeated, Block::optional, read_service_real},
    StatementRule<Draft>{"sorry", Occurs::repeated, Block::none, read_service_sorry},
    StatementRule<Draft>{"check", Occurs::repeated, Block::optional, read_service_check},
};

void read_pool(Arguments& in, Draft& draft) {
    std::vector<Located<std::string>> read; // the pools of this statement so far
    in.list([&] {
        auto const word = in.word("a pool");
        if (!word)
            return;
        auto const found = draft.names.pools.find(word->text());
        if (found == draft.names.pools.end()) {
            std::vector<std::string_view> names;
            for (auto const& [name, pool] : draft.names.pools)
                names.push_back(name);
            if (draft.names.site.incomplete)
                in.give_up();
            else
                in.fail(DiagId::unknown_pool, word->span(),
                        fmt::format("`{}` is no pool of this site{}", word->text(),
                                    did_you_mean(word->text(), names, in.diagnostics().errors())));
            return;
        }
        auto const before = read.size();
        in.add_unique(read, {found->first, word->span()});
        if (read.size() == before)
            return;
        found->second.used = true;
        if (draft.names.checks > Names::most_checks) { // reading it again for many services would be in vain
            draft.pools_good = false;
            return;
        }
        auto const& pool = found->second.node;
        draft.pools_good =
            read_statements<pool_rules>(pool.block(), pool, "a pool", draft.reading, draft) && draft.pools_good;
    });
}

using Statements = SmallVector<ast::Node, 16>;

bool has_any(ast::Nodes const& nodes, std::string_view keyword) {
    return std::ranges::any_of(nodes, [&](ast::Node const& node) { return node.keyword() == keyword; });
}

/// The statements of the service, then those of `defaults` with a keyword that the service does not use.
Statements with_defaults(ast::Node const& node, std::optional<ast::Nodes> const& defaults) {
    Statements nodes;
    for (auto const statement : node.block())
        nodes.push_back(statement);
    if (!defaults)
        return nodes;
    for (auto const statement : *defaults)
        if (!has_any(node.block(), statement.keyword()))
            nodes.push_back(statement);
    return nodes;
}

/// Settles which directors balance the service, and its marks there. Marks that are still to be allocated stay 0.
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
            out.report(DiagId::missing_mark, mark.span,
                       "director `{}` does not balance `{}`; leave its mark out, or "
                       "add it to `on`",
                       site[id].name.value, service.name.value);
}

/// Checks that the service has the statements it needs, and that its statements fit together.
void settle(Draft& draft, ast::Node const& node, Statements const& statements) {
    auto& service = draft.service;
    auto& out = draft.reading.diagnostics;
    auto const has_none = [&](std::string_view keyword) {
        return std::ranges::find(statements, keyword, &ast::Node::keyword) == statements.end();
    };
    auto const no_vip = draft.service.vips.empty() && has_none("vip");
    auto const no_port = draft.service.ports.empty() && has_none("port");
    if (!service.incomplete && (no_vip || no_port))
        out.report(DiagId::missing_statement, node.span(), "service `{}` needs {}", service.name.value,
                   no_vip && no_port ? "`vip` and `port`"
                   : no_vip          ? "`vip`"
                                     : "`port`");
    settle_directors(draft);
    if (service.ports.size() > 1 && service.ports[0].protocol == Protocol::any) {
        out.report(DiagId::redundant_value, service.ports[1].span,
                   "`port any` has every port of every protocol "
                   "already")
            .note(service.ports[0].span, "given here");
        service.ports.resize(1);
    }
    auto const only_udp = service.ports.size() == 1 && service.ports[0].protocol == Protocol::udp;
    if (service.one_packet && !service.ports.empty() && !only_udp) {
        auto const at = std::ranges::find(statements, "one-packet", &ast::Node::keyword);
        out.report(DiagId::one_packet_not_udp, at->span(),
                   "`one-packet` is for UDP alone; give the other ports a "
                   "service of their own")
            .note(service.ports[0].span, "the service's ports");
    }
}

} // namespace

std::optional<Service> read_service(ast::Node const& node, Names& names, Reading reading) {
    auto name = read_block_name(node, reading);
    Draft draft(names, reading);
    draft.service.span = node.span();
    if (name)
        draft.service.name = *name;
    if ((!name && !node.has_block()) || !check_block(node, Block::required, reading.diagnostics))
        return std::nullopt;
    auto const statements = with_defaults(node, names.defaults);
    draft.service.reals.reserve(static_cast<std::size_t>(std::ranges::count(statements, "real", &ast::Node::keyword)));
    auto const good = read_statements<service_rules>(statements, node, "a service", reading, draft);
    draft.service.incomplete = !good || !draft.pools_good;
    if (!name)
        return std::nullopt;
    settle_claims(draft);
    settle(draft, node, statements);
    return std::move(draft.service);
}

bool Names::add_checks(Arguments& in, std::size_t count) {
    bool const is_reported = checks > most_checks;
    checks += count;
    if (is_reported)
        in.give_up();
    else if (checks > most_checks)
        in.fail(DiagId::too_large, in.node().span(),
                fmt::format("the services and real servers of the site have more than {} checks; check a pool's "
                            "servers with fewer checks",
                            most_checks));
    return checks <= most_checks;
}

void read_defaults(ast::Node const& node, Names& names, Reading reading) {
    // Mistakes in a pool are reported at the pool, and a `pool` here does not count as a use of it.
    Statements statements;
    for (auto const statement : node.block())
        if (statement.keyword() != "pool")
            statements.push_back(statement);
    Draft draft(names, reading);
    read_statements<service_rules>(statements, node, "a service", reading, draft);
}

void read_unused_pool(ast::Node const& node, Names& names, Reading reading) {
    Draft draft(names, reading);
    read_statements<pool_rules>(node.block(), node, "a pool", reading, draft);
}

} // namespace lbc
