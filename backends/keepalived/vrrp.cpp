#include "backends/keepalived/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace lbc::keepalived {
namespace {

using Lines = std::vector<Statement>;

std::optional<std::uint8_t> priority_of(Vrrp const& vrrp, DirectorId director) {
    auto const found = std::ranges::find(vrrp.priorities, director, &std::pair<DirectorId, std::uint8_t>::first);
    return found == vrrp.priorities.end() ? std::nullopt : std::optional(found->second);
}

std::string script_name(Vrrp const& vrrp, std::size_t index) {
    return fmt::format("{}-{}", vrrp.name.value, index + 1);
}

void add_scripts(Vrrp const& vrrp, Lines& out) {
    for (std::size_t i = 0; i < vrrp.track_scripts.size(); ++i) {
        auto const& script = vrrp.track_scripts[i];
        Lines lines{fmt::format("script {}", command(script.command.text))};
        if (script.every)
            lines.emplace_back(fmt::format("interval {}", seconds(*script.every)));
        if (script.weight)
            lines.emplace_back(fmt::format("weight {}", *script.weight));
        out.emplace_back(fmt::format("vrrp_script {}", script_name(vrrp, i)), std::move(lines));
    }
}

/// The highest priority starts as MASTER. A director that must not take over while another is active cannot start so.
std::string_view first_state(Vrrp const& vrrp, std::uint8_t priority) {
    auto const highest = std::ranges::max(vrrp.priorities, {}, &std::pair<DirectorId, std::uint8_t>::second).second;
    return priority == highest && vrrp.preempt && !vrrp.preempt_delay ? "MASTER" : "BACKUP";
}

void add_unicast(Site const& site, Vrrp const& vrrp, DirectorId self, Lines& lines) {
    if (auto const own = unicast_address(site, vrrp, self))
        lines.emplace_back(fmt::format("unicast_src_ip {}", own->str()));
    lines.emplace_back("check_unicast_src");
    Lines peers;
    for (auto const& [peer, priority] : vrrp.priorities)
        if (auto const address = peer == self ? std::nullopt : unicast_address(site, vrrp, peer))
            peers.emplace_back(address->str());
    lines.emplace_back("unicast_peer", std::move(peers));
}

/// keepalived ignores advertisements with VIPs other than its own, or with another number of them, and then every
/// director is master. So advertisements carry only the first VIP, which tells instances apart. The other VIPs can
/// change at any time.
void add_addresses(Vrrp const& vrrp, Lines& lines) {
    Lines first;
    Lines others;
    for (auto const& vip : vrrp.vips)
        (first.empty() ? first : others)
            .emplace_back(
                fmt::format("{}/{}{}{}", vip.address.str(), vip.length, vip.device.empty() ? "" : " dev ", vip.device));
    lines.emplace_back("virtual_ipaddress", std::move(first));
    if (!others.empty())
        lines.emplace_back("virtual_ipaddress_excluded", std::move(others));
}

void add_tracks(Vrrp const& vrrp, Lines& lines) {
    Lines interfaces;
    for (auto const& name : vrrp.track_interfaces)
        if (name != vrrp.interface) // which is always tracked
            interfaces.emplace_back(name);
    Lines scripts;
    for (std::size_t i = 0; i < vrrp.track_scripts.size(); ++i)
        scripts.emplace_back(script_name(vrrp, i));
    if (!interfaces.empty())
        lines.emplace_back("track_interface", std::move(interfaces));
    if (!scripts.empty())
        lines.emplace_back("track_script", std::move(scripts));
}

Statement instance(Site const& site, Vrrp const& vrrp, DirectorId director, std::uint8_t priority) {
    Lines lines{
        fmt::format("state {}", first_state(vrrp, priority)),
        fmt::format("interface {}", vrrp.interface),
        fmt::format("virtual_router_id {}", vrrp.router_id),
        fmt::format("priority {}", priority),
    };
    if (vrrp.version() == 3)
        lines.emplace_back("version 3");
    if (vrrp.advert)
        lines.emplace_back(fmt::format("advert_int {}", seconds(*vrrp.advert)));
    if (!vrrp.preempt)
        lines.emplace_back("nopreempt");
    if (vrrp.preempt_delay)
        lines.emplace_back(fmt::format("preempt_delay {}", seconds(*vrrp.preempt_delay)));
    if (vrrp.virtual_mac)
        lines.emplace_back(fmt::format("use_vmac vrrp{}.{}", vrrp.family() == Family::ipv4 ? 4 : 6, vrrp.router_id));
    if (vrrp.virtual_mac && vrrp.unicast)
        lines.emplace_back("vmac_xmit_base");
    if (vrrp.unicast)
        add_unicast(site, vrrp, director, lines);
    if (!vrrp.auth.empty())
        lines.emplace_back("authentication",
                           Lines{{std::string("auth_type PASS")}, {fmt::format("auth_pass {}", in_quotes(vrrp.auth))}});
    add_addresses(vrrp, lines);
    add_tracks(vrrp, lines);
    if (!vrrp.notify.empty())
        lines.emplace_back(fmt::format("notify {}", command(vrrp.notify.text)));
    return {fmt::format("vrrp_instance {}", vrrp.name.value), std::move(lines)};
}

/// Groups in the order of their first instance. A group of one instance is left out: nothing fails over with it.
void add_groups(Site const& site, DirectorId director, Lines& out) {
    std::vector<std::string_view> order;
    std::map<std::string_view, std::vector<Vrrp const*>> members;
    for (auto const& vrrp : site.vrrps) {
        if (vrrp.group.empty() || !priority_of(vrrp, director))
            continue;
        auto& group = members[vrrp.group];
        if (group.empty())
            order.push_back(vrrp.group);
        group.push_back(&vrrp);
    }
    for (auto const name : order) {
        auto const& group = members[name];
        if (group.size() < 2)
            continue;
        Lines names;
        for (auto const* vrrp : group)
            names.emplace_back(vrrp->name.value);
        Lines lines;
        lines.emplace_back("group", std::move(names));
        if (std::ranges::any_of(group, [](auto const* vrrp) { return vrrp->has_weighted_track(); }))
            lines.emplace_back("sync_group_tracking_weight");
        out.emplace_back(fmt::format("vrrp_sync_group {}", name), std::move(lines));
    }
}

} // namespace

std::vector<Statement> vrrp(Site const& site, DirectorId director) {
    Lines out;
    for (auto const& vrrp : site.vrrps)
        if (priority_of(vrrp, director))
            add_scripts(vrrp, out);
    add_groups(site, director, out);
    for (auto const& vrrp : site.vrrps)
        if (auto const priority = priority_of(vrrp, director))
            out.push_back(instance(site, vrrp, director, *priority));
    return out;
}

} // namespace lbc::keepalived
