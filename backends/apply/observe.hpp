// Reads lbc's own state in a director's kernel, without a write, for commands that compare it with the site.
#pragma once

#include "backends/apply/apply.hpp"
#include "backends/apply/settings.hpp"
#include "compiler/analysis/director_state.hpp"

namespace lbc {

struct KernelView {
    std::string_view layout{}; // of the legacy tables, where it is another than `auto` takes
    Record record;
    std::vector<FamilyChange> tables;  // of each available family: now, and as the site wants
    std::optional<NftChange> nft;      // the same of nftables, if lbc's table there marks packets or is to
    std::shared_ptr<Ipvs> ipvs;        // null if it was not read
    std::vector<IpvsService> services; // own ones by the site, the rules or the record; sorted by key
};

/// Without services, IPVS is not read and need not exist.
[[nodiscard]] std::expected<KernelView, SystemError>
read_kernel(Site const& site, Plan const& plan, Kernel& kernel, bool with_services = true, Layout layout = layout_auto);

/// Replaces the wanted legacy rules by those of the layout that is in force, if that is one which `apply --layout` has
/// loaded: they mark as the site says. A failure to read leaves the view as it is.
void take_layout_in_force(Site const& site, Plan const& plan, Kernel& kernel, KernelView& view);

/// The own rules of a family, from either backend. If both have some, those of nftables.
[[nodiscard]] Ruleset rules_in(KernelView const& view, Family family);

/// All rules of this box, own and foreign, of iptables and of nftables.
[[nodiscard]] std::expected<FamilyRules, SystemError> read_all_rules(Kernel& kernel);

/// The kernel's other state that `apply` sets.
struct KernelSettings {
    std::vector<SyncDaemon> daemons; // that run
    bool daemons_differ = false;     // from the site's
    std::vector<ObservedSetting> settings;
};
/// `view` must have services.
[[nodiscard]] std::expected<KernelSettings, SystemError> read_settings(Site const& site, Plan const& plan,
                                                                       KernelView const& view, Kernel& kernel);

/// The services of `view` that packets of clients reach. `without_checks`: as if every health check of keepalived had
/// passed.
[[nodiscard]] std::vector<IpvsService> client_services(KernelView const& view, Site const& site, Plan const& plan,
                                                       DirectorState const& wanted, bool without_checks);

/// These services and the rules of `view` as the state of a director, to compare with the wanted one.
[[nodiscard]] DirectorState state_of(KernelView const& view, std::vector<IpvsService> const& services, Site const& site,
                                     DirectorState const& wanted);

/// The services to which marks lead in a kernel whose IPVS is not read, and that the site does not name. The guard's
/// mark, which rules match, leads to none.
[[nodiscard]] std::vector<NamedService> unnamed_services(KernelView const& view, DirectorState const& wanted);

} // namespace lbc
