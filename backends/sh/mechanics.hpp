// The part of the emitted script that is the same for every site. It uses what the part before it defines:
//
//     director_of KIND VALUE   sets `director` where VALUE is the name, host or mac of one
//     wanted KIND              prints what $director is to have; KIND is ipv4, ipv6 or services; no director: nothing
//     sync_daemon COMMAND...   runs COMMAND with the parameters of the site's sync daemons
//     sync_is LINE             whether a line of `ipvsadm -Ln --daemon` has them
//     directors, first_mark, last_mark, own_marks, ipvs (lbc, keepalived), sysctls (PATH=VALUE …), sync (yes, no)
#pragma once

#include <string_view>

namespace lbc {

[[nodiscard]] std::string_view sh_mechanics();

} // namespace lbc
