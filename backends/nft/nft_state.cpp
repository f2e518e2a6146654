#include "backends/nft/nft_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace lbc {
namespace {

constexpr std::string_view second = "b_";
constexpr int mangle = -150; // NF_IP_PRI_MANGLE

/// The chains that lbc makes. A load removes those without rules.
constexpr std::array<std::string_view, 4> every_chain{"prerouting", "output", "peers", "guard"};

std::string definition_of(std::string_view chain) {
    auto const base = nft_chain(chain, {}).base;
    return base ? fmt::format("type {} hook {} priority mangle; policy accept; ", base->type, base->hook) : "";
}

void append_elements(std::string& out, NftSet const& set) {
    auto heading = set.headings.begin();
    for (std::size_t i = 0; i < set.elements.size(); ++i) {
        for (; heading != set.headings.end() && heading->first == i; ++heading)
            fmt::format_to(std::back_inserter(out), "    # {}\n", heading->second);
        out += "    ";
        append_element(out, set.elements[i], set.key, set.is_map);
        out += ",\n";
    }
}

std::string sets_text(std::vector<NftSet> const& sets, bool fills) {
    std::string out = "# Made where it is missing, and filled anew.\ntable inet lbc {\n";
    auto const into = std::back_inserter(out);
    for (auto const& set : sets)
        fmt::format_to(into, "    {} {} {{ {} }}\n", set.kind(), set.name, set.definition());
    out += "}\n";
    for (auto const& set : sets)
        fmt::format_to(into, "flush {} inet lbc {}\n", set.kind(), set.name);
    for (auto const& set : sets) {
        if (!fills || set.elements.empty())
            continue;
        fmt::format_to(into, "add element inet lbc {} {{\n", set.name);
        append_elements(out, set);
        out += "}\n";
    }
    return out;
}

NftChain const* find_chain(std::vector<NftChain> const& chains, std::string_view name) {
    auto const found = std::ranges::find(chains, name, &NftChain::name);
    return found == chains.end() || found->rules.empty() ? nullptr : &*found;
}

std::string rules_text(std::vector<NftChain> const& chains) {
    std::string out = "# All rules change at one moment.\ntable inet lbc {\n";
    auto const into = std::back_inserter(out);
    for (auto const name : every_chain)
        fmt::format_to(into, "    chain {} {{ {}}}\n", name, definition_of(name));
    out += "}\nflush table inet lbc\n";
    for (auto const name : every_chain)
        if (find_chain(chains, name) == nullptr)
            fmt::format_to(into, "delete chain inet lbc {}\n", name);
    out += "table inet lbc {\n";
    for (auto const name : every_chain) {
        auto const* chain = find_chain(chains, name);
        if (chain == nullptr)
            continue;
        fmt::format_to(into, "    chain {} {{\n", name);
        for (auto const& rule : chain->rules) {
            if (!rule.comment.empty())
                fmt::format_to(into, "        # {}\n", rule.comment);
            fmt::format_to(into, "        {}\n", to_string(rule));
        }
        out += "    }\n";
    }
    return out + "}\n";
}

std::vector<NftChain const*> sorted_chains(NftState const& state) {
    std::vector<NftChain const*> chains;
    for (auto const& chain : state.chains)
        chains.push_back(&chain);
    std::ranges::sort(chains, {}, [](NftChain const* chain) { return std::string_view(chain->name); });
    return chains;
}

/// Calls `use` with each name of a set in a rule.
template <typename State, typename Use>
void for_each_name(State& state, Use use) {
    for (auto& chain : state.chains)
        for (auto& rule : chain.rules)
            for (auto& statement : rule.statements) {
                if (auto* match = std::get_if<NftMatch>(&statement); match != nullptr && !match->set.empty())
                    use(match->set);
                if (auto* map = std::get_if<NftMapMark>(&statement))
                    use(map->set);
            }
}

NftParts parts_of(NftState const& state, bool fills) {
    if (!state.listing.empty())
        return {{}, fmt::format("add table inet lbc\ndelete table inet lbc\n{}", state.listing)};
    if (state.empty())
        return {{}, "add table inet lbc\ndelete table inet lbc\n"};
    return {sets_text(state.sets, fills), rules_text(state.chains)};
}

} // namespace

NftParts nft_parts(NftState const& state) { return parts_of(state, true); }
NftParts nft_parts_unfilled(NftState const& state) { return parts_of(state, false); }

bool is_own_nft_chain(std::string_view name) { return std::ranges::find(every_chain, name) != every_chain.end(); }

NftChain nft_chain(std::string_view name, std::vector<NftRule> rules) {
    NftChain chain{std::string(name), {}, std::move(rules)};
    if (name == "prerouting")
        chain.base = NftBase{"filter", "prerouting", mangle};
    if (name == "output")
        chain.base = NftBase{"route", "output", mangle};
    return chain;
}

NftState with_staging_names(NftState state) {
    for (auto& set : state.sets)
        set.name.insert(0, second);
    for_each_name(state, [](std::string& name) { name.insert(0, second); });
    return state;
}

bool is_staging(NftState const& state) {
    bool found = false;
    for_each_name(state, [&](std::string const& name) { found = found || name.starts_with(second); });
    return found;
}

bool is_same(NftState const& a, NftState const& b) {
    if (!a.listing.empty() || !b.listing.empty())
        return a.listing == b.listing;
    if (a.sets.size() != b.sets.size())
        return false;
    for (auto const& set : a.sets)
        if (auto const* other = b.find_set(set.name); other == nullptr || !set.is_same(*other))
            return false;
    return std::ranges::equal(sorted_chains(a), sorted_chains(b),
                              [](NftChain const* one, NftChain const* other) { return *one == *other; });
}

} // namespace lbc
