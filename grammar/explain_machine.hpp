// What `lbc explain` says about a file that does not fit the machine it is used on. Part of the registry in
// `diagnostic_registry.cpp`, which alone includes it; entries stand in the order of `DiagId`.
#pragma once

#include "grammar/diagnostic.hpp"

#include <array>

namespace lbc::explain {

inline constexpr std::array machine_messages{
    DiagInfo{
        DiagId::machine_peer_mac, "machine-peer-mac", Severity::error,
        R"md(An interface of this machine has a MAC that the file lists for another director. Either `-d` or the host
name picked the wrong director, or this machine is a copy of the other one, as a cloned virtual machine
is. With another director's rules it would balance what its peers forward to it, and the packets would
loop; `lbc apply` changes nothing.

- If this machine is the other director, leave `-d` out, or mend `hostname`.
- If the network card has moved here, list its MAC for this director and no longer for the other one.
- If the machine was cloned, give the interface a MAC of its own.)md"},
    DiagInfo{DiagId::machine_mac, "machine-mac", Severity::warning,
             R"md(An interface by which this director forwards packets to the others has a MAC that its `mac` does not
list, as after a network card was replaced. The other directors know this one's packets by their
source MAC. They take packets from this one for a client's, and balance them again: a packet loop.
Add the MAC on every director first; take the old one out of the file later.

The MAC counts on the interfaces that the file names for this director, as `interface` or in a `vrrp`. Where
another director takes clients' packets from any interface, it also counts on each interface that is up
and whose network holds another director or a real server by `dr`. Members of a bond count with it.

```lb
director lb1 {
    mac 08:00:27:9e:ef:a0, 08:00:27:9e:ef:77    # the old card's, the new card's
}
```)md"},
    DiagInfo{
        DiagId::machine_director, "machine-director", Severity::warning,
        R"md(The director that `-d` names is not this machine: its `hostname` is not this machine's host name, and no
interface has one of its MACs, but another director's fits. Rules of another director treat that
director's peers as peers and its own packets as a client's. Leave `-d` out, or mend `hostname` and `mac`.)md"},
    DiagInfo{
        DiagId::machine_interface, "machine-interface", Severity::warning,
        R"md(The director, or one of its services, takes packets of clients from an interface that this machine does not
have. Packets that enter elsewhere get no mark, so nothing is balanced. Mend the name, or bring the
interface up. Rules match an interface by its name in `ip link`, never by an alternative name.)md"},
    DiagInfo{
        DiagId::machine_vrrp_interface, "machine-vrrp-interface", Severity::warning,
        R"md(A `vrrp` instance of this director names an interface that this machine does not have: its own, a VIP's
`dev` or one that it tracks. keepalived does not start the instance, or takes the interface for one that
is down, and this director never gets the VIP.)md"},
    DiagInfo{DiagId::machine_address, "machine-address", Severity::warning,
             R"md(No interface of this machine has an `address` of the director. Other directors forward packets to that
address where this director is a real server, and VRRP unicast sends from it. Mend the file, or add the
address. What others send to it is lost, or goes to another machine.)md"},
};

} // namespace lbc::explain
