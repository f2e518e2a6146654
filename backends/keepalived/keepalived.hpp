// Generates the configuration of keepalived 2.2.7 and later (keepalived.conf(5)) for a site: VRRP instances and the
// sync daemon's role. Under `ipvs keepalived`, it adds the virtual services by mark, with every health check.
#pragma once

#include "compiler/plan/plan.hpp"

#include <span>
#include <string>
#include <string_view>

namespace lbc {

/// The configuration of one director, or of several in one file. A line that not all of several have stands behind
/// `@ID`; ID is a director's `config_id`.
[[nodiscard]] std::string keepalived_text(Site const& site, std::span<Plan const> plans);

/// keepalived's config-id of a director: the first label of its host name, which is keepalived's own default; the
/// director's name if two directors share that label.
[[nodiscard]] std::string config_id(Site const& site, DirectorId director);

/// Whether keepalived has anything to do on a director.
[[nodiscard]] bool needs_keepalived(Site const& site, DirectorId director);

/// Whether `keepalived_text` made a text for one director.
[[nodiscard]] bool is_keepalived_text(std::string_view text);

} // namespace lbc
