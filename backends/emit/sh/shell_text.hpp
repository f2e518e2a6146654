// The part of the emitted script that is the same for every site. Its text stands in the `*.sh` files of this folder,
// in the order begin, marks of one tool, services. It uses what the part before it defines:
//
//     director_of KIND VALUE   sets `director` if VALUE is the name, host or mac of one
//     wanted KIND              prints what $director must have; KIND is services, and ipv4 and ipv6 for iptables, or
//                              sets and rules for nft; no director: nothing
//     sync_daemon COMMAND...   runs COMMAND with the parameters of the site's sync daemons
//     sync_is LINE             whether a line of `ipvsadm -Ln --daemon` has them
//     directors, first_mark, last_mark, own_marks, ipvs (lbc, keepalived), sysctls (PATH=VALUE …), sync (yes, no)
//
// Each tool's part defines name_programs (sets the names of the programs), plan_marks (reads everything, and refuses
// what cannot be done), load_marks (does it) and show_marks (prints what is there).
#pragma once

#include <string_view>

namespace lbc {

extern std::string_view const sh_begin;
extern std::string_view const sh_marks_iptables;
extern std::string_view const sh_marks_nft;
extern std::string_view const sh_services;

} // namespace lbc
