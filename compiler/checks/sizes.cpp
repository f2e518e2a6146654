#include "compiler/checks/checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace lbc {
namespace {

/// The most combinations that a director tells apart for one service. Each can become a rule if the layout cannot do
/// better.
constexpr std::uint64_t most_of_service = 1'000'000;
/// The most of all directors together: combinations, real servers, checks, and MACs of each other.
constexpr std::uint64_t most_of_site = 4'000'000;

/// The most of MACs times directors: every director has rules for the MACs of all the others.
constexpr std::uint64_t most_of_directors = 1'000'000;
/// A real server is several lines of text on each director; a combination is at most one.
constexpr std::uint64_t weight_of_real_server = 4;
/// A check of a real server, and each path in it, is several lines too.
constexpr std::uint64_t weight_of_check = 8;

/// The cap of all products. No list is longer than a file, so a product of two such numbers does not overflow.
constexpr std::uint64_t far_too_much = std::uint64_t{1} << 32U;

/// A list of a service, which multiplies with its other lists.
struct Factor {
    std::size_t size = 1;
    std::string_view what;
    Span place;
};

std::uint64_t product_of(std::span<Factor const> factors) {
    std::uint64_t product = 1;
    for (auto const& factor : factors)
        product = std::min(product * factor.size, far_too_much);
    return product;
}

template <typename T>
Factor factor_of(std::vector<Located<T>> const& list, std::string_view what) {
    return list.empty() ? Factor{} : Factor{list.size(), what, list.front().span};
}

using Factors = std::array<Factor, 4>;

Factors factors_of(Site const& site, Service const& service, DirectorId director) {
    Factor ports{0, "ranges of ports", service.ports.empty() ? service.span : service.ports.front().span};
    for (auto const& claim : service.ports)
        ports.size += std::max<std::size_t>(claim.ports.size(), 1);
    auto const& interfaces = service.interfaces.empty() ? site[director].interfaces : service.interfaces.get();
    return {Factor{service.vips.size(), "VIPs", service.vips.empty() ? service.span : service.vips.front().span}, ports,
            factor_of(interfaces, "interfaces"), factor_of(service.bypass.get(), "MACs of `bypass`")};
}

void report(Service const& service, Factors const& factors, Diagnostics& diagnostics) {
    std::vector<std::string> parts;
    for (auto const& factor : factors)
        if (factor.size > 1)
            parts.push_back(fmt::format("{} {}", factor.size, factor.what));
    auto const& longest = *std::ranges::max_element(factors, {}, &Factor::size);
    diagnostics.report(DiagId::too_large, longest.place,
                       "`{}` multiplies to more than {} combinations: {}; take prefixes for single VIPs, ranges for "
                       "single ports, or leave `interface` out",
                       service.name.value, most_of_service, fmt::join(parts, " times "));
}

std::uint64_t count_of(std::vector<Check> const& checks) {
    std::uint64_t count = 0;
    for (auto const& check : checks)
        count += std::max<std::size_t>(check.paths.size(), 1);
    return count;
}

/// The number of checks of all real servers of a service, on each of its directors; each path counts.
std::uint64_t checks_of(Service const& service) {
    auto count = count_of(service.checks) * service.reals.size();
    for (auto const& real : service.reals)
        count += count_of(real.checks);
    return std::min(count, far_too_much);
}

void report_site(Service const& service, std::uint64_t checks, std::uint64_t sum, Diagnostics& diagnostics) {
    if (checks * weight_of_check > sum / 2)
        diagnostics.report(DiagId::too_large, service.name.span,
                           "with `{}`, the site's directors together have {} checks of real servers, which count {} "
                           "each, and more than {} is too much; check a pool's servers with fewer checks",
                           service.name.value, checks, weight_of_check, most_of_site);
    else
        diagnostics.report(DiagId::too_large, service.name.span,
                           "with `{}`, the site's directors together have more than {} combinations of VIPs, ports, "
                           "interfaces, MACs and real servers; make several sites of it, or take prefixes for single "
                           "VIPs and ranges for single ports",
                           service.name.value, most_of_site);
}

} // namespace

bool check_sizes(Site const& site, Diagnostics& diagnostics) {
    std::uint64_t macs = 0;
    for (auto const& director : site.directors)
        macs += director.macs.size();
    auto sum = std::min(macs, far_too_much) * std::min<std::uint64_t>(site.directors.size(), far_too_much / 2);
    if (sum > most_of_directors) {
        diagnostics.report(DiagId::too_large, site.directors.front().name.span,
                           "each of {} directors has rules for {} MACs, more than {} in all; a site is the directors "
                           "that balance the same services",
                           site.directors.size(), macs, most_of_directors);
        return false;
    }
    bool fits = true;
    std::uint64_t checks = 0;
    for (auto const& service : site.services) {
        auto const own_checks = site.ipvs == IpvsOwner::keepalived ? checks_of(service) : 0;
        for (auto const& on : service.on) {
            auto const factors = factors_of(site, service, on.director);
            auto const product = product_of(factors);
            if (product > most_of_service) {
                report(service, factors, diagnostics);
                fits = false;
                break;
            }
            checks += own_checks;
            sum += product + weight_of_real_server * service.reals.size() + weight_of_check * own_checks;
        }
        if (sum > most_of_site) {
            report_site(service, checks, sum, diagnostics);
            return false;
        }
    }
    return fits;
}

} // namespace lbc
