#include "backends/apply/wanted.hpp"

#include "backends/apply/ipvs_plan.hpp"
#include "backends/keepalived/keepalived.hpp"
#include "backends/nft/nft.hpp"

namespace lbc {

void want_no_marks(Wanted& wanted) {
    wanted.marks = no_marks();
    wanted.nft.emplace();
    wanted.variants_leave = true;
}

void want_marks(Site const& site, Plan const& plan, MarkTool tool, Layout layout, Wanted& wanted) {
    want_no_marks(wanted);
    if (tool == MarkTool::nft)
        wanted.nft = nft_state(site, plan.marks);
    else
        wanted.marks = mark_rules(site, plan, layout);
}

void want_ipvs(Site const& site, Plan const& plan, std::filesystem::path const& path, Wanted& wanted) {
    auto& ipvs = wanted.ipvs.emplace();
    ipvs.sysctls = sysctls_of(plan);
    ipvs.guard = site.guard_span == Span{} ? std::nullopt : std::optional(site.guard_span);
    ipvs.leave_services = site.ipvs == IpvsOwner::keepalived;
    if (!ipvs.leave_services) {
        ipvs.services = ipvs_services(plan);
        ipvs.daemons = sync_daemons(site);
        ipvs.range = site.marks;
        ipvs.rules_tell = true;
        return;
    }
    // The process of --confirm-within leaves the working folder.
    auto& keepalived = wanted.keepalived.emplace(KeepalivedWanted{.path = std::filesystem::absolute(path),
                                                                  .text = keepalived_text(site, {&plan, 1}),
                                                                  .services = keepalived_services(site, plan)});
    keepalived.patience += std::chrono::milliseconds(5) * keepalived.services.size();
}

} // namespace lbc
