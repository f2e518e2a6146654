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

bool has_nft_table(Kernel& kernel) {
    // Who may not read it cannot change iptables either, and is told so there.
    auto const now = kernel.open_nft()->read();
    return now && !now->empty();
}

std::expected<bool, SystemError> has_legacy_tables(Kernel& kernel) {
    auto const table = kernel.open_mangle(Family::ipv4);
    if (!table && table.error().kind != SystemError::Kind::unsupported)
        return std::unexpected(table.error());
    return table.has_value();
}

} // namespace

std::expected<Backend, SystemError> choose_backend(Kernel& kernel, std::string_view name) {
    if (name == "nft" || name == "iptables")
        return Backend{name == "nft" ? MarkTool::nft : MarkTool::iptables, {}};
    if (has_nft_table(kernel))
        return Backend{MarkTool::nft, "lbc's table of nftables is here"};
    if (name.empty())
        return Backend{MarkTool::iptables, "lbc has no table of nftables here"};
    auto const chains = has_own_chains(kernel);
    if (!chains)
        return std::unexpected(chains.error());
    if (*chains)
        return Backend{MarkTool::iptables, "lbc's chains are in the legacy tables of iptables"};
    if (kernel.is_iptables_nft())
        return Backend{MarkTool::nft, "`iptables` keeps its rules in nftables here"};
    auto const legacy = has_legacy_tables(kernel);
    if (!legacy)
        return std::unexpected(legacy.error());
    return *legacy ? Backend{MarkTool::iptables, "the kernel has legacy iptables, which `iptables` is here"}
                   : Backend{MarkTool::nft, "the kernel has no legacy iptables"};
}

std::expected<void, SystemError> want_nft(Kernel& kernel, NftState state, Wanted& wanted) {
    auto const chains = has_own_chains(kernel);
    if (!chains)
        return std::unexpected(chains.error());
    wanted.nft = std::move(state);
    if (*chains)
        wanted.marks = no_marks();
    return {};
}

} // namespace lbc
