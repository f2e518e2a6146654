#include "cli/report/diff_beside.hpp"

#include "backends/emit/firewall.hpp"
#include "backends/emit/realserver/realserver.hpp"
#include "backends/keepalived/configuration_lines.hpp"
#include "compiler/analysis/wording.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

namespace lbc {
namespace {

/// The requirements of a host for the directors, as one list: VIPs, tunnels' ends, ports.
std::vector<std::string> needs_of(RealServerHost const& host) {
    std::vector<std::string> needs;
    for (auto const& vip : host.vips)
        needs.push_back(vip.str() + " on `lo`");
    for (auto const& tunnel : host.tunnels)
        needs.push_back(fmt::format("a tunnel's end ({} at {}{})", to_string(tunnel.kind), tunnel.local.str(),
                                    tunnel.checksum ? " csum" : ""));
    for (auto const& gue : host.gue_ports)
        needs.push_back(fmt::format("GUE on UDP port {}", gue.port.value));
    return needs;
}

void add_real_servers(Site const& before, Site const& after, std::vector<Beforehand>& out) {
    std::map<std::string, std::set<std::string>> had;
    for (auto const& host : real_server_hosts(before))
        for (auto& need : needs_of(host))
            had[host.name].insert(std::move(need));
    std::map<std::string, std::size_t> places; // of what is new
    for (auto const& host : real_server_hosts(after)) {
        auto needs = needs_of(host);
        std::erase_if(needs, [&](std::string const& need) { return had[host.name].contains(need); });
        if (needs.empty())
            continue;
        auto text = fmt::format("have {} (`lbc compile --emit realserver`), or what directors send there is lost",
                                list_of(needs));
        auto const [place, is_new] = places.emplace(text, out.size());
        if (is_new)
            out.push_back({Beforehand::Kind::real_server, {}, std::move(text)});
        out[place->second].hosts.push_back(host.name);
    }
}

/// The lines of both families' rules.
std::set<std::string> firewall_of(Site const& site, std::string const& director) {
    auto const id = site.find_director(director);
    if (!id)
        return {};
    auto const plan = make_plan(site, *id);
    std::set<std::string> rules;
    for (auto const family : families)
        if (needs_firewall(site, plan, family))
            for (auto const line : firewall_text(site, plan, family) | std::views::split('\n'))
                if (std::string rule(line.begin(), line.end()); rule.starts_with("-A "))
                    rules.insert(fmt::format("{} {}", title(family), rule));
    return rules;
}

void add_firewall(Site const& before, Site const& after, std::vector<Beforehand>& out) {
    Beforehand change{Beforehand::Kind::firewall,
                      {},
                      "let through what directors now send each other, if a firewall is there (`lbc compile --emit "
                      "firewall`)"};
    for (auto const& director : after.directors)
        if (!std::ranges::includes(firewall_of(before, director.name.value), firewall_of(after, director.name.value)))
            change.hosts.push_back(director.name.value);
    if (!change.hosts.empty())
        out.push_back(std::move(change));
}

/// Blocks of services: "virtual_server fwmark 3", with one blank between words.
std::set<std::string> services_in(std::string_view text) {
    std::set<std::string> services;
    for_each_line(text, [&](ConfigurationLine const& line) {
        if (!line.opens || !line.blocks.empty() || !line.text.starts_with("virtual_server ") || line.text.size() < 2)
            return;
        std::string name;
        for (char const c : line.text.substr(0, line.text.size() - 1))
            if (c != ' ' && c != '\t')
                name += c;
            else if (!name.empty() && name.back() != ' ')
                name += ' ';
        if (name.ends_with(' '))
            name.pop_back();
        services.insert(std::move(name));
    });
    return services;
}

} // namespace

std::string_view to_string(Beforehand::Kind kind) {
    return kind == Beforehand::Kind::real_server ? "real-server" : "firewall";
}

std::string sentence(Beforehand const& beforehand) {
    return fmt::format("{}: {}", fmt::join(beforehand.hosts, ", "), beforehand.text);
}

std::vector<Beforehand> beforehand(Site const& before, Site const& after) {
    std::vector<Beforehand> list;
    add_real_servers(before, after, list);
    add_firewall(before, after, list);
    return list;
}

void add_leaving_services(KeepalivedChange const& change, std::string const& director, std::vector<Change>& out) {
    auto const stay = services_in(change.after);
    for (auto const& service : services_in(change.before))
        if (!stay.contains(service))
            out.push_back(
                {Change::Kind::service_removed,
                 "site",
                 {director},
                 fmt::format("`{}` is not in keepalived's new configuration: keepalived removes the service", service),
                 "its established connections break",
                 true});
}

} // namespace lbc
