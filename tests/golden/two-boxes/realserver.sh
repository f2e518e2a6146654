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

names='lb1 lb2'

# addresses: those by which a machine is an entry.
addresses() {
    cat <<'END'
lb1 192.168.23.11
lb2 192.168.23.12
END
}

# entry NAME: what it is to have.
entry() {
    case $1 in
    'lb1') cat <<'END' ;;
arp
address 192.168.23.253/32
END
    'lb2') cat <<'END' ;;
arp
address 192.168.23.253/32
END
    *) return 1 ;;
    esac
}

#### backends/emit/realserver/change.sh

#### backends/emit/realserver/show.sh
