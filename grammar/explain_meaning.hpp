// What `lbc explain` says about errors in what a site means. Part of the registry in `diagnostic_registry.cpp`, which
// alone includes it; entries stand in the order of `DiagId`.
#pragma once

#include "grammar/diagnostic.hpp"

#include <array>

namespace lbc::explain {

inline constexpr std::array meaning_messages{
    DiagInfo{DiagId::duplicate_vip, "duplicate-vip", Severity::error,
             R"md(Two services claim the same packets on a director: the same VIP, protocol, port and interface. A
packet has one mark, so one of the services would never see its clients, and which one would depend
on the order of rules. The note shows the other claim. Give one of them another port, VIP or
`interface`, or keep them on different directors with `on`. Prefixes and port ranges that overlap in
part are a conflict too.

```lb
service web   { vip 192.0.2.10; port tcp 80;      real 10.0.0.1 }
service admin { vip 192.0.2.10; port tcp 80-8080; real 10.0.0.2 }    # wrong: 80 is taken
```)md"},
    DiagInfo{DiagId::duplicate_mark, "duplicate-mark", Severity::error,
             R"md(Two services have the same mark on one director. IPVS knows a firewall-mark service by its mark
alone, so both services' packets would go to one pool of real servers. Give each its own mark, or
leave `mark` out and let lbc choose. If the two are meant to be one, with common persistence, write
one service with both ports.

```lb
service web { vip 192.0.2.10; port tcp 80, 443; mark 3; persistent; real 10.0.0.1 }
```)md"},
    DiagInfo{DiagId::duplicate_mac, "duplicate-mac", Severity::error,
             R"md(Two directors list the same MAC, mostly by copy and paste. Each director leaves packets from its
peers' MACs unmarked, so a MAC that is its own and a peer's makes one of them refuse clients or
trust the wrong box. `ip link` on each director shows its own. A VRRP virtual MAC (00:00:5e:00:01:ID
or 00:00:5e:00:02:ID) moves between boxes and may be listed on several.)md"},
    DiagInfo{DiagId::duplicate_address, "duplicate-address", Severity::error,
             R"md(Two directors have the same own address. An address is one box's: `real NAME` and VRRP unicast would
reach whichever box answers first. A VIP, which moves between directors, is no director's own
address and does not stand in `address`.

```lb
director lb1 { address 192.168.23.11 }
director lb2 { address 192.168.23.11 }    # wrong: lb1's
```)md"},
    DiagInfo{DiagId::missing_mac, "missing-mac", Severity::error,
             R"md(Packets that this director forwards could not be told from those of clients. It balances a service,
or takes part in one as a real server by `dr` or `tun`, together with another director; each knows
what the other has balanced already only by the source MAC. Without one, the two hand the same
packet to each other until its TTL is used up. List every MAC that its packets can carry: the
network card, the members of a bond, a VRRP virtual MAC.

```lb
director lb2 {
    mac     08:00:27:46:c7:d4    # ip link show eth0
    address 192.168.23.12
}
```)md"},
    DiagInfo{DiagId::missing_address, "missing-address", Severity::error,
             R"md(A director is named where its address is needed, and it has none of that family: as a real server it
needs one of each family that the service balances, and for VRRP by `unicast` one of the family of
the instance. List its own addresses, not the VIPs.

```lb
director lb1 {
    mac     08:00:27:9e:ef:a0
    address 192.168.23.11, 2001:db8:23::11
}
```)md"},
    DiagInfo{DiagId::unicast_address, "unicast-address", Severity::error,
             R"md(VRRP by `unicast` goes from one director's address to another's, and it must be the one on the
instance's interface: what is sent from another is not heard there, and both directors become
master. A director with one address of the family uses that. Of several, lbc takes the one in the
network of a VIP of the instance, which its prefix length says. Where none is, or more than one,
`unicast` names it; it is one of those that the director lists as `address`.

```lb
director lb1 { mac 08:00:27:9e:ef:a0; address 198.51.100.2, 10.20.0.2 }
director lb2 { mac 08:00:27:46:c7:d4; address 198.51.100.3, 10.20.0.3 }
vrrp inside {
    vip       203.0.113.5/32
    interface bond0.200
    router-id 20
    priority  lb1 150, lb2 100
    unicast   lb1 10.20.0.2, lb2 10.20.0.3
}
```)md"},
    DiagInfo{DiagId::missing_mark, "missing-mark", Severity::error,
             R"md(A `mark` list names directors one by one, and does not fit the directors that balance the service:
one has no mark there, or one is named that `on` leaves out. On a director without a mark the
service would be silently absent. Complete the list, or give one mark for all; the same mark
everywhere is also what connection synchronisation needs.

```lb
mark lb1 0x3             # wrong with a director lb2
mark lb1 0x3, lb2 0x4    # right
mark 0x3                 # right, and simpler
```)md"},
    DiagInfo{DiagId::marks_full, "marks-full", Severity::error,
             R"md(There are more services without a `mark` than numbers left in the range of `marks`; the guard mark
comes from there too. Make the range wider. Services keep the marks they have as long as the lower
end stays.

```lb
marks 0x100-0x3fff
```)md"},
    DiagInfo{DiagId::no_real_server, "no-real-server", Severity::error,
             R"md(The service has a VIP of a family for which it has no real server, so IPVS would answer every such
client with an error. A real server belongs to the family of its address; only a tunnel can carry
one family inside the other. Add a real server of that family, or take the VIP out. A server that is
to get no traffic for a while stays in the file with `weight 0`.

```lb
vip  192.0.2.10, 2001:db8::10
real 10.0.0.1                    # wrong alone: nothing serves 2001:db8::10
real fd00::1
```)md"},
    DiagInfo{DiagId::real_is_vip, "real-is-vip", Severity::error,
             R"md(A real server's address is a VIP of the service. With `dr` and `tun` every real server has the VIP
on a local interface, so a packet sent there comes back to the director itself, or reaches whichever
box answers for the VIP. Give the server's own address.)md"},
    DiagInfo{DiagId::nat_to_director, "nat-to-director", Severity::error,
             R"md(`forward nat` leads to a director. Masquerading works only when the answers come back through the
director that rewrote the request; another director of the site answers the client straight, from
the wrong address, and the connection fails. Use `dr` or `tun` for directors; a single `real` may
have a method of its own.

```lb
forward nat
real lb2               # wrong
real lb2 forward dr    # right
```)md"},
    DiagInfo{DiagId::port_translation, "port-translation", Severity::error,
             R"md(A real server has another port than the service, and its forwarding method cannot change ports: `dr`
and `tun` deliver the packet as the client sent it, so the port would be ignored. Leave the port
out, let the daemon listen on the service's port, or use `forward nat`.

```lb
service web { vip 192.0.2.10; port tcp 80; forward dr;  real 10.0.0.1:8080 }    # wrong
service web { vip 192.0.2.10; port tcp 80; forward nat; real 10.0.0.1:8080 }    # right
```)md"},
    DiagInfo{DiagId::one_packet_not_udp, "one-packet-not-udp", Severity::error,
             R"md(`one-packet` schedules every packet anew and remembers no connection. The kernel does so for UDP
only: a TCP connection whose packets went to different servers would break at the second one. Put
the UDP ports into a service of their own.

```lb
service dns-udp { vip 192.0.2.53; port udp 53; one-packet; real 10.0.0.1 }
service dns-tcp { vip 192.0.2.53; port tcp 53; real 10.0.0.1 }
```)md"},
    DiagInfo{DiagId::flag_scheduler, "flag-scheduler", Severity::error,
             R"md(The flag belongs to another scheduler. `sh-fallback` and `sh-port` are flags of `sh`, `mh-fallback`
and `mh-port` of `mh`. In the kernel they share their bits with `flag-1` and `flag-2`, so a wrong
one would not be refused there: it would do nothing, or something else.

```lb
scheduler mh mh-port, mh-fallback
```)md"},
    DiagInfo{DiagId::connection_limits, "connection-limits", Severity::error,
             R"md(The lower connection limit is above the upper one. A real server that reached MAX connections takes
new ones again when it has fewer than MIN; with MIN above MAX the state of the server would have no
meaning.

```lb
real 10.0.0.1 connections 1000-800    # wrong
real 10.0.0.1 connections 800-1000    # right
real 10.0.0.1 connections 1000        # no lower limit
```)md"},
    DiagInfo{DiagId::duplicate_real, "duplicate-real", Severity::error,
             R"md(A service has the same real server twice: the same address and port. IPVS holds each real server of
a virtual service once, so the second could only overwrite the first, its weight and limits with it.
Often an address is in a range and stands alone too, a director is given by name and by address, or
two pools share a server. Leave one out; to send a server more, give it a weight.

```lb
real 10.0.0.1-10.0.0.4
real 10.0.0.3 weight 2    # wrong: it is in the range
```)md"},
    DiagInfo{DiagId::check_option, "check-option", Severity::error,
             R"md(This kind of check does not have the option, or lacks one that it needs: `script` needs `command`,
`bfd` needs `instance`, `file` needs `track`. The language reference has the table of kinds and
options. A check that silently ran otherwise than written could take a healthy server out, or leave
a dead one in.

```lb
check tcp  { path "/health" }                # wrong: tcp only connects
check http { path "/health" status 200 }     # right
```)md"},
    DiagInfo{DiagId::check_port, "check-port", Severity::error,
             R"md(A check connects to a port, and which one cannot be told. It is the check's own `port`, else the real
server's, else what is usual for the kind where the service has that port (80 for `http`, 443 for `https`, 25 for
`smtp`, 53 for `dns`), else the service's only port of the check's protocol. The real servers of a firewall mark have
no port of their own, since the mark may stand for many; keepalived would connect to port 0.

```lb
service web {
    vip   192.0.2.10
    port  tcp 80, 8080
    check tcp              # wrong: 80 or 8080?
    check tcp { port 80 }  # right
    check http { path "/health" }  # right: 80 is usual
    real  10.0.0.1
}
```)md"},
    DiagInfo{DiagId::guard_requires, "guard-requires", Severity::error,
             R"md(`guard backup-only` rests on `net.ipv4.vs.backup_only`, which switches IPVS off on a box while its
sync daemon is in backup state. That needs a `sync` with an `instance`, so that the state follows
the role, and exactly one `vrrp`: with two active directors one of them would stop to balance its
own VIP, and a daemon without an instance runs both roles, which switches IPVS off everywhere.
Otherwise use `guard local`, which needs neither.

```lb
guard backup-only
vrrp front { vip 192.0.2.10/24; interface eth0; router-id 51; priority lb1 150, lb2 100 }
sync { interface eth1; instance front }
```)md"},
    DiagInfo{DiagId::packet_loop, "packet-loop", Severity::error,
             R"md(A packet that one director has balanced and sent to another is balanced there once more, and may go
round until its TTL is gone. lbc follows every packet of the site from director to director, and
shows the way of one. What a tunnel delivers has no source MAC: a service that comes to a director
through a tunnel must not meet another service of the same VIP, protocol and port there.

```lb
service a { vip 192.0.2.10; port tcp 80; on lb1; forward tun; real lb2 }
service b { vip 192.0.2.10; port tcp 80; on lb2; real lb1 }  # balances what a has sent
```)md"},
    DiagInfo{DiagId::duplicate_router_id, "duplicate-router-id", Severity::error,
             R"md(Two `vrrp` instances have one router id on one interface. The id is how the instances of the two
boxes find each other (RFC 5798): with the same id both take part in one election, and the VIPs of
one of them disappear. Ids must differ within a network segment, also from those of routers that are
not in the file.)md"},
    DiagInfo{DiagId::keepalived_limit, "keepalived-limit", Severity::error,
             R"md(keepalived would not take this as it stands: it would leave it out, or put another value in its place,
and say so in its log alone. What it refuses, as keepalived.conf(5) has it and `keepalived -t` shows:

- VRRP version 3, which IPv6 and intervals below a second need, has no `auth`, and no interval above 40.95s;
- `nopreempt` has nothing to delay with `preempt-delay`;
- a `quorum` above the weights of all real servers;
- a port of a real server that differs from the packet's own, since the real servers of a mark have no port;
- a scheduler that it does not know;
- real servers that all weigh 0: it takes a quorum of 0 then, which is always reached;
- a quote, what begins one of its parameters, or a `\` at the end, in a text that is no command;
- a word that is a brace alone, a command of blanks or with an open quote, an interface with a `!` or a `#`;
- a command, a regular expression or a list of statuses that, with its escapes, has more than 900 bytes: what has no
  room on keepalived's line is a statement of its own to it;
- a name of a BFD session that is longer than 31 bytes;
- a `payload` or `reply` that ends with the byte ff;
- two files under one `track` name.)md"},
    DiagInfo{
        DiagId::check_through_vip, "check-through-vip", Severity::error,
        R"md(A check with `through-vip` goes to the VIP and is forwarded as a client's packet is, to one real server.
So it needs a VIP that is one address and an `address` of each director to come from; it does not go
with `connect`, which names another place, with `forward nat`, where the real server does not have the
VIP, with `local`, which would have the check itself balanced, nor with `guard backup-only`, under which
a backup forwards nothing.

```lb
check tcp { through-vip }
```)md"},
    DiagInfo{DiagId::nft_interface, "nft-interface", Severity::error,
             R"md(In nft(8) a `*` at the end of an interface's name stands for every end, and a `\` before it makes it a
plain character. So it has no way to write what lbc calls `NAME\+`, every name that begins with `NAME\`.
Rename the interfaces, or load the marks by iptables, which has words for them.)md"},
    DiagInfo{DiagId::command_not_allowed, "command-not-allowed", Severity::error,
             R"md(The site has a command that keepalived runs on a director, by default as root, and
`check --no-commands` was asked for. Use that option for a site from somebody who may change services but may
not run programs on the directors. Commands are the values of `check script`'s `command`, of `track script`, and
of `notify`, `notify-up`, `notify-down`, `quorum-up` and `quorum-down`. So is the path of a `check file`, which
keepalived opens as root; without `file` it is one below `/run`, and is allowed.)md"},
};

} // namespace lbc::explain
