// The part of the real servers' script that is the same for every site: `change.sh`, then `show.sh`, which also reads
// the arguments. It uses what the part before it defines:
//
//     names         the hosts, with spaces between them
//     addresses     prints a line `NAME ADDRESS` for each address of each host
//     entry NAME    prints what a host must have, a line for each:
//                       arp                              no answer to ARP for what is on lo
//                       gue ipv4|ipv6 PORT
//                       tunnel KIND LOCAL INNER|- [icsum]
//                       address ADDRESS/LENGTH           a VIP
//                       route PREFIX                     a VIP that is a prefix
#pragma once

#include <string_view>

namespace lbc {

extern std::string_view const realserver_change;
extern std::string_view const realserver_show;

} // namespace lbc
