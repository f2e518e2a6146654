#!/bin/sh
# The real servers' side of an LVS site. Made by lbc from the site file: change that instead.
#
#     sh realserver.sh [[apply|show] [NAME...] | remove]
#
# apply (the default) gives this machine what stands below for it, and takes away what an earlier apply gave it and the
# site no longer has; again, it changes nothing. show prints what is there. remove takes all of it off.
# NAME is a real server's address, or the director's name where the real server is a director. Without NAME it is every
# entry that has an address of this machine.
#
# apply sets the sysctls first, since a VIP on lo would be announced without them; then come tunnels, then the VIPs on
# lo. remove goes the other way. What apply has added is written down before, in /run/lbc/realserver-N; that alone is
# taken away again. An address that is on lo already stays as it is, and so does one of the same VIP on another
# interface, such as VRRP's.
#
# Environment: IP names the program ip, which must be iproute2's; LBC_STATE another file than that.
#
# Exit status: 0 done; 1 a step failed, the steps before it stay done, and another run goes on from there; for show:
# something is missing; 2 wrong usage, or no entry fits; 3 something is missing or not permitted, and nothing was
# changed.
set -euf

names='edge1 edge2 192.0.2.21 2001:db8:1::21 192.0.2.31 192.0.2.32 203.0.113.5 203.0.113.6 2001:db8:2::5 2001:db8:2::6'

# addresses: those by which a machine is an entry.
addresses() {
    cat <<'END'
edge1 192.0.2.11
edge1 2001:db8:1::11
edge2 192.0.2.12
edge2 2001:db8:1::12
192.0.2.21 192.0.2.21
2001:db8:1::21 2001:db8:1::21
192.0.2.31 192.0.2.31
192.0.2.32 192.0.2.32
203.0.113.5 203.0.113.5
203.0.113.6 203.0.113.6
2001:db8:2::5 2001:db8:2::5
2001:db8:2::6 2001:db8:2::6
END
}

# entry NAME: what it is to have.
entry() {
    case $1 in
    'edge1') cat <<'END' ;;
arp
address 192.0.2.100/32
address 2001:db8:1::100/128
address 192.0.2.53/32
address 2001:db8:1::53/128
END
    'edge2') cat <<'END' ;;
arp
address 192.0.2.100/32
address 2001:db8:1::100/128
address 192.0.2.53/32
address 2001:db8:1::53/128
END
    '192.0.2.21') cat <<'END' ;;
arp
address 192.0.2.100/32
END
    '2001:db8:1::21') cat <<'END' ;;
address 2001:db8:1::100/128
END
    '192.0.2.31') cat <<'END' ;;
arp
address 192.0.2.101/32
END
    '192.0.2.32') cat <<'END' ;;
arp
address 192.0.2.101/32
END
    '203.0.113.5') cat <<'END' ;;
arp
gue ipv4 6080
tunnel ipip 203.0.113.5 198.51.100.0
route 198.51.100.0/28
END
    '203.0.113.6') cat <<'END' ;;
arp
gue ipv4 6080
tunnel ipip 203.0.113.6 198.51.100.0
route 198.51.100.0/28
END
    '2001:db8:2::5') cat <<'END' ;;
gue ipv6 6080
tunnel ip6tnl 2001:db8:2::5 -
route 2001:db8:cafe::/64
END
    '2001:db8:2::6') cat <<'END' ;;
gue ipv6 6080
tunnel ip6tnl 2001:db8:2::6 -
route 2001:db8:cafe::/64
END
    *) return 1 ;;
    esac
}

#### backends/emit/realserver/change.sh

#### backends/emit/realserver/show.sh
