#include "compiler/analysis/verify.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>

namespace lbc {
namespace {

bool shares_ports(MarkClass const& mark_class, std::vector<ProtocolPorts> const& ports) {
    return std::ranges::any_of(ports, [&](ProtocolPorts const& one) {
        return std::ranges::any_of(one.ports, [&](PortRange const& range) {
            // A protocol that no rule names is none of those that have classes of their own.
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

/// Whether the file permits foreign rules to drop the packets of each service that these packets are for. Packets with
/// the guard's mark come from a peer and are for the services of their destination.
bool is_firewalled(MarkChange const& packets, Site const& site, Plan const& plan) {
    bool const is_guarded = plan.marks.guard && plan.marks.guard->mark == packets.before.mark;
    auto const is_for_it = [&](MarkClass const& mark_class) {
        return is_guarded ? mark_class.destination.contains(packets.destination.address) &&
                                shares_ports(mark_class, packets.ports) && shares_interfaces(mark_class, packets)
                          : mark_class.mark == packets.before.mark;
    };
    bool found = is_guarded; // no class: they are of a check, or enter where no client of the service does
    for (auto const& mark_class : plan.marks.classes | std::views::filter(is_for_it)) {
        if (!site.services[mark_class.service].firewalled)
            return false;
        found = true;
    }
    return found;
}

/// Whether clients can send such packets: none of theirs enters on `lo`.
bool is_of_clients(MarkChange const& packets) {
    return packets.sent_here || std::ranges::any_of(packets.interfaces, [](InterfaceClass const& interface) {
               return interface.pattern || interface.name != "lo";
           });
}

/// Makes drops that the file does not permit faults.
void judge_drops(Proof& proof, Site const& site, Plan const& plan) {
    auto const unmeant = std::ranges::stable_partition(proof.dropped, [&](MarkFault const& fault) {
        return is_firewalled(fault.packets, site, plan) || !is_of_clients(fault.packets);
    });
    std::ranges::move(unmeant, std::back_inserter(proof.faults));
    proof.dropped.erase(unmeant.begin(), unmeant.end());
}

std::size_t faults_of(VerifiedRules const& director, MarkFault::Kind kind) {
    std::size_t count = 0;
    for (auto const& family : director.families)
        count += static_cast<std::size_t>(std::ranges::count(family.proof.faults, kind, &MarkFault::kind));
    return count;
}

} // namespace

std::size_t VerifiedRules::differences() const { return faults_of(*this, MarkFault::Kind::differs); }

std::size_t VerifiedRules::unknown() const {
    auto const given_up =
        std::ranges::count_if(families, [](VerifiedFamily const& family) { return family.proof.is_given_up; });
    return faults_of(*this, MarkFault::Kind::unknown) + static_cast<std::size_t>(given_up);
}

std::size_t VerifiedRules::dropped() const { return faults_of(*this, MarkFault::Kind::dropped); }

VerifiedRules verify_rules(Site const& site, Plan const& plan, FamilyRules const& given) {
    VerifiedRules verified;
    verified.director = site[plan.director].name.value;
    auto const marks = own_marks(plan);
    for (auto const family : families) {
        auto const& rules = given[index_of(family)];
        if (!rules) {
            if (std::ranges::any_of(plan.marks.classes, [&](auto const& one) { return one.family() == family; }))
                verified.unasked.push_back(family);
            continue;
        }
        auto& added = verified.families.emplace_back(VerifiedFamily{family, {}, 0, {}});
        for (auto const& table : rules->tables) {
            added.tables.push_back(table.table);
            added.rules += table.rule_count();
        }
        added.proof = prove(plan.marks, marks, *rules);
        judge_drops(added.proof, site, plan);
    }
    return verified;
}

} // namespace lbc
