#include "cli/verify_rules.hpp"

#include <algorithm>
#include <iterator>
#include <set>

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

/// Marks whose packets rules of others may drop, as the file says.
std::set<Fwmark> firewalled_marks(Site const& site, Plan const& plan) {
    std::set<Fwmark> marks;
    for (auto const& service : plan.services)
        if (site.services[service.service].firewalled)
            marks.insert(service.mark);
    return marks;
}

/// No client's packet enters on `lo`.
bool is_of_clients(MarkChange const& packets) {
    return packets.sent_here || std::ranges::any_of(packets.interfaces, [](InterfaceClass const& interface) {
               return interface.pattern || interface.name != "lo";
           });
}

/// Drops that nobody has said are meant are faults.
void judge_drops(Proof& proof, std::set<Fwmark> const& firewalled) {
    auto const unmeant = std::ranges::stable_partition(proof.dropped, [&](MarkFault const& fault) {
        return firewalled.contains(fault.packets.before.mark) || !is_of_clients(fault.packets);
    });
    std::ranges::move(unmeant, std::back_inserter(proof.faults));
    proof.dropped.erase(unmeant.begin(), unmeant.end());
}

} // namespace

VerifiedDirector verify_rules(Site const& site, Plan const& plan, Dump const& dump) {
    VerifiedDirector verified;
    verified.director = site[plan.director].name.value;
    auto const marks = own_marks(plan);
    auto const firewalled = firewalled_marks(site, plan);
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
        judge_drops(added.proof, firewalled);
    }
    return verified;
}

} // namespace lbc
