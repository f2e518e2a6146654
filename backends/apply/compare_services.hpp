// A director's virtual services in IPVS beside those of its site, for the commands that print how they differ. What
// differs is what `ipvs_difference` would write.
#pragma once

#include "backends/apply/keepalived_step.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// How an item compares with the site.
enum class Presence : std::uint8_t {
    as_site,
    differs, // in its parameters or weight
    missing, // only in the site
    extra,   // only in the kernel
    down,    // as after a failed health check: missing or at weight 0 under `ipvs keepalived`
    sorry,   // the sorry server, which stands in under `ipvs keepalived`
};
[[nodiscard]] std::string_view to_string(Presence presence);
/// Whether `lbc apply`, or a keepalived that reads its file again, would change it.
[[nodiscard]] bool is_difference(Presence presence);

struct ComparedReal {
    IpvsReal real; // of the kernel if it is there, else of the site
    std::optional<std::uint32_t> site_weight;
    Presence presence = Presence::as_site;
    bool is_there = true;   // in the kernel
    std::string director{}; // the director that it is, or empty
};

struct ComparedService {
    std::string name; // of the site's service; empty for one that the site lacks
    IpvsService service;
    std::vector<ComparedReal> reals{};
    Presence presence = Presence::as_site;

    /// Whether health checks have left it no server that takes connections, so that IPVS drops its packets.
    [[nodiscard]] bool is_down() const;
};

/// A service as if every health check of keepalived had passed.
[[nodiscard]] IpvsService as_if_checked(IpvsService now, KeepalivedService const& wanted);

/// In the order of the site, then what is extra. `kernel` is sorted by key. Under `ipvs keepalived` health checks own
/// weights and removals.
[[nodiscard]] std::vector<ComparedService> compare_services(Site const& site, Plan const& plan,
                                                            std::vector<IpvsService> const& kernel);

} // namespace lbc
