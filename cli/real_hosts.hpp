// Which machines of a site's real servers a command speaks of.
#pragma once

#include "backends/realserver/realserver.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// Whether a kind of output is for machines of real servers, and not for directors.
[[nodiscard]] bool is_for_real_servers(std::string_view kind);

/// The named ones of a site's hosts by `dr` or `tun`, or, without names, all. The error lists the names that there are.
[[nodiscard]] std::expected<std::vector<RealServerHost>, std::string>
choose_real_hosts(Site const& site, std::vector<std::string> const& names);

/// The one machine of an output for one: what is named is one machine, whatever number of names it has.
[[nodiscard]] std::expected<RealServerHost, std::string>
one_machine(std::vector<RealServerHost> const& hosts, std::vector<std::string> const& names, std::string_view kind);

} // namespace lbc
