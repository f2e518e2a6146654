#include "backends/observe/compare_machine.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace lbc {
namespace {

constexpr std::string_view loopback = "lo";

/// Interfaces that the site names for a director, each with the span of its first mention.
using NamedInterfaces = std::map<InterfacePattern, Span>;

std::vector<Located<InterfacePattern>> const& interfaces_of(Service const& service, Director const& director) {
    return service.interfaces.empty() ? director.interfaces : service.interfaces.get();
}

/// The interfaces on which clients' packets arrive.
NamedInterfaces client_interfaces(Site const& site, DirectorId id) {
    NamedInterfaces named;
    for (auto const& pattern : site[id].interfaces)
        named.try_emplace(pattern.value, pattern.span);
    for (auto const& service : site.services)
        if (service.on_director(id) != nullptr)
            for (auto const& pattern : service.interfaces.get())
                named.try_emplace(pattern.value, pattern.span);
    return named;
}

bool has_priority(Vrrp const& instance, DirectorId id) {
    return std::ranges::any_of(instance.priorities, [&](auto const& priority) { return priority.first == id; });
}

/// The interfaces of the director's VRRP instances, of their VIPs, and those that the instances track.
NamedInterfaces vrrp_interfaces(Site const& site, DirectorId id) {
    NamedInterfaces named;
    auto const add = [&](std::string const& name, Span span) {
        if (auto const pattern = InterfacePattern::parse(name))
            named.try_emplace(*pattern, span);
    };
    for (auto const& instance : site.vrrps) {
        if (!has_priority(instance, id))
            continue;
        add(instance.interface, instance.name.span);
        for (auto const& vip : instance.vips)
            add(vip.device, vip.span);
        for (auto const& tracked : instance.track_interfaces)
            add(tracked, instance.name.span);
    }
    return named;
}

NamedInterfaces sync_interfaces(Site const& site) {
    NamedInterfaces named;
    if (site.sync)
        if (auto const pattern = InterfacePattern::parse(site.sync->interface))
            named.try_emplace(*pattern, site.sync->span);
    return named;
}

/// Whether another director takes clients' packets from an interface that `named` lacks, or from any.
bool others_take_more(Site const& site, DirectorId id, NamedInterfaces const& named) {
    return std::ranges::any_of(site.services, [&](Service const& service) {
        return std::ranges::any_of(service.on, [&](ServiceOn const& on) {
            auto const& interfaces = interfaces_of(service, site[on.director]);
            return on.director != id &&
                   (interfaces.empty() || std::ranges::any_of(interfaces, [&](auto const& interface) {
                        return !named.contains(interface.value);
                    }));
        });
    });
}

/// The addresses to which a director forwards packets unchanged, and so with its own MAC.
std::set<IpAddress> next_hops(Site const& site, DirectorId id) {
    std::set<IpAddress> hops;
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        if (DirectorId(i) != id)
            for (auto const& address : site.directors[i].addresses)
                hops.insert(address.value);
    for (auto const& service : site.services)
        if (service.on_director(id) != nullptr)
            for (auto const& real : service.reals)
                if (real.forwarding.method == Forwarding::Method::dr && director_of(site, real) != id)
                    hops.insert(real.address);
    return hops;
}

bool matches_any(NamedInterfaces const& named, std::string_view interface) {
    return std::ranges::any_of(named, [&](auto const& one) { return one.first.matches(interface); });
}

bool reaches_any(Interface const& interface, std::set<IpAddress> const& hops) {
    return std::ranges::any_of(interface.addresses, [&](InterfaceAddress const& own) {
        auto const network = Prefix::of(own.address, own.length);
        auto const first = hops.lower_bound(network.address);
        return first != hops.end() && network.contains(*first);
    });
}

bool is_bond(Interface const& interface) { return interface.kind == "bond" || interface.kind == "team"; }

class Comparison {
public:
    Comparison(Site const& site, DirectorId id, std::vector<Interface> const& interfaces, Diagnostics& diagnostics)
        : site_(site), id_(id), director_(site[id]), interfaces_(interfaces), diagnostics_(diagnostics),
          clients_(client_interfaces(site, id)), vrrp_(vrrp_interfaces(site, id)) {}

