#include "backends/emit/firewall.hpp"

#include "compiler/base/comment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

namespace lbc {
namespace {

constexpr std::string_view vrrp_protocol = "112";            // IANA; RFC 5798, 5.1.1.4
constexpr std::string_view vrrp_group = "224.0.0.18/32";     // 5.1.1.2
constexpr std::string_view vrrp_group_ipv6 = "ff02::12/128"; // 5.1.2.2
constexpr std::string_view link_local = "fe80::/10";         // where IPv6 advertisements come from, 5.1.2.1
constexpr std::string_view sync_group = "224.0.0.81";        // IP_VS_SYNC_GROUP and IP_VS_SYNC_PORT in ip_vs_sync.c
constexpr std::uint16_t sync_port = 8848;
constexpr std::uint16_t bfd_port = 3784; // RFC 5881, 4

/// Lines of one family's chains, each line once.
class Chains {
public:
    Chains(Site const& site, Plan const& plan, Family family) : site_(site), plan_(plan), family_(family) {
        for (auto const& vrrp : site.vrrps)
            if (vrrp.family() == family && speaks(vrrp))
                add_vrrp(vrrp);
        if (site.sync)
            add_sync(*site.sync);
        if (site.ipvs == IpvsOwner::keepalived)
            add_bfd();
    }

    std::vector<std::string> in;
    std::vector<std::string> out;

private:
    [[nodiscard]] bool speaks(Vrrp const& vrrp) const {
        return std::ranges::find(vrrp.priorities, plan_.director, &std::pair<DirectorId, std::uint8_t>::first) !=
               vrrp.priorities.end();
    }

    static void add(std::vector<std::string>& lines, std::string matches, std::string_view comment) {
        auto line = fmt::format("{} -j ACCEPT", matches);
        if (std::ranges::find(lines, line) != lines.end())
            return;
        if (auto const text = fmt::format("# {}", comment); std::ranges::find(lines, text) == lines.end())
            lines.push_back(text);
        lines.push_back(std::move(line));
    }

    [[nodiscard]] std::string host(IpAddress const& address) const {
        return fmt::format("{}/{}", address.str(), family_ == Family::ipv4 ? 32 : 128);
    }

    /// The matches of the sources of a peer's advertisements; an empty match holds for any source.
    [[nodiscard]] std::vector<std::string> sources(Vrrp const& vrrp, DirectorId peer) const {
        if (auto const address = vrrp.unicast ? unicast_address(site_, vrrp, peer) : std::nullopt)
            return {fmt::format(" -s {}", host(*address))};
        if (family_ == Family::ipv6)
            return {fmt::format(" -s {}", link_local)};
        std::vector<std::string> found;
        for (auto const& address : site_[peer].addresses)
            if (address.value.family() == family_)
                found.push_back(fmt::format(" -s {}", host(address.value)));
        return found.empty() ? std::vector<std::string>{{}} : found;
    }

    void add_vrrp(Vrrp const& vrrp) {
        constexpr std::string_view comment = "VRRP";
        auto const own = unicast_address(site_, vrrp, plan_.director);
        auto const group = family_ == Family::ipv4 ? vrrp_group : vrrp_group_ipv6;
        // With a virtual MAC, advertisements pass an interface that keepalived makes.
        auto const enters = vrrp.virtual_mac ? "" : fmt::format(" -i {}", vrrp.interface);
        auto const leaves = vrrp.virtual_mac ? "" : fmt::format(" -o {}", vrrp.interface);
        for (auto const& [id, priority] : vrrp.priorities) {
            if (id == plan_.director)
                continue;
            auto const to = vrrp.unicast && own ? host(*own) : std::string(group);
            for (auto const& source : sources(vrrp, id))
                add(in, fmt::format("{} -d {}{} -p {}", source, to, enters, vrrp_protocol), comment);
            auto const address = unicast_address(site_, vrrp, id);
            auto const peer_or_group = vrrp.unicast && address ? host(*address) : std::string(group);
            add(out, fmt::format(" -d {}{} -p {}", peer_or_group, leaves, vrrp_protocol), comment);
        }
    }

    void add_sync(Sync const& sync) {
        auto const group = sync.group ? *sync.group : *IpAddress::parse(sync_group);
        if (group.family() != family_)
            return;
        auto const to = fmt::format("-p udp -m udp --dport {}", sync.port ? sync.port->value : sync_port);
        add(in, fmt::format(" -d {} -i {} {}", host(group), sync.interface, to), "IPVS connection sync");
        add(out, fmt::format(" -d {} -o {} {}", host(group), sync.interface, to), "IPVS connection sync");
    }

    void add_bfd() {
        std::set<IpAddress> seen;
        for (auto const& planned : plan_.services) {
            auto const& service = site_.services[planned.service];
            for (auto const& real : service.reals)
                for (auto const* checks : {&service.checks, &real.checks})
                    for (auto const& check : *checks)
                        if (check.kind == Check::Kind::bfd && real.address.family() == family_ &&
                            seen.insert(real.address).second) {
                            auto const to = fmt::format("-p udp -m udp --dport {}", bfd_port);
                            add(in, fmt::format(" -s {} {}", host(real.address), to), "BFD");
                            add(out, fmt::format(" -d {} {}", host(real.address), to), "BFD");
                        }
        }
    }

    Site const& site_;
    Plan const& plan_;
    Family family_;
};

std::string lines_of(std::string_view chain, std::vector<std::string> const& lines) {
    std::string text;
    for (auto const& line : lines)
        text += line.starts_with('#') ? line + '\n' : fmt::format("-A {}{}\n", chain, line);
    return text;
}

} // namespace

bool needs_firewall(Site const& site, Plan const& plan, Family family) {
    return !Chains(site, plan, family).in.empty();
}

std::string firewall_text(Site const& site, Plan const& plan, Family family) {
    std::string_view const program = family == Family::ipv4 ? "iptables" : "ip6tables";
    Chains const chains(site, plan, family);
    auto text = fmt::format("# lbc: what the {} firewall of director {} must let through between the directors.\n"
                            "# Load with: {}-restore --noflush\n"
                            "# Again, that makes the two chains anew. Once, lead to them before what drops packets:\n"
                            "#     {} -I INPUT -j LBC-FIREWALL\n"
                            "#     {} -I OUTPUT -j LBC-FIREWALL-OUT\n",
                            title(family), comment_text(site[plan.director].name.value), program, program, program);
    if (chains.in.empty())
        text += "# The site has nothing for this family.\n";
    return text + "*filter\n:LBC-FIREWALL - [0:0]\n:LBC-FIREWALL-OUT - [0:0]\n" + lines_of("LBC-FIREWALL", chains.in) +
           lines_of("LBC-FIREWALL-OUT", chains.out) + "COMMIT\n";
}

} // namespace lbc
