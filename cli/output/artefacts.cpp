#include "cli/output/artefacts.hpp"

#include "backends/emit/firewall.hpp"
#include "backends/emit/ipvsadm.hpp"
#include "backends/emit/json/json.hpp"
#include "backends/emit/realserver/realserver.hpp"
#include "backends/keepalived/keepalived.hpp"
#include "backends/nft/nft.hpp"
#include "backends/restore/restore.hpp"
#include "cli/output/real_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lbc {
namespace {

// Files in a tree beside the kinds for directors.
constexpr std::string_view file_of_real_servers = "realserver.sh";
constexpr std::string_view folder_of_real_servers = "real/"; // one for each machine
constexpr std::string_view ifupdown_file = "ifupdown";
constexpr std::string_view networkd_folder = "networkd/";

std::string restore(Emission const& of, Family family) {
    auto const& [in, plans, tool] = of;
    return restore_text(in.layout(in.site, plans.front().marks, family),
                        {.director = in.site[plans.front().director].name.value});
}

std::array const kinds{
    Kind{"sh", false, [](Emission const& of) { return sh_script(of.in.site, of.plans, of.in.layout, of.tool); },
         Output::sh, "rules.sh"},
    Kind{"iptables",
         true,
         [](Emission const& of) { return restore(of, Family::ipv4); },
         Output::marks,
         {},
         "iptables.rules"},
    Kind{"ip6tables",
         true,
         [](Emission const& of) { return restore(of, Family::ipv6); },
         Output::marks,
         {},
         "ip6tables.rules"},
    Kind{"nft",
         true,
         [](Emission const& of) {
             auto const& plan = of.plans.front();
             return nft_text(of.in.site, plan.marks, of.in.site[plan.director].name.value);
         },
         Output::marks,
         {},
         "nft.rules"},
    Kind{"ipvsadm",
         true,
         [](Emission const& of) { return ipvsadm_text(of.in.site, of.plans.front()); },
         Output::ipvsadm,
         {},
         "ipvsadm.rules"},
    Kind{"keepalived",
         false,
         [](Emission const& of) { return keepalived_text(of.in.site, of.plans); },
         Output::keepalived,
         {},
         "keepalived.conf",
         [](Site const& site, Plan const& plan) { return needs_keepalived(site, plan.director); },
         true},
    Kind{"firewall",
         true,
         [](Emission const& of) { return firewall_text(of.in.site, of.plans.front(), Family::ipv4); },
         {},
         {},
         "firewall.rules",
         [](Site const& site, Plan const& plan) { return needs_firewall(site, plan, Family::ipv4); }},
    Kind{"firewall6",
         true,
         [](Emission const& of) { return firewall_text(of.in.site, of.plans.front(), Family::ipv6); },
         {},
         {},
         "firewall6.rules",
         [](Site const& site, Plan const& plan) { return needs_firewall(site, plan, Family::ipv6); }},
    Kind{.name = "json",
         .text = [](Emission const& of) { return json_text(of.in.site, of.in.sources, of.plans, of.in.layout); },
         .file_of_site = "site.json",
         .has_secrets = true},
};

void add_files(Files& files, std::string const& folder, Files const& more) {
    for (auto const& [name, text] : more)
        files[folder + name] = text;
}

/// The files of the real servers' machines; none if the site needs nothing on them.
Files emit_real_servers(Site const& site, std::string_view director) {
    Files files;
    auto hosts = choose_real_hosts(site, {});
    if (!hosts)
        return files;
    if (!director.empty())
        std::erase_if(*hosts, [&](auto const& host) { return host.name != director; });
    if (!hosts->empty())
        files[std::string(file_of_real_servers)] = realserver_script(*hosts);
    for (auto const& host : *hosts) {
        auto const folder = fmt::format("{}{}/", folder_of_real_servers, host.name);
        files[folder + std::string(ifupdown_file)] = ifupdown_text(host);
        add_files(files, folder + std::string(networkd_folder), networkd_files(host));
    }
    return files;
}

/// The paths of a kind in a tree of these directors.
std::vector<std::string> paths_of(Kind const& kind, Emission const& of) {
    std::vector<std::string> paths;
    if (!kind.file_of_site.empty())
        paths.emplace_back(kind.file_of_site);
    for (auto const& plan : of.plans)
        if (!kind.file_of_director.empty() && kind.is_needed(of.in.site, plan))
            paths.push_back(fmt::format("{}/{}", of.in.site[plan.director].name.value, kind.file_of_director));
    return paths;
}

} // namespace

std::span<Kind const> artefact_kinds() { return kinds; }

Kind const* find_kind(std::string_view name) {
    auto const found = std::ranges::find(kinds, name, &Kind::name);
    return found == kinds.end() ? nullptr : &*found;
}

std::vector<std::string> kind_names() {
    std::vector<std::string> names;
    for (auto const& kind : kinds)
        names.emplace_back(kind.name);
    names.insert(names.end() - 1, {"realserver", "networkd", "ifupdown"});
    names.emplace_back("all");
    return names;
}

bool is_secret(Kind const& kind, Site const& site) {
    return kind.has_secrets && std::ranges::any_of(site.vrrps, [](auto const& vrrp) { return !vrrp.auth.empty(); });
}

Files emit_all(Emission const& of, std::string_view director) {
    auto files = emit_real_servers(of.in.site, director);
    for (auto const& kind : kinds) {
        if (!kind.file_of_site.empty())
            files[std::string(kind.file_of_site)] = kind.text(of);
        for (auto const& plan : of.plans)
            if (!kind.file_of_director.empty() && kind.is_needed(of.in.site, plan))
                files[fmt::format("{}/{}", of.in.site[plan.director].name.value, kind.file_of_director)] =
                    kind.text({of.in, {&plan, 1}, of.tool});
    }
    return files;
}

std::set<std::string> secret_files(Emission const& of) {
    std::set<std::string> paths;
    for (auto const& kind : kinds)
        if (is_secret(kind, of.in.site))
            for (auto& path : paths_of(kind, of))
                paths.insert(std::move(path));
    return paths;
}

bool is_artefact(std::string_view path) {
    if (path == file_of_real_servers || std::ranges::any_of(kinds, [&](Kind const& kind) {
            return !kind.file_of_site.empty() && path == kind.file_of_site;
        }))
        return true;
    bool const is_of_real_server = path.starts_with(folder_of_real_servers) && std::ranges::count(path, '/') > 1;
    if (is_of_real_server)
        path.remove_prefix(folder_of_real_servers.size());
    auto const file = path.substr(std::min(path.find('/'), path.size() - 1) + 1); // behind the name of a machine
    if (is_of_real_server)
        return file == ifupdown_file ||
               (file.starts_with(networkd_folder) && is_networkd_file(file.substr(networkd_folder.size())));
    return !file.empty() && std::ranges::find(kinds, file, &Kind::file_of_director) != kinds.end();
}

} // namespace lbc
