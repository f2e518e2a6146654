// A director's kernel compared with the site, for `lbc status`: a value, and its three output forms.
#pragma once

#include "backends/apply/compare_services.hpp"
#include "backends/apply/mangle_step.hpp"
#include "backends/apply/nft_step.hpp"
#include "backends/apply/observe.hpp"
#include "backends/ipvs/ipvs.hpp"
#include "cli/report/status_around.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// lbc's rules in one family's mangle table, or in its table of nftables.
struct MarksView {
    std::string title;            // see write_lines.hpp
    std::string_view table;       // likewise
    std::optional<Family> family; // none: nftables, which has both
    std::size_t rules = 0;        // in the kernel
    Presence presence = Presence::as_site;
    std::string_view layout{}; // another than `auto` takes, as `apply --layout` was told
};

struct StatusView {
    std::string director;
    std::vector<MarksView> marks;          // of the families that have any rules, or should have
    std::vector<ComparedService> services; // in the order of the site, then what is extra
    std::vector<SyncDaemon> daemons;
    bool daemons_differ = false; // from the site's
    std::vector<ObservedSetting> settings;
    StatusAround around;
    bool has_services = true; // IPVS was read

    [[nodiscard]] std::size_t reals() const;
    /// The number of items that `lbc apply` would change: tables of rules, services, real servers, daemons, settings,
    /// keepalived's file.
    [[nodiscard]] std::size_t differences() const;
    /// The number of problems that `lbc apply` does not fix.
    [[nodiscard]] std::size_t problems() const;

private:
    [[nodiscard]] std::size_t rules_that_differ() const;
    [[nodiscard]] std::size_t services_that_differ() const;
    /// Whether `lbc apply` brings the services to the site: keepalived must run for that, and have something to read.
    [[nodiscard]] bool mends_services() const;
};

/// The mangle tables, and lbc's table of nftables.
[[nodiscard]] std::vector<MarksView> compare_tables(std::vector<FamilyChange> const& tables,
                                                    std::optional<NftChange> const& nft);

/// An aligned table with a line that sums it up.
[[nodiscard]] std::string status_text(StatusView const& view, bool colour);
/// docs/schema/status.schema.json
[[nodiscard]] std::string status_json(StatusView const& view);
/// Prometheus's text exposition format, version 0.0.4.
[[nodiscard]] std::string status_prometheus(StatusView const& view);

} // namespace lbc
