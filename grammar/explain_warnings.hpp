// What `lbc explain` says about warnings. Part of the registry in `diagnostic_registry.cpp`, which alone includes it;
// entries stand in the order of `DiagId`.
#pragma once

#include "grammar/diagnostic.hpp"

#include <array>

namespace lbc::explain {

inline constexpr std::array warning_messages{
    DiagInfo{DiagId::unknown_scheduler, "unknown-scheduler", Severity::warning,
             R"md(lbc does not know the scheduler and passes the name on as it is. Kernels can have schedulers of
their own, as modules named `ip_vs_NAME`; if this kernel has none, it refuses the virtual service.
Known are rr, wrr, lc, wlc, fo, ovf, lblc, lblcr, dh, sh, mh, sed, nq and twos.)md"},
    DiagInfo{DiagId::vip_not_carried, "vip-not-carried", Severity::warning,
             R"md(The site has `vrrp` instances, and none of them carries this VIP. When the director that holds it
fails, nothing moves the address, so the service is down although other directors are ready for it.
Add it to an instance's `vip`, or ignore the message where another program or a router carries it.

```lb
vrrp front { vip 192.0.2.10/24, 192.0.2.11/24; interface eth0; router-id 51; priority lb1 150, lb2 100 }
```)md"},
    DiagInfo{DiagId::vip_network, "vip-network", Severity::warning,
             R"md(The VIP is a network of more than 16 addresses, and the service takes packets for each of them: for
every host that has one of them, too, if the directors are on its way. keepalived and `ip` write an
address with the length of its network; a service's `vip` is the address alone. Where a whole network
is routed to the directors, and all of it is to be balanced, say so with `network`.

```lb
vip 10.60.0.1                # one address
vip 10.60.0.0/24             # 256 addresses: warned of
vip 10.60.0.0/24 network     # 256 addresses, and they are meant
```)md"},
    DiagInfo{DiagId::check_not_run, "check-not-run", Severity::warning,
             R"md(The site says `ipvs lbc`, or says nothing about it: the virtual services are programmed once, and no
program watches the real servers. A server that dies goes on getting its share of clients. Checks
are run by keepalived.

```lb
ipvs keepalived
```)md"},
    DiagInfo{DiagId::all_drained, "all-drained", Severity::warning,
             R"md(Every real server of the service has weight 0. Connections that exist go on, and every new client is
refused. That is a way to close a service down; in any other case give one server a weight.)md"},
    DiagInfo{DiagId::virtual_mac_unlisted, "virtual-mac-unlisted", Severity::warning,
             R"md(A `vrrp` instance has `virtual-mac`, and no director lists its MAC, 00:00:5e:00:01:ID for IPv4 and
00:00:5e:00:02:ID for IPv6 with the router id as ID. If packets that a director forwards leave with
the virtual MAC, its peers take them for a client's and balance them again: a packet loop. List it
on every director of the instance; a virtual MAC may stand on several.

```lb
director lb1 {
    mac 08:00:27:9e:ef:a0, 00:00:5e:00:01:33    # router-id 51
}
```)md"},
    DiagInfo{DiagId::unused, "unused", Severity::warning,
             R"md(Nothing in the site uses the `pool`, the `let` or the director. Often a name was misspelt where it
was meant to be used. A director that balances nothing and is no real server still counts as a peer:
its packets are never marked.)md"},
    DiagInfo{DiagId::foreign_mark, "foreign-mark", Severity::warning,
             R"md(The mark is outside of `marks` and looks like one of kube-proxy's, which sets the bits 0x4000
(masquerade) and 0x8000 (drop) in marks of its own. On a box that runs it, packets of the service
would be dropped or rewritten, or packets of the cluster balanced. Take a mark without these bits,
or leave `mark` out.)md"},
    DiagInfo{DiagId::mark_collision, "mark-collision", Severity::warning,
             R"md(A service without `mark` gets one by a hash of its name, so that other services that come and go
leave it as it is. Two names met at one number here, and the later one in the file took the next
free number: its mark depends on the other service, and changes when that one is removed. A changed
mark makes a new virtual service in IPVS. Write the mark into the service to keep it, as
`lbc fmt -i --pin-marks` does with every mark of the site.

```lb
service shop { mark 0x4f1; vip 192.0.2.10; port tcp 80; real 10.0.0.1 }
```)md"},
    DiagInfo{DiagId::redundant_value, "redundant-value", Severity::warning,
             R"md(The same value stands twice in one statement, or a port is in two ranges of one list. It counts
once, so nothing breaks; but perhaps another value was meant.

```lb
port tcp 80, 443, 80         # 80 again
port tcp 8000-8099, 8080     # 8080 is in the range
```)md"},
    DiagInfo{DiagId::udp_failover, "udp-failover", Severity::warning,
             R"md(A UDP service is served by its own directors, without `one-packet`. IPVS remembers each client's
flow, and UDP has no end to forget it at. When the VIP moves, the director that held it goes on
sending remembered flows to other servers, the new holder among them; `guard local` delivers them on
that box instead, `guard drop` loses them as long as the client goes on, `guard off` can send them
round in a loop. With `one-packet` nothing is remembered, and with `scheduler sh` or `mh` and its
port flag a client stays at its server all the same.

```lb
service syslog { vip 192.0.2.14; port udp 514; one-packet; scheduler mh mh-port; real lb1; real lb2 }
```)md"},
    DiagInfo{DiagId::sync_marks_differ, "sync-marks-differ", Severity::warning,
             R"md(The site has a `sync` daemon, and a service whose mark differs between directors. The kernel finds
the real server of a synchronised connection by its mark (`ip_vs_sync.c`), so connections that come
from a director with another mark find none, and are not taken over. Use one mark everywhere.

```lb
mark lb1 0x3, lb2 0x4    # lost on failover
mark 0x3                 # kept
```)md"},
    DiagInfo{DiagId::tunnel_guard, "tunnel-guard", Severity::warning,
             R"md(A director is a real server through a tunnel. Packets that come out of a tunnel have no source MAC,
so this director cannot tell whether a peer has balanced them. lbc therefore marks no packet of such
a service that comes without a MAC; but a connection that IPVS still remembers from an earlier role
is forwarded again, and the guard, which knows peers by their MAC, does not see it. Use `dr` between
directors on one segment.

```lb
forward tun
real lb1 forward dr
real 10.9.0.7
```)md"},
    DiagInfo{DiagId::stale_loop, "stale-loop", Severity::warning,
             R"md(`guard off`, and a director is a real server of what another director balances too. IPVS looks up a
packet's connection before it looks at any mark: after a switch of roles, the director that was active
still sends what it remembers to another one, also back to the one that it came from, and
the packet goes round. The message shows the way of one packet.

```lb
guard local    # deliver it here
guard drop     # lose it
```)md"},
    DiagInfo{DiagId::not_in_output, "not-in-output", Severity::warning,
             R"md(This kind of output has no way to say what the statement says, so it is left out: a shell script
runs no health checks, `ipvsadm` knows no quorum, and rules know nothing of VRRP. The statement is
right, and other kinds of output carry it.)md"},
};

} // namespace lbc::explain
