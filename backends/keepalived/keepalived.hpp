// A site as keepalived 2.2.7 and later takes it (keepalived.conf(5)): VRRP instances and the sync daemon's role, and
// where the site says `ipvs keepalived`, the virtual services by their marks with every health check.
#pragma once

#include "compiler/plan.hpp"

#include <span>
#include <string>
#include <string_view>

namespace lbc {

/// The configuration of one director, or of several in one file: what is not the same on all then stands behind `@ID`,
/// where ID is a director's `config_id`.
[[nodiscard]] std::string keepalived_text(Site const& site, std::span<Plan const> plans);

/// What keepalived calls the host of a director: the first label of its host name, which is keepalived's own default;
/// its name where two directors share that label.
[[nodiscard]] std::string config_id(Site const& site, DirectorId director);

/// Whether a director has anything for keepalived to do.
[[nodiscard]] bool needs_keepalived(Site const& site, DirectorId director);

/// Whether a text is one that `keepalived_text` made for one director.
[[nodiscard]] bool is_keepalived_text(std::string_view text);

} // namespace lbc
