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
first_mark=256 last_mark=4095 own_marks='3 4'
ipvs=lbc
sysctls=''
sync=no # both sync daemons
directors='lb1 lb2'

# director_of name|host|mac VALUE: sets director where VALUE is one's.
director_of() {
    case $1/$2 in
    'name/lb1' | 'host/lb1' | 'mac/08:00:27:9e:ef:a0') director='lb1' ;;
    'name/lb2' | 'host/lb2' | 'mac/08:00:27:46:c7:d4') director='lb2' ;;
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
-A LBC -m mac --mac-source 08:00:27:46:c7:d4 -g LBC-PEER
# web
-A LBC -d 192.168.23.253/32 -i eth0 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x3/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.168.23.253/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0xfff -g LBC-GUARD

# web
-A LBC-PEER -d 192.168.23.253/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0xfff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'lb1/services') cat <<'END' ;;
# web
-A -f 3 -s rr
-a -f 3 -r 192.168.23.11:0 -g -w 1
-a -f 3 -r 192.168.23.12:0 -g -w 1
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
-A LBC -m mac --mac-source 08:00:27:9e:ef:a0 -g LBC-PEER
# web
-A LBC -d 192.168.23.253/32 -i eth0 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x4/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.168.23.253/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0xfff -g LBC-GUARD

# web
-A LBC-PEER -d 192.168.23.253/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0xfff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'lb2/services') cat <<'END' ;;
# web
-A -f 4 -s rr
-a -f 4 -r 192.168.23.11:0 -g -w 1
-a -f 4 -r 192.168.23.12:0 -g -w 1
END
    esac
}

#### backends/emit/sh/begin.sh


#### backends/emit/sh/marks_iptables.sh

#### backends/emit/sh/services.sh
