#include "backends/apply/observe.hpp"

#include "backends/apply/compare_services.hpp"
#include "backends/apply/ipvs_plan.hpp"
#include "backends/apply/mark_backend.hpp"
#include "backends/apply/variant_step.hpp"
#include "backends/nft/nft.hpp"
#include "backends/nft/nft_ruleset.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <set>

namespace lbc {
namespace {

/// IPVS does not show how it forwards to a server that is this box itself, so the wanted method is assumed.
void name_local_ways(IpvsService& now, NamedService const& wanted) {
    for (auto& real : now.reals)
        for (auto const& other : wanted.service.reals)
            if (real.local && other.is_same_server(real.server))
                real.server.forwarding = other.forwarding;
}

/// Whether the legacy tables are as wanted. Leftovers in those of iptables-nft are a difference of their own.
bool are_equal(std::vector<FamilyChange> const& tables) {
    return std::ranges::all_of(
        tables, [](FamilyChange const& table) { return table.is_variant || table.before == table.after; });
}

} // namespace

std::expected<KernelView, SystemError> read_kernel(Site const& site, Plan const& plan, Kernel& kernel,
                                                   bool with_services, Layout layout) {
    KernelView view;
    auto record = kernel.read_record();
    if (!record)
        return std::unexpected(std::move(record.error()));
    view.record = std::move(*record);
    auto const backend = choose_backend(kernel, {}, false);
    if (!backend)
        return std::unexpected(backend.error());
    bool const by_nft = backend->tool == MarkTool::nft;
    auto tables = compare_marks(kernel, by_nft ? no_marks() : mark_rules(site, plan, layout));
    if (!tables)
        return std::unexpected(std::move(tables.error()));
    view.tables = std::move(*tables);
    auto variants = read_variants(kernel);
    if (!variants)
        return std::unexpected(std::move(variants.error()));
    std::ranges::move(*variants, std::back_inserter(view.tables));
    if (by_nft) {
        auto now = kernel.open_nft()->read();
        if (!now)
            return std::unexpected(std::move(now.error()));
        view.nft = {std::move(*now), nft_state(site, plan.marks)};
    }
    if (!with_services)
        return view;
    auto marks = view.record.marks;
    for (auto const& table : view.tables)
        std::ranges::copy(marks_of(table.before), std::inserter(marks, marks.end()));
    if (view.nft)
        std::ranges::copy(view.nft->before.marks(), std::inserter(marks, marks.end()));
    for (auto const& service : plan.services)
        marks.insert(service.mark);
    auto ipvs = kernel.open_ipvs();
    if (!ipvs)
        return std::unexpected(std::move(ipvs.error()));
    view.ipvs = std::move(*ipvs);
    auto services =
        view.ipvs->read([&](ServiceKey key) { return site.marks.contains(key.mark) || marks.contains(key.mark); });
    if (!services)
        return std::unexpected(std::move(services.error()));
    view.services = std::move(*services);
    return view;
}

void take_layout_in_force(Site const& site, Plan const& plan, Kernel& kernel, KernelView& view) {
    if (view.nft || are_equal(view.tables))
        return;
    for (auto const& [name, layout] : layouts) {
        if (layout == layout_auto)
            continue;
        auto tables = compare_marks(kernel, mark_rules(site, plan, layout));
        if (!tables || !are_equal(*tables))
            continue;
        std::ranges::copy_if(view.tables, std::back_inserter(*tables), &FamilyChange::is_variant);
        view.tables = std::move(*tables);
        view.layout = name;
        return;
    }
}

Ruleset rules_in(KernelView const& view, Family family) {
    if (view.nft && !view.nft->before.empty())
        if (auto rules = ruleset_of(view.nft->before, family))
            return std::move(*rules);
    auto const found = std::ranges::find_if(
        view.tables, [&](FamilyChange const& table) { return table.family == family && !table.before.empty(); });
    return found == view.tables.end() ? Ruleset{family, {}, {}} : found->before;
}

std::expected<FamilyRules, SystemError> read_all_rules(Kernel& kernel) {
    FamilyRules dump;
    auto nftables = kernel.read_nftables();
    if (!nftables)
        return std::unexpected(std::move(nftables.error()));
    for (auto const family : families) {
        auto rules = kernel.read_netfilter(family);
        if (!rules)
            return std::unexpected(std::move(rules.error()));
        std::ranges::move((*nftables)[index_of(family)], std::back_inserter(rules->tables));
        dump[index_of(family)] = std::move(*rules);
    }
    return dump;
}

std::expected<KernelSettings, SystemError> read_settings(Site const& site, Plan const& plan, KernelView const& view,
                                                         Kernel& kernel) {
    KernelSettings found;
    auto daemons = view.ipvs->daemons();
    if (!daemons)
        return std::unexpected(std::move(daemons.error()));
    found.daemons = std::move(*daemons);
    auto const wanted = site.ipvs == IpvsOwner::keepalived ? std::vector<SyncDaemon>{} : sync_daemons(site);
    found.daemons_differ = (!wanted.empty() || view.record.sync) && !are_met(wanted, found.daemons);
    for (auto const sysctl : sysctls) {
        auto const setting = read_setting(kernel, sysctl, sysctls_of(plan), view.record.sysctls);
        if (!setting)
            return std::unexpected(setting.error());
        if (*setting)
            found.settings.push_back(**setting);
    }
    return found;
}

std::vector<IpvsService> client_services(KernelView const& view, Site const& site, Plan const& plan,
                                         DirectorState const& wanted, bool without_checks) {
    std::map<ServiceKey, KeepalivedService> checked;
    if (without_checks)
        for (auto& service : keepalived_services(site, plan))
            checked.emplace(service.service.key, std::move(service));
    std::set<ServiceKey> of_checks;
    for (auto const& check : plan.checks)
        of_checks.insert({check.mark, check.family});
    std::vector<IpvsService> services;
    for (auto now : view.services) {
        if (of_checks.contains(now.key))
            continue; // no client's packet reaches it
        if (auto const* meant = wanted.find(now.key))
            name_local_ways(now, *meant);
        if (auto const found = checked.find(now.key); found != checked.end())
            now = as_if_checked(std::move(now), found->second);
        services.push_back(std::move(now));
    }
    return services;
}

DirectorState state_of(KernelView const& view, std::vector<IpvsService> const& services, Site const& site,
                       DirectorState const& wanted) {
    DirectorState state;
    state.name = wanted.name;
    state.macs = wanted.macs;
    state.addresses = wanted.addresses;
    state.interfaces = wanted.interfaces;
    for (auto const family : families)
        state.marks[index_of(family)] = rules_in(view, family);
    for (auto const& now : services) {
        auto const* meant = wanted.find(now.key);
        auto& named = state.services.emplace_back();
        named.service = virtual_service(now);
        named.name = meant != nullptr ? meant->name : "fwmark " + now.key.mark.str();
        named.service.service = meant != nullptr ? meant->service.service : site.services.size();
        for (auto const& real : now.reals)
            named.connections[{real.server.address, real.server.port}] = std::uint64_t{real.active} + real.inactive;
    }
    return state;
}

std::vector<NamedService> unnamed_services(KernelView const& view, DirectorState const& wanted) {
    std::vector<NamedService> services;
    for (auto const family : families) {
        auto const rules = rules_in(view, family);
        auto const set = marks_of(rules);
        std::set<Fwmark> marks(set.begin(), set.end());
        for (auto const& chain : rules.chains)
            for (auto const& rule : chain.rules)
                if (rule.when.mark)
                    marks.erase(*rule.when.mark);
        for (auto const mark : marks) {
            if (wanted.find({mark, family}) != nullptr)
                continue;
            auto& added = services.emplace_back();
            added.name = "fwmark " + mark.str();
            added.service.mark = mark;
            added.service.family = family;
            added.service.service = std::numeric_limits<std::size_t>::max(); // behind the site's
        }
    }
    return services;
}

} // namespace lbc
