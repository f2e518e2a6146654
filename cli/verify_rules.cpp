#include "cli/verify_rules.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>

namespace lbc {
namespace {

std::size_t rule_count(Netfilter const& rules) {
    std::size_t count = 0;
    for (auto const& table : rules.tables)
        for (auto const& chain : table.chains)
            for (auto const& rule : chain.rules) {
                auto const* drop = std::get_if<Drop>(&rule.then);
                count += drop != nullptr && drop->is_policy ? 0 : 1;
            }
    return count;
}

bool shares_ports(MarkClass const& mark_class, std::vector<ProtocolPorts> const& ports) {
    return std::ranges::any_of(ports, [&](ProtocolPorts const& one) {
        return std::ranges::any_of(one.ports, [&](PortRange const& range) {
            // What no rule names is none of the protocols that have classes of their own.
            return one.protocol ? mark_class.takes(*one.protocol, range) : mark_class.protocol == Protocol::any;
        });
    });
}

bool shares_interfaces(MarkClass const& mark_class, MarkChange const& packets) {
    return mark_class.interfaces.empty() || packets.sent_here ||
           std::ranges::any_of(packets.interfaces, [&](InterfaceClass const& interface) {
               return std::ranges::any_of(mark_class.interfaces, [&](InterfacePattern const& own) {
                   return interface.pattern ? own.overlaps(*interface.pattern) &&
                                                  std::ranges::find(interface.except, own) == interface.except.end()
                                            : own.matches(interface.name);
               });
           });
}

/// Whether the file says of each service that the packets are for that rules of others may drop them: those with the
/// guard's mark are some peer's for it.
bool is_firewalled(MarkChange const& packets, Site const& site, Plan const& plan) {
    bool const is_guarded = plan.marks.guard && plan.marks.guard->mark == packets.before.mark;
    auto const is_for_it = [&](MarkClass const& mark_class) {
        return is_guarded ? mark_class.destination.contains(packets.destination.address) &&
                                shares_ports(mark_class, packets.ports) && shares_interfaces(mark_class, packets)
                          : mark_class.mark == packets.before.mark;
    };
    bool found = is_guarded; // none: they are a check's, or come in where no client of the service does
    for (auto const& mark_class : plan.marks.classes | std::views::filter(is_for_it)) {
        if (!site.services[mark_class.service].firewalled)
            return false;
        found = true;
    }
    return found;
}

/// No client's packet enters on `lo`.
bool is_of_clients(MarkChange const& packets) {
    return packets.sent_here || std::ranges::any_of(packets.interfaces, [](InterfaceClass const& interface) {
               return interface.pattern || interface.name != "lo";
           });
}

/// Drops that nobody has said are meant are faults.
void judge_drops(Proof& proof, Site const& site, Plan const& plan) {
    auto const unmeant = std::ranges::stable_partition(proof.dropped, [&](MarkFault const& fault) {
        return is_firewalled(fault.packets, site, plan) || !is_of_clients(fault.packets);
    });
    std::ranges::move(unmeant, std::back_inserter(proof.faults));
    proof.dropped.erase(unmeant.begin(), unmeant.end());
}

} // namespace

VerifiedDirector verify_rules(Site const& site, Plan const& plan, Dump const& dump) {
    VerifiedDirector verified;
    verified.director = site[plan.director].name.value;
    auto const marks = own_marks(plan);
    for (auto const family : families) {
        auto const& rules = dump[index_of(family)];
        if (!rules) {
            if (std::ranges::any_of(plan.marks.classes, [&](auto const& one) { return one.family() == family; }))
                verified.unasked.push_back(family);
            continue;
        }
        auto& added = verified.families.emplace_back(VerifiedFamily{family, {}, rule_count(*rules), {}});
        for (auto const& table : rules->tables)
            added.tables.push_back(table.table);
        added.proof = prove(plan.marks, marks, *rules);
        judge_drops(added.proof, site, plan);
    }
    return verified;
}

} // namespace lbc
