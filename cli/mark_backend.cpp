#include "cli/mark_backend.hpp"

#include <algorithm>

namespace lbc {
namespace {

/// Whether a mangle table of iptables, of those that there are, has a chain of lbc's.
std::expected<bool, SystemError> has_own_chains(Kernel& kernel) {
    for (auto const family : families) {
        auto const rules = kernel.read_netfilter(family);
        if (!rules && rules.error().kind == SystemError::Kind::unsupported)
            continue;
        if (!rules)
            return std::unexpected(rules.error());
        for (auto const& table : rules->tables)
            if (table.table == "mangle" &&
                std::ranges::any_of(table.chains, [](Chain const& chain) { return is_own_chain(chain.name); }))
                return true;
    }
    return false;
}

std::expected<bool, SystemError> is_nft(Kernel& kernel, std::string_view name) {
    if (name != "auto")
        return name == "nft";
    auto const now = kernel.open_nft()->read();
    if (now && !now->empty())
        return true;
    auto const table = kernel.open_mangle(Family::ipv4);
    if (!table && table.error().kind != SystemError::Kind::unsupported)
        return std::unexpected(table.error());
    return !table;
}

} // namespace

std::expected<void, SystemError> choose_marks(Kernel& kernel, std::string_view name, MarkRules rules, NftState state,
                                              Wanted& wanted) {
    auto const nft = is_nft(kernel, name);
    if (!nft)
        return std::unexpected(nft.error());
    if (!*nft) {
        wanted.marks = std::move(rules);
        wanted.nft.emplace();
        return {};
    }
    auto const chains = has_own_chains(kernel);
    if (!chains)
        return std::unexpected(chains.error());
    wanted.marks.reset();
    if (*chains)
        wanted.marks = no_marks();
    wanted.nft = std::move(state);
    return {};
}

} // namespace lbc
