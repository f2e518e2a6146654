#include "cli/verify_rules.hpp"

#include <algorithm>

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
    }
    return verified;
}

} // namespace lbc
