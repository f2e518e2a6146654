#include "backends/apply/mark_backend.hpp"

#include "backends/apply/variant_step.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace lbc {
namespace {

std::expected<MarkPlaces, SystemError> find_marks(Kernel& kernel) {
    MarkPlaces places;
    for (auto const family : families) {
        auto const legacy = kernel.has_own_chains(family);
        if (!legacy)
            return std::unexpected(legacy.error());
        places.legacy = places.legacy || *legacy;
    }
    auto const nft = kernel.open_nft()->exists();
    if (!nft)
        return std::unexpected(nft.error());
    places.nft = *nft;
    auto const variants = read_variants(kernel);
    if (!variants)
        return std::unexpected(variants.error());
    places.variant = !variants->empty();
    return places;
}

std::expected<bool, SystemError> has_legacy_tables(Kernel& kernel) {
    auto const table = kernel.open_mangle(Family::ipv4);
    if (!table && table.error().kind != SystemError::Kind::unsupported)
        return std::unexpected(table.error());
    return table.has_value();
}

/// Chooses the backend that the box itself uses.
std::expected<Backend, SystemError> choose_by_box(Kernel& kernel, MarkPlaces places) {
    if (kernel.is_iptables_nft())
        return Backend{MarkTool::nft, "`iptables` keeps its rules in nftables here", places};
    auto const legacy = has_legacy_tables(kernel);
    if (!legacy)
        return std::unexpected(legacy.error());
    return *legacy ? Backend{MarkTool::iptables, "the kernel has legacy iptables, which `iptables` is here", places}
                   : Backend{MarkTool::nft, "the kernel has no legacy iptables", places};
}

} // namespace

std::string MarkPlaces::str() const {
    std::vector<std::string_view> names;
    if (legacy)
        names.emplace_back("the legacy tables of iptables");
    if (nft)
        names.emplace_back("the table inet lbc of nftables");
    if (variant)
        names.emplace_back("the tables of iptables-nft");
    return fmt::format("{}", fmt::join(names, " and "));
}

std::expected<Backend, SystemError> choose_backend(Kernel& kernel, std::string_view name, bool moves) {
    auto const places = find_marks(kernel);
    if (!places)
        return std::unexpected(places.error());
    if (name == "nft" || name == "iptables")
        return Backend{name == "nft" ? MarkTool::nft : MarkTool::iptables, {}, *places};
    if (!moves && places->nft)
        return Backend{MarkTool::nft, "lbc's table of nftables is here", *places};
    if (!moves && places->legacy)
        return Backend{MarkTool::iptables, "lbc's chains are in the legacy tables of iptables", *places};
    return choose_by_box(kernel, *places);
}

std::string_view title(MarkTool tool) { return tool == MarkTool::nft ? "nftables" : "iptables"; }

SystemError move_refusal(Backend const& backend) {
    bool const can_stay = backend.reason.empty() && (backend.places.legacy || backend.places.nft);
    return {SystemError::Kind::failed, 0,
            fmt::format("lbc's rules are in {} here, but {} is asked for; add --migrate to move them without a gap{}",
                        backend.places.str(), title(backend.tool), can_stay ? ", or leave --backend out" : "")};
}

} // namespace lbc
