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

# The virtual services of this site are keepalived's: this script sets the marks.
first_mark=256 last_mark=4095 own_marks='16 17 32 48 49 50'
ipvs=keepalived
sysctls='/proc/sys/net/ipv4/conf/all/accept_local=1 /proc/sys/net/ipv4/vs/conn_reuse_mode=3'
sync=no # both sync daemons
directors='lb1 lb2'

# director_of name|host|mac VALUE: sets director where VALUE is one's.
director_of() {
    case $1/$2 in
    'name/lb1' | 'host/lb1.shop.example' | 'mac/52:54:00:14:00:01') director='lb1' ;;
    'name/lb2' | 'host/lb2.shop.example' | 'mac/52:54:00:14:00:02') director='lb2' ;;
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
-A LBC -m mac --mac-source 52:54:00:14:00:02 -g LBC-PEER
# activemq
-A LBC -d 10.14.0.200/32 -i eth0 -p tcp -m tcp --dport 61616 -j MARK --set-xmark 0x20/0xffffffff
# redis
-A LBC -d 10.14.0.200/32 -i eth0 -p tcp -m tcp --dport 6379 -j MARK --set-xmark 0x30/0xffffffff
# mysql
-A LBC -d 10.14.0.200/32 -i eth0 -p tcp -m tcp --dport 3306 -j MARK --set-xmark 0x31/0xffffffff
# fastdfs
-A LBC -d 10.14.0.100/32 -i eth0 -p tcp -m tcp --dport 22122 -j MARK --set-xmark 0x32/0xffffffff
# web: shop pages, HTTP and HTTPS
-A LBC -d 10.14.0.100/32 -i eth0 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x10/0xffffffff
# preview
-A LBC -d 10.14.0.100/32 -i eth0 -p tcp -m tcp --dport 8012 -j MARK --set-xmark 0x11/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 10.14.0.200/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 10.14.0.100/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0xfff -g LBC-GUARD

# activemq
-A LBC-PEER -d 10.14.0.200/32 -p tcp -m tcp --dport 61616 -j MARK --set-xmark 0xfff/0xffffffff
# redis
-A LBC-PEER -d 10.14.0.200/32 -p tcp -m tcp --dport 6379 -j MARK --set-xmark 0xfff/0xffffffff
# mysql
-A LBC-PEER -d 10.14.0.200/32 -p tcp -m tcp --dport 3306 -j MARK --set-xmark 0xfff/0xffffffff
# fastdfs
-A LBC-PEER -d 10.14.0.100/32 -p tcp -m tcp --dport 22122 -j MARK --set-xmark 0xfff/0xffffffff
# web: shop pages, HTTP and HTTPS
-A LBC-PEER -d 10.14.0.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0xfff/0xffffffff
# preview
-A LBC-PEER -d 10.14.0.100/32 -p tcp -m tcp --dport 8012 -j MARK --set-xmark 0xfff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
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
-A LBC -m mac --mac-source 52:54:00:14:00:01 -g LBC-PEER
# activemq
-A LBC -d 10.14.0.200/32 -i eth0 -p tcp -m tcp --dport 61616 -j MARK --set-xmark 0x20/0xffffffff
# redis
-A LBC -d 10.14.0.200/32 -i eth0 -p tcp -m tcp --dport 6379 -j MARK --set-xmark 0x30/0xffffffff
# mysql
-A LBC -d 10.14.0.200/32 -i eth0 -p tcp -m tcp --dport 3306 -j MARK --set-xmark 0x31/0xffffffff
# fastdfs
-A LBC -d 10.14.0.100/32 -i eth0 -p tcp -m tcp --dport 22122 -j MARK --set-xmark 0x32/0xffffffff
# web: shop pages, HTTP and HTTPS
-A LBC -d 10.14.0.100/32 -i eth0 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x10/0xffffffff
# preview
-A LBC -d 10.14.0.100/32 -i eth0 -p tcp -m tcp --dport 8012 -j MARK --set-xmark 0x11/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 10.14.0.200/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 10.14.0.100/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0xfff -g LBC-GUARD

# activemq
-A LBC-PEER -d 10.14.0.200/32 -p tcp -m tcp --dport 61616 -j MARK --set-xmark 0xfff/0xffffffff
# redis
-A LBC-PEER -d 10.14.0.200/32 -p tcp -m tcp --dport 6379 -j MARK --set-xmark 0xfff/0xffffffff
# mysql
-A LBC-PEER -d 10.14.0.200/32 -p tcp -m tcp --dport 3306 -j MARK --set-xmark 0xfff/0xffffffff
# fastdfs
-A LBC-PEER -d 10.14.0.100/32 -p tcp -m tcp --dport 22122 -j MARK --set-xmark 0xfff/0xffffffff
# web: shop pages, HTTP and HTTPS
-A LBC-PEER -d 10.14.0.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0xfff/0xffffffff
# preview
-A LBC-PEER -d 10.14.0.100/32 -p tcp -m tcp --dport 8012 -j MARK --set-xmark 0xfff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    esac
}

#### backends/emit/sh/begin.sh


#### backends/emit/sh/marks_iptables.sh

#### backends/emit/sh/services.sh
