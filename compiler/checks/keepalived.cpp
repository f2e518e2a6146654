#include "compiler/base/keepalived_strings.hpp"
#include "compiler/checks/checks.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace lbc {
namespace {

constexpr Milliseconds longest_v3_advert{40'950}; // RFC 5798, 5.2.7: 12 bits of centiseconds

/// The most bytes of a statement's value in keepalived's file. keepalived cuts a line after 1,023 bytes (parser.c); the
/// difference is room for the keyword, the blanks before it and `@HOST`.
constexpr std::size_t longest_written = 900;
constexpr std::size_t longest_session_name = 31; // BFD_INAME_MAX of bfd.h, less the NUL

void check_written(std::size_t size, std::string_view what, Span at, Diagnostics& diagnostics) {
    if (size > longest_written)
        diagnostics.report(DiagId::keepalived_limit, at,
                           "keepalived has no line for this {}: it has {} bytes there, with what keepalived wants "
                           "escaped, and {} at most; shorten it",
                           what, size, longest_written);
}

/// Whether every quote is closed, as keepalived reads a command: `\` makes the next character literal, except between
/// single quotes.
bool closes_quotes(std::string_view text) {
    char open = 0;
    for (std::size_t at = 0; at < text.size(); ++at)
        if (text[at] == '\\' && open != '\'')
            ++at;
        else if (open == 0 && (text[at] == '"' || text[at] == '\''))
            open = text[at];
        else if (text[at] == open)
            open = 0;
    return open == 0;
}

/// keepalived takes a word that is a brace for the start or end of a block, even in quotes.
bool is_brace(std::string_view text) { return text == "{" || text == "}"; }

void check_command(CommandText const& command, Diagnostics& diagnostics) {
    if (command.text.empty())
        return;
    auto const first = command.text.find_first_not_of(" \t\n");
    if (first == std::string_view::npos)
        diagnostics.report(DiagId::keepalived_limit, command.span,
                           "keepalived has no way to run a command of blanks; name a program, or leave it out");
    else if (is_brace(std::string_view(command.text).substr(first, command.text.find_last_not_of(" \t\n") + 1 - first)))
        diagnostics.report(DiagId::keepalived_limit, command.span,
                           "keepalived takes the command `{}` for a brace of its own; name a program", command.text);
    else if (!closes_quotes(command.text))
        diagnostics.report(DiagId::keepalived_limit, command.span,
                           "a quote in this command has no other half, so keepalived cannot tell its words apart");
    check_written(keepalived::command(command.text).size(), "command", command.span, diagnostics);
}

/// Whether keepalived can represent a word. It reads most words literally: a quote ends one, and parameters and
/// sequences have no escape. An earlier pass over the line takes a `\` before the closing quote for an escape of that
/// quote.
bool can_stand(std::string_view text) {
    constexpr std::array never{"\"", "${", "$_", "~SEQ(", "~LST("};
    auto const escapes_quote = (text.size() - (text.find_last_not_of('\\') + 1)) % 2 != 0;
    return !escapes_quote && !is_brace(text) && std::ranges::none_of(never, [&](std::string_view part) {
        return text.find(part) != std::string_view::npos;
    });
}

void check_word(std::string_view text, std::string_view what, Span at, Diagnostics& diagnostics) {
    if (!can_stand(text))
        diagnostics.report(DiagId::keepalived_limit, at,
                           "keepalived has no way to write this {}: it can hold no quote, `${{`, `$_`, "
                           "`~SEQ(` or `~LST(`, no `\\` at its end, and be no brace alone",
                           what);
}

/// An interface is written without quotes, so `!` and `#` in it would begin a comment.
void check_interface(std::string_view name, Span at, Diagnostics& diagnostics) {
    if (!can_stand(name) || name.contains('!') || name.contains('#'))
        diagnostics.report(DiagId::keepalived_limit, at,
                           "keepalived has no way to write the interface `{}`: it can hold no quote, `!`, `#`, `${{`, "
                           "`$_`, `~SEQ(` or `~LST(`, and no `\\` at its end",
                           name);
}

void check_instance(Vrrp const& vrrp, Diagnostics& diagnostics) {
    auto const at = vrrp.name.span;
    auto const& name = vrrp.name.value;
    auto const reason = vrrp.family() == Family::ipv6 ? "its VIPs are IPv6" : "its `advert` is no whole second";
    if (vrrp.version() == 3 && !vrrp.auth.empty())
        diagnostics.report(DiagId::keepalived_limit, at,
                           "`{}` has `auth`, which VRRP version 3 does not know, and it needs that, since {}", name,
                           reason);
    if (vrrp.version() == 3 && vrrp.advert > longest_v3_advert)
        diagnostics.report(DiagId::keepalived_limit, at, "the `advert` of `{}` is 40.95s at most, since {}", name,
                           reason);
    check_word(vrrp.auth, "secret", at, diagnostics);
    check_interface(vrrp.interface, at, diagnostics);
    for (auto const& vip : vrrp.vips)
        check_interface(vip.device, vip.span, diagnostics);
    for (auto const& tracked : vrrp.track_interfaces)
        check_interface(tracked, at, diagnostics);
    check_command(vrrp.notify, diagnostics);
    for (auto const& script : vrrp.track_scripts)
        check_command(script.command, diagnostics);
    if (!vrrp.preempt && vrrp.preempt_delay)
        diagnostics.report(DiagId::keepalived_limit, at,
                           "`{}` has `nopreempt`, so `preempt-delay` has nothing to delay; leave one out", name);
}

void check_groups(Site const& site, Diagnostics& diagnostics) {
    std::map<std::string_view, std::vector<Vrrp const*>> groups;
    for (auto const& vrrp : site.vrrps)
        if (!vrrp.group.empty())
            groups[vrrp.group].push_back(&vrrp);
    for (auto const& [name, members] : groups)
        if (members.size() == 1)
            diagnostics.report(DiagId::redundant_value, members.front()->name.span,
                               "`group {}` has `{}` alone: there is nothing to fail over with", name,
                               members.front()->name.value);
}

/// Checks ports, weights and quorum of the real servers in keepalived's virtual service of one family.
void check_pool(Service const& service, Family family, Diagnostics& diagnostics) {
    std::uint64_t weights = 0;
    for (auto const index : service.reals_for(family)) {
        auto const& real = service.reals[index];
        weights += real.weight;
        auto const keeps_port =
            real.port == Port{} || std::ranges::all_of(service.ports, [&](PortClaim const& claim) {
                return claim.ports.size() == 1 && claim.ports.front() == PortRange{real.port, real.port};
            });
        if (!keeps_port)
            diagnostics.report(DiagId::keepalived_limit, real.span,
                               "keepalived knows no port of a mark's real servers, so `{}` cannot get other ports than "
                               "the packets' own",
                               real.address.str());
    }
    if (weights == 0 && !service.incomplete)
        diagnostics.report(
            DiagId::keepalived_limit, service.name.span,
            "all {} real servers of `{}` have weight 0, and keepalived takes its quorum for reached then: "
            "the sorry server is not used; give one of them a weight",
            title(family), service.name.value);
    else if (service.quorum && service.quorum->count > weights)
        diagnostics.report(DiagId::keepalived_limit, service.quorum->span,
                           "the quorum {} is never reached: all {} real servers of `{}` weigh {}",
                           service.quorum->count, title(family), service.name.value, weights);
}

void check_service(Service const& service, Diagnostics& diagnostics) {
    for (auto const family : families)
        if (service.has_vip(family))
            check_pool(service, family, diagnostics);
    if (service.quorum)
        for (auto const* command : {&service.quorum->up, &service.quorum->down})
            check_command(*command, diagnostics);
    if (!service.scheduler.known)
        diagnostics.report(DiagId::keepalived_limit, service.scheduler.span, "keepalived knows no scheduler `{}`",
                           service.scheduler.name);
}

/// The real servers of a service's virtual service of each family, as sorted indices; none for a family without a VIP.
using Members = std::array<std::vector<std::size_t>, families.size()>;

Members members_of(Service const& service) {
    Members members;
    for (std::size_t i = 0; i < families.size(); ++i)
        if (service.has_vip(families.at(i)))
            members.at(i) = service.reals_for(families.at(i));
    return members;
}

/// Reports a check through the VIP that could not take the path of a client's packets.
void check_through_vip(Site const& site, Service const& service, Members const& members, RealServer const& real,
                       Check const& check, Diagnostics& diagnostics) {
    auto const report = [&](std::string_view why) {
        diagnostics.report(DiagId::check_through_vip, check.span, "this check cannot go through the VIP: {}", why);
    };
    if (check.connect)
        return report("it has `connect`, which names where it goes");
    if (real.forwarding.method == Forwarding::Method::nat)
        return report(
            fmt::format("`{}` is reached by `nat`, which rewrites the VIP; check its own address", real.address.str()));
    if (service.local)
        return report("`local` has this director's own connections balanced, and a check must reach one real server");
    if (site.guard == GuardMode::backup_only)
        return report("`guard backup-only` switches IPVS off on a backup");
    auto const index = static_cast<std::size_t>(&real - service.reals.data());
    for (std::size_t i = 0; i < families.size(); ++i) {
        auto const family = families.at(i);
        if (!std::ranges::binary_search(members.at(i), index))
            continue;
        if (!service.checked_vip(family))
            return report(fmt::format("no {} VIP of `{}` is a single address", title(family), service.name.value));
        for (auto const& on : service.on)
            if (!site[on.director].address(family) && !site[on.director].incomplete)
                return report(fmt::format("it needs an {} `address` of director `{}` to come from", title(family),
                                          site[on.director].name.value));
    }
}

std::size_t status_size(CheckPath const& path) {
    std::size_t size = 0;
    for (auto const& range : path.status)
        size += range.first == range.last ? std::string_view(" 200").size() : std::string_view(" 200-299").size();
    return size;
}

/// Checks the targets of a real server's checks; each check is reported once.
void check_ways(Site const& site, Service const& service, Members const& members, RealServer const& real,
                std::vector<Check> const& checks, Diagnostics& diagnostics) {
    for (auto const& check : checks) {
        if (check.through_vip)
            check_through_vip(site, service, members, real, check, diagnostics);
        if (has_port(check.kind) && !port_of(service, real, check))
            diagnostics.report(DiagId::check_port, check.span,
                               "the `{}` check of `{}` has no port: say `port N`, as no single port of the service is "
                               "meant",
                               to_string(check.kind), service.name.value);
    }
}

/// Checks the values of the checks of a service or real server, which do not depend on the server that is checked.
void check_checks(std::vector<Check> const& checks, std::map<std::string, Check const*>& tracked,
                  Diagnostics& diagnostics) {
    for (auto const& check : checks) {
        // keepalived's parser takes the byte ff for the end of the text.
        if (check.payload.ends_with("ff") || check.reply.value_or("").ends_with("ff"))
            diagnostics.report(DiagId::keepalived_limit, check.span,
                               "keepalived refuses hex digits that end with the byte ff; leave that out");
        check_command(check.command, diagnostics);
        for (auto const& path : check.paths) {
            check_word(path.path, "path", check.span, diagnostics);
            check_written(keepalived::pattern(path.regex).size(), "regular expression", check.span, diagnostics);
            check_written(status_size(path), "list of statuses", check.span, diagnostics);
        }
        for (auto const* text : {&check.host, &check.helo, &check.name})
            check_word(*text, "name", check.span, diagnostics);
        check_word(check.file, "file", check.span, diagnostics);
        if (check.kind != Check::Kind::file)
            continue;
        auto const [found, fresh] = tracked.try_emplace(check.track, &check);
        if (!fresh && found->second->file != check.file)
            diagnostics.report(DiagId::keepalived_limit, check.span, "`track {}` is another file already", check.track)
                .note(found->second->span, "first given here");
    }
}

/// Checks the lengths of BFD session names. With several neighbours, the neighbour's address is appended to the name.
void check_sessions(Site const& site, Diagnostics& diagnostics) {
    std::map<std::string_view, std::map<IpAddress, Check const*>> sessions;
    for (auto const& service : site.services)
        for (auto const& real : service.reals)
            for (auto const* checks : {&service.checks, &real.checks})
                for (auto const& check : *checks)
                    if (check.kind == Check::Kind::bfd)
                        sessions[check.instance].try_emplace(real.address, &check);
    for (auto const& [name, neighbours] : sessions)
        for (auto const& [address, check] : neighbours)
            if (auto const written =
                    neighbours.size() == 1 ? std::string(name) : fmt::format("{}-{}", name, address.str());
                written.size() > longest_session_name)
                diagnostics.report(
                    DiagId::keepalived_limit, check->span,
                    "the name `{}` of a BFD session has {} bytes, and {} at most; give each neighbour an "
                    "`instance` of its own with a short name",
                    written, written.size(), longest_session_name);
}

} // namespace

void check_keepalived(Site const& site, Diagnostics& diagnostics) {
    for (auto const& vrrp : site.vrrps)
        check_instance(vrrp, diagnostics);
    check_groups(site, diagnostics);
    if (site.sync)
        check_interface(site.sync->interface, site.sync->span, diagnostics);
    if (site.ipvs != IpvsOwner::keepalived)
        return;
    std::map<std::string, Check const*> tracked;
    for (auto const& service : site.services) {
        check_service(service, diagnostics);
        if (!service.reals.empty())
            check_checks(service.checks, tracked, diagnostics);
        auto const members = members_of(service);
        for (auto const& real : service.reals) {
            for (auto const* command : {&real.notify_up, &real.notify_down})
                check_command(command->get(), diagnostics);
            check_checks(real.checks, tracked, diagnostics);
            for (auto const* checks : {&service.checks, &real.checks})
                if (!service.incomplete)
                    check_ways(site, service, members, real, *checks, diagnostics);
        }
    }
    check_sessions(site, diagnostics);
}

} // namespace lbc
