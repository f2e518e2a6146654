// The part of the emitted script that is the same for every site. It uses what the part before it defines:
//
//     director_of KIND VALUE   sets `director` where VALUE is the name, host or mac of one
//     wanted KIND              prints what $director is to have; KIND is services, and ipv4 and ipv6 for iptables, or
//                              sets and rules for nft; no director: nothing
//     sync_daemon COMMAND...   runs COMMAND with the parameters of the site's sync daemons
//     sync_is LINE             whether a line of `ipvsadm -Ln --daemon` has them
//     directors, first_mark, last_mark, own_marks, ipvs (lbc, keepalived), sysctls (PATH=VALUE …), sync (yes, no)
#pragma once

#include "backends/sh/sh.hpp"

#include <string>
#include <string_view>

namespace lbc {

[[nodiscard]] std::string sh_mechanics(MarkTool tool);

/// The parts that one tool has:
///
///     name_programs    sets the names of the programs
///     plan_marks       reads everything, and refuses what cannot be done
///     load_marks       does it
///     show_marks       prints what is there
extern std::string_view const how_by_iptables;
extern std::string_view const how_by_nft;

} // namespace lbc