    void look(std::optional<DirectorId> self, std::string_view host_name) {
        if (!look_for_peers() && self && *self != id_)
            diagnostics_
                .report(DiagId::machine_director, director_.name.span,
                        "this machine is not `{}`, by host name `{}` or by MAC: it is `{}`; leave `-d` out, or mend "
                        "`hostname` and `mac`",
                        director_.name.value, host_name, site_[*self].name.value)
                .note(site_[*self].name.span, "this machine, by what the file says");
        if (!director_.macs.empty())
            look_for_unlisted();
        look_for_interfaces(clients_, DiagId::machine_interface, "no packet of a client enters there");
        auto others = vrrp_;
        std::erase_if(others, [&](auto const& named) { return clients_.contains(named.first); });
        look_for_interfaces(others, DiagId::machine_vrrp_interface, "keepalived cannot use it");
        auto sync = sync_interfaces(site_);
        std::erase_if(
            sync, [&](auto const& named) { return clients_.contains(named.first) || others.contains(named.first); });
        look_for_interfaces(sync, DiagId::machine_vrrp_interface, "the sync daemon cannot use it");
        for (auto const& address : director_.addresses)
            if (!has_address(address.value))
                diagnostics_.report(DiagId::machine_address, address.span,
                                    "no interface of this machine has the address `{}` of `{}`: what is sent to it as "
                                    "a real server goes elsewhere",
                                    address.value.str(), director_.name.value);
    }

private:
    /// Reports MACs of other directors on this machine; returns whether there are any.
    bool look_for_peers() {
        bool found = false;
        for (auto const& peer : site_.directors)
            for (auto const& mac : peer.macs) {
                auto const* interface = &peer == &director_ || mac.value.is_vrrp() ? nullptr : find(mac.value);
                if (interface == nullptr)
                    continue;
                found = true;
                diagnostics_.report(DiagId::machine_peer_mac, mac.span,
                                    "`{}` of this machine has the MAC `{}`, which the file gives to `{}`, not to `{}`: "
                                    "name the right director with `-d`, mend the file, or give the interface a MAC of "
                                    "its own",
                                    interface->name, mac.value.str(), peer.name.value, director_.name.value);
            }
        return found;
    }

    void look_for_unlisted() {
        std::vector<std::string> unlisted;
        for (auto const* interface : forwarding_interfaces())
            if (auto const& mac = interface->mac; mac && !mac->is_vrrp() && !is_listed(*mac))
                unlisted.push_back(fmt::format("`{}` has `{}`", interface->name, mac->str()));
        if (!unlisted.empty())
            diagnostics_.report(DiagId::machine_mac, director_.macs.front().span,
                                "this machine has a MAC that `{}` does not list: {}; the other directors take what "
                                "comes from it for a client's: add it to `mac`",
                                director_.name.value, fmt::join(unlisted, ", "));
    }

    void look_for_interfaces(NamedInterfaces const& named, DiagId id, std::string_view effect) {
        std::map<Span, std::vector<std::string>> missing; // by span; each has one message
        for (auto const& [pattern, span] : named)
            // An interface whose pattern ends in `+` may be missing at times.
            if (!pattern.str().ends_with('+') &&
                std::ranges::none_of(interfaces_, [&](auto const& one) { return pattern.matches(one.name); }))
                missing[span].push_back(fmt::format("`{}`", pattern.str()));
        for (auto const& [span, names] : missing)
            diagnostics_.report(id, span, "this machine has no interface {}: {}", fmt::join(names, ", "), effect);
    }

