#!/bin/sh
# The load balancing of an LVS site, for each of its directors. Made by lbc from the site file: change that instead.
#
#     sh rules.sh [apply|show|remove] [DIRECTOR]
#
# apply (the default) brings this machine to what stands below for its director; again, it changes nothing more.
# show prints what is there: rules with counters, virtual services with connections. remove takes all of it off.
# DIRECTOR may be left out where a director has this machine's host name, or a MAC of it.
#
# Only the chains LBC and LBC-* of the mangle tables, the jumps into them, the sets LBC-4-* and LBC-6-*, and the virtual
# services with the site's marks are touched. Everything is read, and both rule sets are tried, before the first change.
# Then: virtual services and real servers are added and edited, each mangle table changes in one transaction, IPv4
# first, and at last the virtual services and real servers that the site no longer has are removed.
#
# Environment: IPTABLES, IP6TABLES, IPSET and IPVSADM name the programs (iptables, ip6tables, ipset, ipvsadm), of
# iptables-legacy or iptables-nft, with PROGRAM-restore beside them. LBC_ONLY=marks or LBC_ONLY=ipvs does that part
# alone.
#
# Exit status: 0 done; 1 a step failed, the steps before it stay done, and another run finishes the work; 2 wrong usage,
# or no director fits; 3 something is missing or not permitted, and nothing was changed.
set -eu

# Virtual services with these marks are the site's, on whichever director.
first_mark=256 last_mark=511 own_marks='328 401'
ipvs=lbc
sysctls=''
sync=no # both sync daemons
directors='lb1 lb2 lb3'

# director_of name|host|mac VALUE: sets director where VALUE is one's.
director_of() {
    case $1/$2 in
    'name/lb1' | 'host/lb1' | 'mac/52:54:00:40:00:11') director='lb1' ;;
    'name/lb2' | 'host/lb2' | 'mac/52:54:00:40:00:12') director='lb2' ;;
    'name/lb3' | 'host/lb3' | 'mac/52:54:00:40:00:13' | 'mac/52:54:00:40:01:13') director='lb3' ;;
    esac
}

# wanted ipv4|ipv6|services: what $director is to have, as rules and as ipvsadm takes it.
wanted() {
    case $director/$1 in

# ==== lb1 ====

    'lb1/ipv4') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 52:54:00:40:00:12 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:00:13 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:01:13 -g LBC-PEER
# web
-A LBC -d 192.168.40.100/32 -i eth0 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x191/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.168.40.100/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0x1ff -g LBC-GUARD

# web
-A LBC-PEER -d 192.168.40.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1ff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'lb1/services') cat <<'END' ;;
# web
-A -f 401 -s wrr -p 600
-a -f 401 -r 192.168.40.11:0 -g -w 1
-a -f 401 -r 192.168.40.12:0 -g -w 1
-a -f 401 -r 192.168.40.13:0 -g -w 1
-a -f 401 -r 192.168.40.21:0 -g -w 4
-a -f 401 -r 192.168.40.22:0 -g -w 4
-a -f 401 -r 192.168.40.23:0 -g -w 4
-a -f 401 -r 192.168.40.24:0 -g -w 4
-a -f 401 -r 192.168.40.25:0 -g -w 4
END

# ==== lb2 ====

    'lb2/ipv4') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 52:54:00:40:00:11 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:00:13 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:01:13 -g LBC-PEER
# web
-A LBC -d 192.168.40.100/32 -i eth0 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x191/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.168.40.100/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0x1ff -g LBC-GUARD

# web
-A LBC-PEER -d 192.168.40.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1ff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'lb2/services') cat <<'END' ;;
# web
-A -f 401 -s wrr -p 600
-a -f 401 -r 192.168.40.11:0 -g -w 1
-a -f 401 -r 192.168.40.12:0 -g -w 1
-a -f 401 -r 192.168.40.13:0 -g -w 1
-a -f 401 -r 192.168.40.21:0 -g -w 4
-a -f 401 -r 192.168.40.22:0 -g -w 4
-a -f 401 -r 192.168.40.23:0 -g -w 4
-a -f 401 -r 192.168.40.24:0 -g -w 4
-a -f 401 -r 192.168.40.25:0 -g -w 4
END

# ==== lb3 ====

    'lb3/ipv4') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 52:54:00:40:00:11 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:00:12 -g LBC-PEER
# web
-A LBC -d 192.168.40.100/32 -i bond0 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x191/0xffffffff
# reports
-A LBC -d 192.168.40.101/32 -i bond0 -p tcp -m tcp --dport 8000:8099 -j MARK --set-xmark 0x148/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.168.40.100/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.168.40.101/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0x1ff -g LBC-GUARD

# web
-A LBC-PEER -d 192.168.40.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1ff/0xffffffff
# reports
-A LBC-PEER -d 192.168.40.101/32 -p tcp -m tcp --dport 8000:8099 -j MARK --set-xmark 0x1ff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'lb3/services') cat <<'END' ;;
# web
-A -f 401 -s wrr -p 600
-a -f 401 -r 192.168.40.11:0 -g -w 1
-a -f 401 -r 192.168.40.12:0 -g -w 1
-a -f 401 -r 192.168.40.13:0 -g -w 1
-a -f 401 -r 192.168.40.21:0 -g -w 4
-a -f 401 -r 192.168.40.22:0 -g -w 4
-a -f 401 -r 192.168.40.23:0 -g -w 4
-a -f 401 -r 192.168.40.24:0 -g -w 4
-a -f 401 -r 192.168.40.25:0 -g -w 4
# reports
-A -f 328 -s wrr
-a -f 328 -r 192.168.40.11:0 -g -w 1
-a -f 328 -r 192.168.40.12:0 -g -w 1
-a -f 328 -r 192.168.40.13:0 -g -w 1
-a -f 328 -r 192.168.40.21:0 -g -w 4
-a -f 328 -r 192.168.40.22:0 -g -w 4
-a -f 328 -r 192.168.40.23:0 -g -w 4
-a -f 328 -r 192.168.40.24:0 -g -w 4
-a -f 328 -r 192.168.40.25:0 -g -w 4
END
    esac
}

#### backends/emit/sh/begin.sh


#### backends/emit/sh/marks_iptables.sh

#### backends/emit/sh/services.sh
