// What a director's kernel holds of what is lbc's, read without a write, for commands that compare it with the site.
#pragma once

#include "backends/apply.hpp"
#include "cli/status_view.hpp"
#include "compiler/proof/state.hpp"

namespace lbc {

struct KernelView {
    Record record;
    std::vector<FamilyChange> tables;  // of each family that there is: now, and what the site wants
    std::shared_ptr<Ipvs> ipvs;        // null where it was not asked
    std::vector<IpvsService> services; // that the site, the rules or the record make lbc's; sorted by key
};

/// Without services, IPVS is not asked, and need not be there.
[[nodiscard]] std::expected<KernelView, SystemError>
read_kernel(Site const& site, Plan const& plan, Kernel& kernel, bool with_services = true, Layout layout = layout_auto);

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
