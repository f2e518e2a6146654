#include "backends/emit/sh/sh.hpp"

#include "backends/emit/ipvsadm.hpp"
#include "backends/emit/sh/shell_text.hpp"
#include "backends/nft/nft.hpp"
#include "backends/os/sysctl.hpp"
#include "backends/restore/restore.hpp"
#include "backends/restore/script_heading.hpp"
#include "compiler/base/comment.hpp"
#include "compiler/base/shell_quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace lbc {

namespace {

constexpr std::string_view usage = R"sh(
#
#     sh rules.sh [apply|show|remove] [DIRECTOR]
#
# apply (the default) brings this machine to what stands below for its director; again, it changes nothing more.
# show prints what is there: rules with counters, virtual services with connections. remove takes all of it off.
# DIRECTOR may be left out where a director has this machine's host name, or a MAC of it.
#
)sh";

constexpr std::string_view by_iptables = R"sh(
# Only the chains LBC and LBC-* of the mangle tables, the jumps into them, the sets LBC-4-* and LBC-6-*, and the virtual
# services with the site's marks are touched. Everything is read, and both rule sets are tried, before the first change.
# Then: virtual services and real servers are added and edited, each mangle table changes in one transaction, IPv4
# first, and at last the virtual services and real servers that the site no longer has are removed.
#
# Environment: IPTABLES, IP6TABLES, IPSET and IPVSADM name the programs (iptables, ip6tables, ipset, ipvsadm), of
# iptables-legacy or iptables-nft, with PROGRAM-restore beside them. LBC_ONLY=marks or LBC_ONLY=ipvs does that part
# alone.
)sh";

constexpr std::string_view by_nft = R"sh(
# Only the table inet lbc of nftables, and the virtual services with the site's marks are touched. Everything is read,
# and the rules are tried, before the first change. Then: virtual services and real servers are added and edited, all
# rules change in one transaction, to sets that are filled by then, and at last the virtual services and real servers
# that the site no longer has are removed.
#
# Environment: NFT and IPVSADM name the programs (nft, ipvsadm). LBC_ONLY=marks or LBC_ONLY=ipvs does that part alone.
)sh";

constexpr std::string_view statuses = R"sh(
#
# Exit status: 0 done; 1 a step failed, the steps before it stay done, and another run finishes the work; 2 wrong usage,
# or no director fits; 3 something is missing or not permitted, and nothing was changed.
set -eu
)sh";

std::string header(MarkTool tool) {
    bool const is_nft = tool == MarkTool::nft;
    std::string out(is_nft ? script_heading_of_nft : script_heading);
    out += " from the site file: change that instead.";
    out += usage;
    out.pop_back();
    out += is_nft ? by_nft : by_iptables;
    out.pop_back();
    return out += statuses;
}

std::string names(Site const& site, std::span<Plan const> plans) {
    std::string out;
    for (Plan const& plan : plans)
        out += (out.empty() ? "" : " ") + site[plan.director].name.value;
    return out;
}

// Every mark of the site, including other directors' marks: if one moved here, its old service must not stay behind.
std::string own_marks(Site const& site) {
    std::set<Fwmark> marks;
    for (Service const& service : site.services)
        for (ServiceOn const& on : service.on)
            marks.insert(on.mark);
    std::string out;
    for (Fwmark const mark : marks)
        out += fmt::format("{}{}", out.empty() ? "" : " ", mark.value);
    return out;
}

/// Files of settings with their values.
std::string sysctl_words(std::span<Plan const> plans) {
    Sysctls wanted;
    for (Plan const& plan : plans)
        wanted.merge(sysctls_of(plan));
    std::string out;
    for (auto const& [sysctl, value] : wanted)
        out += fmt::format("{}{}={}", out.empty() ? "" : " ", sysctl_path(sysctl), value);
    return out;
}

std::string settings(Site const& site, std::span<Plan const> plans, bool sync) {
    std::string out = site.ipvs == IpvsOwner::keepalived
                          ? "\n# The virtual services of this site are keepalived's: this script sets the marks.\n"
                          : "\n# Virtual services with these marks are the site's, on whichever director.\n";
    out += fmt::format("first_mark={} last_mark={} own_marks={}\n", site.marks.first.value, site.marks.last.value,
                       shell_quote(own_marks(site)));
    out += fmt::format("ipvs={}\nsysctls={}\nsync={} # both sync daemons\n",
                       site.ipvs == IpvsOwner::lbc ? "lbc" : "keepalived", shell_quote(sysctl_words(plans)),
                       sync ? "yes" : "no");
    return out + fmt::format("directors={}\n", shell_quote(names(site, plans)));
}

