#include "backends/keepalived/keepalived.hpp"

#include "backends/keepalived/configured_commands.hpp"
#include "backends/keepalived/parts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lbc {
namespace {

using keepalived::Statement;
using Lines = std::vector<Statement>;

std::string_view first_label(std::string_view host) { return host.substr(0, host.find('.')); }

bool programs_ipvs(Site const& site) { return site.ipvs == IpvsOwner::keepalived; }

/// keepalived runs the sync daemon if the daemon's role follows VRRP, or if keepalived manages all of IPVS.
bool runs_sync(Site const& site) { return site.sync && (site.sync->instance || programs_ipvs(site)); }

std::string sync_line(Site const& site) {
    auto const& sync = *site.sync;
    auto line = fmt::format("lvs_sync_daemon {}", sync.interface);
    if (sync.instance)
        line += fmt::format(" inst {}", site.vrrps[*sync.instance].name.value);
    line += fmt::format(" id {}", sync.id);
    if (sync.maxlen)
        line += fmt::format(" maxlen {}", *sync.maxlen);
    if (sync.port)
        line += fmt::format(" port {}", sync.port->value);
    if (sync.ttl)
        line += fmt::format(" ttl {}", *sync.ttl);
    if (sync.group)
        line += fmt::format(" group {}", sync.group->str());
    return line;
}

bool runs_commands(Lines const& statements) {
    return std::ranges::any_of(statements, [](Statement const& statement) {
        auto const word = std::string_view(statement.text).substr(0, statement.text.find(' '));
        return statement.is_block ? runs_commands(statement.block) : command_kind(word).has_value();
    });
}

Lines statements_of(Site const& site, Plan const& plan) {
    auto rest = keepalived::vrrp(site, plan.director);
    if (programs_ipvs(site))
        std::ranges::move(keepalived::virtual_servers(site, plan), std::back_inserter(rest));
    Lines global{fmt::format("router_id {}", site[plan.director].name.value)};
    if (runs_commands(rest)) {
        global.emplace_back("enable_script_security");
        global.emplace_back("script_user root");
    }
    if (runs_sync(site))
        global.emplace_back(sync_line(site));
    Lines all;
    all.emplace_back("global_defs", std::move(global));
    std::ranges::move(rest, std::back_inserter(all));
    return all;
}

constexpr std::string_view header_start = "# keepalived's configuration of director";

/// Comma-separated names, on as many lines of a comment as they need.
std::string broken_list(std::vector<std::string> const& names) {
    constexpr std::size_t widest = 100;
    std::string out;
    std::size_t width = header_start.size();
    for (auto const& name : names) {
        out += out.empty() ? "" : width + name.size() > widest ? ",\n# " : ", ";
        width = out.ends_with("\n# ") ? name.size() : width + name.size() + 2;
        out += name;
    }
    return out;
}

std::string header(Site const& site, std::span<Plan const> plans) {
    std::vector<std::string> names;
    bool by_default = true;
    for (auto const& plan : plans) {
        auto const& director = site[plan.director];
        names.push_back(director.name.value);
        by_default = by_default && config_id(site, plan.director) == first_label(director.hostname);
    }
    auto text = fmt::format("{}{} {}. Made by lbc from the site file: change that instead.\n", header_start,
                            names.size() == 1 ? "" : "s", broken_list(names));
    if (names.size() > 1)
        text += by_default
                    ? "# A line behind `@HOST` is for the host with that name alone.\n"
                    : "# A line behind `@DIRECTOR` is for that one alone: start keepalived with `-i DIRECTOR`.\n";
    return text;
}

} // namespace

std::string config_id(Site const& site, DirectorId director) {
    auto const label = first_label(site[director].hostname);
    auto const same = std::ranges::count_if(
        site.directors, [&](Director const& other) { return first_label(other.hostname) == label; });
    return same == 1 ? std::string(label) : site[director].name.value;
}

bool is_keepalived_text(std::string_view text) {
    return text.starts_with(header_start) && text.substr(header_start.size()).starts_with(' ');
}

bool needs_keepalived(Site const& site, DirectorId director) {
    return programs_ipvs(site) || runs_sync(site) || !keepalived::vrrp(site, director).empty();
}

std::string keepalived_text(Site const& site, std::span<Plan const> plans) {
    std::vector<keepalived::Configuration> hosts;
    for (auto const& plan : plans)
        hosts.push_back({config_id(site, plan.director), statements_of(site, plan)});
    return header(site, plans) + keepalived::text_of(hosts);
}

} // namespace lbc
