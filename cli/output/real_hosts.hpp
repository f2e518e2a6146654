// Chooses the machines of a site's real servers that a command is for.
#pragma once

#include "backends/emit/realserver/realserver.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// Whether a kind of output is for machines of real servers, and not for directors.
[[nodiscard]] bool is_for_real_servers(std::string_view kind);

/// The named hosts of a site with `dr` or `tun`, or all without names. The error lists the known names.
[[nodiscard]] std::expected<std::vector<RealServerHost>, std::string>
choose_real_hosts(Site const& site, std::vector<std::string> const& names);

/// The machine for an output that is for a single one. All named hosts count as names of one machine and are merged.
[[nodiscard]] std::expected<RealServerHost, std::string>
one_machine(std::vector<RealServerHost> const& hosts, std::vector<std::string> const& names, std::string_view kind);

} // namespace lbc
