// What `lbc explain` says about messages on single values. Part of the registry in `diagnostic_registry.cpp`, which
// alone includes it; entries stand in the order of `DiagId`.
#pragma once

#include "grammar/diagnostic.hpp"

#include <array>

namespace lbc::explain {

inline constexpr std::array value_messages{
    DiagInfo{DiagId::unknown_value, "unknown-value", Severity::error,
             R"md(The word is none of those that the statement knows: a protocol (`tcp`, `udp`, `sctp`, `any`), a
forwarding method (`dr`, `nat`, `tun`), a kind of check, a guard mode. The message lists them, or
names the nearest. Schedulers are not checked that strictly, see `unknown-scheduler`.)md"},
    DiagInfo{DiagId::bad_number, "bad-number", Severity::error,
             R"md(A number is decimal, or hexadecimal behind `0x`. It has no sign where none makes sense, no fraction
and no separators.

```lb
mark 3
mark 0x1f
```)md"},
    DiagInfo{DiagId::number_range, "number-range", Severity::error,
             R"md(The number does not fit its field; the message names the range. The ranges are those of the kernel
and of keepalived: a mark is 1 to 0xffffffff (0 is a packet without a mark, and IPVS takes it for
none), a weight 0 to 2147483647, a router id 1 to 255, a sync id 0 to 255. A number that were cut to
fit would mean something else on the wire.)md"},
    DiagInfo{DiagId::port_range, "port-range", Severity::error,
             R"md(A port is 1 to 65535. To balance every port of a protocol write `any` in place of a number.

```lb
port tcp 0        # wrong
port tcp any      # every TCP port
port any          # every packet to the VIP, of whatever protocol
```)md"},
    DiagInfo{DiagId::reversed_range, "reversed-range", Severity::error,
             R"md(The range ends before it begins. The lower end stands first.

```lb
port tcp 8099-8000    # wrong
port tcp 8000-8099    # right
```)md"},
    DiagInfo{DiagId::bad_address, "bad-address", Severity::error,
             R"md(The text is no IP address. IPv4 is four decimal numbers of 0 to 255 without leading zeros (some
programs read `010` as eight); IPv6 is any form of RFC 4291, without a zone. With a port, an IPv6
address stands in brackets. Host names are not looked up: the answer could differ from one run to
the next, and between directors.

```lb
real 192.168.0.1:80
real [2001:db8::1]:80
```)md"},
    DiagInfo{DiagId::host_bits, "host-bits", Severity::error,
             R"md(The prefix has bits set behind its length. The kernel would clear them silently, and the rule would
stand for a whole network. A service's `vip` is one address: leave the length out, which belongs into
a `vrrp` alone. The network is every one of its addresses, and is seldom what was meant.

```lb
vip 10.0.0.5/24            # wrong
vip 10.0.0.5               # one address
vip 10.0.0.0/24 network    # the 256 addresses of the whole network
```)md"},
    DiagInfo{DiagId::bad_mac, "bad-mac", Severity::error,
             R"md(A MAC is six pairs of hexadecimal digits with `:` or `-` between them, and the address of one
network card: the zero address, broadcast and multicast are never the source of a packet, so a rule
that tests for one protects from nothing. `ip link` shows the MAC of each interface behind
`link/ether`.

```lb
mac 08:00:27:9e:ef:a0
```)md"},
    DiagInfo{DiagId::bad_time, "bad-time", Severity::error,
             R"md(A time is a whole number with `ms`, `s`, `m` or `h`; a bare number is seconds. Where the program
behind the field counts in whole seconds, fractions of a second are refused.

```lb
check tcp { every 5s; timeout 250ms }
persistent 10m
```)md"},
    DiagInfo{DiagId::bad_interface, "bad-interface", Severity::error,
             R"md(An interface name has 1 to 15 bytes, without `/` and white space: that is what the kernel takes. A
`+` at the end stands for every name that begins so, as in iptables; it can stand nowhere else.

```lb
interface eth0, bond+
```)md"},
    DiagInfo{DiagId::bad_string, "bad-string", Severity::error,
             R"md(The string cannot stand where it goes: it is empty where something must be, holds a character that
the place cannot carry, such as a line break in a command, or is longer than 512 bytes. Programs that
read what lbc writes have lines of a fixed size, and take what is behind it for a line of its own. A
command that is longer belongs into a script.)md"},
    DiagInfo{DiagId::vip_not_unicast, "vip-not-unicast", Severity::error,
             R"md(A VIP is the address of one host, for clients to connect to. Multicast, broadcast, loopback and
unspecified addresses are not: IPVS handles only packets that the kernel delivers to this host
alone, so a service there would never see one. Behind `real` such an address could reach no server.)md"},
};

} // namespace lbc::explain
