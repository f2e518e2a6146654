// Builds the parts of a configuration as statements. Private to the back end.
#pragma once

#include "backends/keepalived/statement.hpp"
#include "compiler/plan/plan.hpp"

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lbc::keepalived {

/// Seconds, with a fraction if needed: "3", "0.25".
[[nodiscard]] std::string seconds(Milliseconds time);

/// The BFD sessions of a director's checks: name and neighbour. A name with several neighbours means a session with
/// each.
using BfdSessions = std::set<std::pair<std::string, IpAddress>>;

[[nodiscard]] BfdSessions bfd_sessions(Site const& site, Plan const& plan);

/// "core", or "core-10.0.0.7" if the name has several neighbours.
[[nodiscard]] std::string session_name(BfdSessions const& sessions, std::string const& name, IpAddress neighbour);

/// The data from which the checks of one real server in a director's virtual service are made.
struct Checked {
    Site const& site;
    DirectorId director;
    Service const& service;
    Family family; // of the VIP
    RealServer const& real;
    BfdSessions const& sessions;
};

/// One health check of a real server.
[[nodiscard]] Statement checker(Checked const& checked, Check const& check);

/// `virtual_server fwmark N { … }` blocks, and the blocks that their checks refer to: `bfd_instance`, `track_file`.
[[nodiscard]] std::vector<Statement> virtual_servers(Site const& site, Plan const& plan);

/// `vrrp_script`, `vrrp_sync_group` and `vrrp_instance` blocks of a director.
[[nodiscard]] std::vector<Statement> vrrp(Site const& site, DirectorId director);

} // namespace lbc::keepalived
