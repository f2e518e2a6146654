#include "compiler/layout/chain_entries.hpp"
#include "compiler/layout/layout.hpp"

#include <set>
#include <tuple>

namespace lbc {
namespace {

bool is_of_interfaces(ChainEntry const& item) {
    return item.action == ChainEntry::Action::mark || item.action == ChainEntry::Action::own;
}

} // namespace

Ruleset layout_linear(Site const& site, MarkTable const& table, Family family) {
    RuleWriter const writer(site, table);
    std::vector<Chain> chains;
    auto const add = [&](std::string_view name, Part& part) {
        if (part.empty())
            return;
        auto& chain = chains.emplace_back(Chain{std::string(name), std::move(part.lead)});
        std::set<std::tuple<Prefix, std::uint8_t, std::vector<PortRange>>> said;
        for (auto const& item : part.items)
            if (is_of_interfaces(item) ||
                said.emplace(item.destination, item.protocol, std::vector(item.ports.begin(), item.ports.end())).second)
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
