// What a director's kernel holds of what is lbc's, read without a write, for commands that compare it with the site.
#pragma once

#include "backends/apply.hpp"
#include "cli/dumps.hpp"
#include "cli/status_view.hpp"
#include "compiler/proof/state.hpp"

namespace lbc {

struct KernelView {
    Record record;
    std::vector<FamilyChange> tables;  // of each family that there is: now, and what the site wants
    std::optional<NftChange> nft;      // the same of nftables, where lbc's table of it marks packets, or is to
    std::shared_ptr<Ipvs> ipvs;        // null where it was not asked
    std::vector<IpvsService> services; // that the site, the rules or the record make lbc's; sorted by key
};

/// Without services, IPVS is not asked, and need not be there.
[[nodiscard]] std::expected<KernelView, SystemError>
read_kernel(Site const& site, Plan const& plan, Kernel& kernel, bool with_services = true, Layout layout = layout_auto);

/// lbc's rules of a family, of whatever kind they are. Where both are, those of nftables.
[[nodiscard]] Ruleset rules_in(KernelView const& view, Family family);

/// All rules that this box has, whoever's they are, of either kind.
[[nodiscard]] std::expected<Dump, SystemError> read_all_rules(Kernel& kernel);

/// What else `apply` sets.
struct KernelSettings {
    std::vector<SyncDaemon> daemons; // that run
    bool daemons_differ = false;     // from the site's
    std::vector<SettingView> settings;
};
/// `view` must have services.
[[nodiscard]] std::expected<KernelSettings, SystemError> read_settings(Site const& site, Plan const& plan,
                                                                       KernelView const& view, Kernel& kernel);

/// The services of `view` that packets of clients go to. `without_checks`: as if every health check of keepalived's had
/// passed.
[[nodiscard]] std::vector<IpvsService> client_services(KernelView const& view, Site const& site, Plan const& plan,
                                                       DirectorState const& wanted, bool without_checks);

/// These and the rules of `view` as the state of a director, to be compared with what the site wants of it.
[[nodiscard]] DirectorState state_of(KernelView const& view, std::vector<IpvsService> const& services, Site const& site,
                                     DirectorState const& wanted);

} // namespace lbc