    /// The interfaces through which the director forwards to others, and the members of bonds among them, which can
    /// send with their own MACs.
    [[nodiscard]] std::vector<Interface const*> forwarding_interfaces() const {
        bool const any = others_take_more(site_, id_, clients_);
        auto const hops = any ? next_hops(site_, id_) : std::set<IpAddress>{};
        std::vector<Interface const*> found;
        std::set<int> bonds;
        for (auto const& interface : interfaces_) {
            if (interface.name == loopback)
                continue;
            bool const is_named = matches_any(clients_, interface.name) || matches_any(vrrp_, interface.name);
            if (!is_named && !(any && interface.is_up && reaches_any(interface, hops)))
                continue;
            found.push_back(&interface);
            if (auto const* base = interface.lower != 0 ? find(interface.lower) : &interface;
                base != nullptr && is_bond(*base))
                bonds.insert(base->index);
        }
        for (auto const& interface : interfaces_)
            if (bonds.contains(interface.master))
                found.push_back(&interface);
        return found;
    }

    [[nodiscard]] bool is_listed(MacAddress const& mac) const {
        return std::ranges::any_of(site_.directors, [&](Director const& director) {
            return std::ranges::any_of(director.macs, [&](auto const& listed) { return listed.value == mac; });
        });
    }

    /// The interface with a MAC. The MAC of a macvtap belongs to its guest.
    [[nodiscard]] Interface const* find(MacAddress const& mac) const {
        auto const found = std::ranges::find_if(
            interfaces_, [&](Interface const& one) { return one.mac == mac && one.kind != "macvtap"; });
        return found == interfaces_.end() ? nullptr : &*found;
    }

    [[nodiscard]] Interface const* find(int index) const {
        auto const found = std::ranges::find(interfaces_, index, &Interface::index);
        return found == interfaces_.end() ? nullptr : &*found;
    }

    [[nodiscard]] bool has_address(IpAddress const& address) const {
        return std::ranges::any_of(interfaces_, [&](Interface const& interface) {
            return std::ranges::any_of(interface.addresses,
                                       [&](InterfaceAddress const& own) { return own.address == address; });
        });
    }

    Site const& site_;
    DirectorId id_;
    Director const& director_;
    std::vector<Interface> const& interfaces_;
    Diagnostics& diagnostics_;
    NamedInterfaces clients_;
    NamedInterfaces vrrp_;
};

bool has_any_mac(Director const& director, std::vector<Interface> const& interfaces) {
    return std::ranges::any_of(director.macs, [&](auto const& mac) {
        return !mac.value.is_vrrp() && std::ranges::find(interfaces, mac.value, &Interface::mac) != interfaces.end();
    });
}

} // namespace

std::optional<DirectorId> find_director(Site const& site, std::string_view host_name,
                                        std::vector<Interface> const& interfaces) {
    for (auto const wanted : {host_name, host_name.substr(0, host_name.find('.'))})
        for (std::size_t i = 0; i < site.directors.size(); ++i)
            if (site.directors[i].hostname == wanted)
                return DirectorId{i};
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        if (has_any_mac(site.directors[i], interfaces))
            return DirectorId{i};
    return std::nullopt;
}

void report_machine(Site const& site, DirectorId director, std::string_view host_name,
                    std::vector<Interface> const& interfaces, Diagnostics& diagnostics) {
    if (interfaces.empty())
        return;
    Comparison comparison(site, director, interfaces, diagnostics);
    // A MAC identifies a machine better than a name: two machines can share a name.
    bool const has_own_mac = has_any_mac(site[director], interfaces);
    comparison.look(has_own_mac ? std::nullopt : find_director(site, host_name, interfaces), host_name);
}

bool is_about_machine(DiagId id) { return DiagId::machine_peer_mac <= id && id <= DiagId::machine_address; }

bool decides_marks(DiagId id) {
    return is_about_machine(id) && id != DiagId::machine_address && id != DiagId::machine_vrrp_interface;
}

} // namespace lbc
