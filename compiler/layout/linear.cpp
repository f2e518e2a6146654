#include "compiler/layout/items.hpp"
#include "compiler/layout/layout.hpp"

namespace lbc {

Ruleset layout_linear(Site const& site, MarkTable const& table, Family family) {
    RuleWriter const writer(site, table);
    std::vector<Chain> chains;
    auto const add = [&](std::string_view name, Part& part) {
        if (part.empty())
            return;
        auto& chain = chains.emplace_back(Chain{std::string(name), std::move(part.lead)});
        for (auto const& item : part.items)
            writer.append(item, chain.rules);
    };
    auto parts = parts_of(table, family);
    add(marks_chain, parts.marks);
    add(peers_chain, parts.peers);
    add(output_chain, parts.output);
    add(guard_chain, parts.guard);
    return assemble(std::move(chains), family, {});
}

} // namespace lbc