std::string identities(Site const& site, std::span<Plan const> plans) {
    std::string out = "\n# director_of name|host|mac VALUE: sets director where VALUE is one's.\n"
                      "director_of() {\n    case $1/$2 in\n";
    for (Plan const& plan : plans) {
        Director const& director = site[plan.director];
        out += fmt::format("    {}", shell_quote("name/" + director.name.value));
        if (!director.hostname.empty())
            out += fmt::format(" | {}", shell_quote("host/" + director.hostname));
        for (Located<MacAddress> const& mac : director.macs)
            if (!mac.value.is_vrrp()) // such a MAC moves between directors
                out += fmt::format(" | {}", shell_quote("mac/" + mac.value.str()));
        out += fmt::format(") director={} ;;\n", shell_quote(director.name.value));
    }
    return out + "    esac\n}\n";
}

std::string describe(Service const& service) {
    std::string const& text = service.description;
    return fmt::format("# {}{}{}\n", service.name.value, text.empty() ? "" : ": ", comment_text(text));
}

std::string services_text(Site const& site, Plan const& plan) {
    std::string out;
    for (VirtualService const& service : plan.services)
        out += describe(site.services[service.service]) + ipvsadm_lines(service);
    return out;
}

// No line of a body is `END`: those of nft begin in lower case or with blanks or `}`, others with `-` or `:`, comments
// with `#`.
std::string item(std::string const& director, std::string_view kind, std::string const& body) {
    if (body.empty())
        return {};
    return fmt::format("    {}) cat <<'END' ;;\n{}END\n", shell_quote(fmt::format("{}/{}", director, kind)), body);
}

std::string marks_of(Site const& site, Plan const& plan, Layout layout, MarkTool tool) {
    std::string const& name = site[plan.director].name.value;
    if (tool == MarkTool::nft) {
        auto const parts = nft_parts(site, plan.marks);
        return item(name, "sets", parts.sets) + item(name, "rules", parts.rules);
    }
    std::string out;
    for (Family const family : families)
        out += item(name, to_string(family), restore_body(layout(site, plan.marks, family)));
    return out;
}

std::string wanted(Site const& site, std::span<Plan const> plans, Layout layout, MarkTool tool) {
    std::string out =
        fmt::format("\n# wanted {}|services: what $director is to have, as {} and as ipvsadm takes it.\n"
                    "wanted() {{\n    case $director/$1 in\n",
                    tool == MarkTool::nft ? "sets|rules" : "ipv4|ipv6", tool == MarkTool::nft ? "nft" : "rules");
    for (Plan const& plan : plans) {
        std::string const& name = site[plan.director].name.value;
        out += fmt::format("\n# ==== {} ====\n\n", name);
        out += marks_of(site, plan, layout, tool);
        if (site.ipvs == IpvsOwner::lbc)
            out += item(name, "services", services_text(site, plan));
    }
    return out + "    esac\n}\n";
}

// `ipvsadm -Ln --daemon` lists every parameter, in this order; those that are not given have the kernel's defaults.
std::string sync_daemons(Sync const& sync) {
    std::string options = fmt::format("--mcast-interface {} --syncid {}", shell_quote(sync.interface), sync.id);
    options += sync.maxlen ? fmt::format(" --sync-maxlen {}", *sync.maxlen) : "";
    options += sync.group ? fmt::format(" --mcast-group {}", sync.group->str()) : "";
    options += sync.port ? fmt::format(" --mcast-port {}", sync.port->value) : "";
    options += sync.ttl ? fmt::format(" --mcast-ttl {}", *sync.ttl) : "";
    std::string const head = fmt::format("(mcast={}, syncid={}, maxlen=", sync.interface, sync.id);
    std::string const tail = fmt::format(", group={}, port={}, ttl={})", sync.group ? sync.group->str() : "224.0.0.81",
                                         sync.port ? sync.port->value : 8848, sync.ttl ? *sync.ttl : 1);
    return fmt::format("\nsync_daemon() {{ \"$@\" {}; }}\n"
                       "sync_is() {{ case $1 in *{}{}{}) ;; *) return 1 ;; esac; }}\n",
                       options, shell_quote(head), sync.maxlen ? std::to_string(*sync.maxlen) : "*", shell_quote(tail));
}

} // namespace

std::string sh_script(Site const& site, std::span<Plan const> plans, Layout layout, MarkTool tool) {
    bool const sync = site.ipvs == IpvsOwner::lbc && site.sync && !site.sync->instance;
    std::string out = header(tool);
    out += settings(site, plans, sync);
    out += identities(site, plans);
    out += wanted(site, plans, layout, tool);
    if (sync)
        out += sync_daemons(*site.sync);
    out += '\n';
    out += sh_begin;
    out += "\n\n";
    out += tool == MarkTool::iptables ? sh_marks_iptables : sh_marks_nft;
    out += '\n';
    return out += sh_services;
}

} // namespace lbc
