#include "backends/iptables/owned_rules.hpp"

#include "backends/iptables/libiptc_handle.hpp"

#include <algorithm>
#include <utility>

namespace lbc {
namespace {

/// Calls `visit(builtin, number, bytes, target)` for each entry jump.
template <typename Table, typename Visitor>
void each_hook(Table const& table, Visitor visit) {
    table.each_chain([&](std::string const& chain, bool is_builtin) {
        unsigned number = 0;
        if (is_builtin) {
            table.each_rule(chain, [&](xt::ByteView bytes, std::string_view target) {
                ++number;
                if (is_own_chain(target))
                    visit(chain, number, bytes, target);
            });
        }
    });
}

/// Calls `visit(name)` for each own chain, sorted by name.
template <typename Table, typename Visitor>
void each_own_chain(Table const& table, Visitor visit) {
    std::vector<std::string> names;
    table.each_chain([&](std::string const& name, bool is_builtin) {
        if (!is_builtin && is_own_chain(name))
            names.push_back(name);
    });
    std::ranges::sort(names);
    std::ranges::for_each(names, visit);
}

} // namespace

template <typename Table>
std::vector<PlacedEntryJump> placed_entry_jumps(Table const& table) {
    std::vector<PlacedEntryJump> found;
    each_hook(table, [&](std::string const& chain, unsigned number, xt::ByteView bytes, std::string_view target) {
        found.push_back({{chain, xt::read_rule(bytes, Table::family, target)}, number});
    });
    return found;
}

template <typename Table>
Ruleset owned_rules(Table const& table) {
    Ruleset result;
    result.family = Table::family;
    each_own_chain(table, [&](std::string const& name) {
        Chain& chain = result.chains.emplace_back(Chain{name, {}});
        table.each_rule(name, [&](xt::ByteView bytes, std::string_view target) {
            chain.rules.push_back(xt::read_rule(bytes, Table::family, target));
        });
    });
    for (PlacedEntryJump& placed : placed_entry_jumps(table))
        result.entry_jumps.push_back(std::move(placed.hook));
    return result;
}

template <typename Tables>
Ruleset owned_rules(TableBlob<Tables> const& table, Ruleset const& wanted) {
    Ruleset result;
    result.family = Tables::family;
    each_own_chain(table, [&](std::string const& name) {
        BlobChain const& now = *table.find(name);
        Chain const* const same = find_chain(wanted.chains, name);
        result.chains.push_back(same != nullptr && table.has(now, *same) ? *same : table.read(now));
    });
    for (PlacedEntryJump& placed : placed_entry_jumps(table))
        result.entry_jumps.push_back(std::move(placed.hook));
    return result;
}

template <typename Table>
std::optional<RawRules> raw_rules(Table const& table) {
    RawRules result;
    bool is_whole = true;
    auto const copy = [&](xt::ByteView bytes, std::string_view target) {
        xt::Bytes entry = xt::portable_entry(bytes, Table::family, target);
        is_whole = is_whole && !entry.empty();
        return entry;
    };
    each_own_chain(table, [&](std::string const& name) {
        RawChain& chain = result.chains.emplace_back(RawChain{name, {}});
        table.each_rule(name, [&](xt::ByteView bytes, std::string_view target) {
            xt::Bytes const entry = copy(bytes, target);
            chain.entries.insert(chain.entries.end(), entry.begin(), entry.end());
        });
    });
    each_hook(table, [&](std::string const& chain, unsigned number, xt::ByteView bytes, std::string_view target) {
        result.entry_jumps.push_back({chain, number, copy(bytes, target)});
    });
    return is_whole ? std::optional(std::move(result)) : std::nullopt;
}

template std::vector<PlacedEntryJump> placed_entry_jumps(TableHandle<Ipv4Tables> const& table);
template std::vector<PlacedEntryJump> placed_entry_jumps(TableHandle<Ipv6Tables> const& table);
template Ruleset owned_rules(TableHandle<Ipv4Tables> const& table);
template Ruleset owned_rules(TableHandle<Ipv6Tables> const& table);
template Ruleset owned_rules(TableBlob<Ipv4Tables> const& table);
template Ruleset owned_rules(TableBlob<Ipv6Tables> const& table);
template Ruleset owned_rules(TableBlob<Ipv4Tables> const& table, Ruleset const& wanted);
template Ruleset owned_rules(TableBlob<Ipv6Tables> const& table, Ruleset const& wanted);
template std::optional<RawRules> raw_rules(TableHandle<Ipv4Tables> const& table);
template std::optional<RawRules> raw_rules(TableHandle<Ipv6Tables> const& table);
template std::optional<RawRules> raw_rules(TableBlob<Ipv4Tables> const& table);
template std::optional<RawRules> raw_rules(TableBlob<Ipv6Tables> const& table);

} // namespace lbc
