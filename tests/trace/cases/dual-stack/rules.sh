#!/bin/sh
# The load balancing of an LVS site, for each of its directors. Made by lbc from the site file: change that instead.
#
#     sh rules.sh [apply|show|remove] [DIRECTOR]
#
# apply (the default) brings this machine to what stands below for its director; again, it changes nothing more.
# show prints what is there: rules with counters, virtual services with connections. remove takes all of it off.
# DIRECTOR may be left out where a director has this machine's host name, or a MAC of it.
#
# Only the chains LBC and LBC-* of the mangle tables, the jumps into them, and the virtual services with the site's
# marks are touched. Everything is read, and both rule sets are tried, before the first change. Then: virtual services
# and real servers are added and edited, each mangle table changes in one transaction, IPv4 first, and at last the
# virtual services and real servers that the site no longer has are removed.
#
# Environment: IPTABLES, IP6TABLES and IPVSADM name the programs (iptables, ip6tables, ipvsadm), of iptables-legacy or
# iptables-nft, with PROGRAM-restore beside them. LBC_ONLY=marks or LBC_ONLY=ipvs does that part alone.
#
# Exit status: 0 done; 1 a step failed, the steps before it stay done, and another run finishes the work; 2 wrong usage,
# or no director fits; 3 something is missing or not permitted, and nothing was changed.
set -eu

# Virtual services with these marks are the site's, on whichever director.
first_mark=256 last_mark=4095 own_marks='32 700 706 1110 2553 3347 3766'
ipvs=lbc
sysctls=''
sync=no # both sync daemons
directors='edge1 edge2'

# director_of name|host|mac VALUE: sets director where VALUE is one's.
director_of() {
    case $1/$2 in
    'name/edge1' | 'host/edge1' | 'mac/02:00:5e:10:00:01') director='edge1' ;;
    'name/edge2' | 'host/edge2' | 'mac/02:00:5e:10:00:02') director='edge2' ;;
    esac
}

# wanted ipv4|ipv6|services: what $director is to have, as rules and as ipvsadm takes it.
wanted() {
    case $director/$1 in

# ==== edge1 ====

    'edge1/ipv4') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 02:00:5e:10:00:02 -g LBC-PEER
# web
-A LBC -d 192.0.2.100/32 -i eth0 -p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0x20/0xffffffff
# meet
-A LBC -d 192.0.2.101/32 -i eth0 -p tcp -m tcp --dport 443 -j MARK --set-xmark 0x456/0xffffffff
-A LBC -d 192.0.2.101/32 -i eth0 -p udp -m multiport --dports 443,10000:10999 -j MARK --set-xmark 0x456/0xffffffff
# dns
-A LBC -d 192.0.2.53/32 -i eth0 -p udp -m udp --dport 53 -j MARK --set-xmark 0x2bc/0xffffffff
# dns-tcp
-A LBC -d 192.0.2.53/32 -i eth0 -p tcp -m tcp --dport 53 -j MARK --set-xmark 0xeb6/0xffffffff
# relay
-A LBC -d 198.51.100.0/28 -i eth0 -j MARK --set-xmark 0x2c2/0xffffffff
# sip
-A LBC -d 192.0.2.60/32 -i eth0 -p udp -m udp --dport 5060:5061 -j MARK --set-xmark 0xd13/0xffffffff
# signalling
-A LBC -d 192.0.2.61/32 -i eth1 -p sctp -m sctp --dport 2905 -m mac --mac-source 02:00:5e:99:00:01 -j RETURN
-A LBC -d 192.0.2.61/32 -i eth1 -p sctp -m sctp --dport 2905 -j MARK --set-xmark 0x9f9/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.0.2.100/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.0.2.101/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.0.2.53/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 198.51.100.0/28 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.0.2.60/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.0.2.61/32 -j MARK --set-xmark 0x0/0xffffffff
# into a tunnel again
-A LBC-GUARD -d 203.0.113.5/32 -p udp -m udp --dport 6080 -j DROP
-A LBC-GUARD -d 203.0.113.6/32 -p udp -m udp --dport 6080 -j DROP

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0xfff -g LBC-GUARD

# web
-A LBC-PEER -d 192.0.2.100/32 -p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0xfff/0xffffffff
# meet
-A LBC-PEER -d 192.0.2.101/32 -p tcp -m tcp --dport 443 -j MARK --set-xmark 0xfff/0xffffffff
-A LBC-PEER -d 192.0.2.101/32 -p udp -m multiport --dports 443,10000:10999 -j MARK --set-xmark 0xfff/0xffffffff
# dns
-A LBC-PEER -d 192.0.2.53/32 -p udp -m udp --dport 53 -j MARK --set-xmark 0xfff/0xffffffff
# dns-tcp
-A LBC-PEER -d 192.0.2.53/32 -p tcp -m tcp --dport 53 -j MARK --set-xmark 0xfff/0xffffffff
# relay
-A LBC-PEER -d 198.51.100.0/28 -j MARK --set-xmark 0xfff/0xffffffff
# sip
-A LBC-PEER -d 192.0.2.60/32 -p udp -m udp --dport 5060:5061 -j MARK --set-xmark 0xfff/0xffffffff
# signalling
-A LBC-PEER -d 192.0.2.61/32 -p sctp -m sctp --dport 2905 -j MARK --set-xmark 0xfff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'edge1/ipv6') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 02:00:5e:10:00:02 -g LBC-PEER
# web
-A LBC -d 2001:db8:1::100/128 -i eth0 -p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0x20/0xffffffff
# dns
-A LBC -d 2001:db8:1::53/128 -i eth0 -p udp -m udp --dport 53 -j MARK --set-xmark 0x2bc/0xffffffff
# dns-tcp
-A LBC -d 2001:db8:1::53/128 -i eth0 -p tcp -m tcp --dport 53 -j MARK --set-xmark 0xeb6/0xffffffff
# relay
-A LBC -d 2001:db8:cafe::/64 -i eth0 -j MARK --set-xmark 0x2c2/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 2001:db8:1::100/128 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 2001:db8:1::53/128 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 2001:db8:cafe::/64 -j MARK --set-xmark 0x0/0xffffffff
# into a tunnel again
-A LBC-GUARD -d 2001:db8:2::5/128 -p udp -m udp --dport 6080 -j DROP
-A LBC-GUARD -d 2001:db8:2::6/128 -p udp -m udp --dport 6080 -j DROP

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0xfff -g LBC-GUARD

# web
-A LBC-PEER -d 2001:db8:1::100/128 -p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0xfff/0xffffffff
# dns
-A LBC-PEER -d 2001:db8:1::53/128 -p udp -m udp --dport 53 -j MARK --set-xmark 0xfff/0xffffffff
# dns-tcp
-A LBC-PEER -d 2001:db8:1::53/128 -p tcp -m tcp --dport 53 -j MARK --set-xmark 0xfff/0xffffffff
# relay
-A LBC-PEER -d 2001:db8:cafe::/64 -j MARK --set-xmark 0xfff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'edge1/services') cat <<'END' ;;
# web
-A -f 32 -s mh -b mh-fallback,mh-port
-a -f 32 -r 192.0.2.11:0 -g -w 1
-a -f 32 -r 192.0.2.12:0 -g -w 1
-a -f 32 -r 192.0.2.21:0 -g -w 2
# web
-A -f 32 -6 -s mh -b mh-fallback,mh-port
-a -f 32 -6 -r [2001:db8:1::11]:0 -g -w 1
-a -f 32 -6 -r [2001:db8:1::12]:0 -g -w 1
-a -f 32 -6 -r [2001:db8:1::21]:0 -g -w 2
# meet
-A -f 1110 -s wlc -p 300 -M 255.255.255.0
-a -f 1110 -r 192.0.2.31:0 -g -w 1
-a -f 1110 -r 192.0.2.32:0 -g -w 1
# dns
-A -f 700 -s rr -o
-a -f 700 -r 192.0.2.11:0 -g -w 1
-a -f 700 -r 192.0.2.12:0 -g -w 1
# dns
-A -f 700 -6 -s rr -o
-a -f 700 -6 -r [2001:db8:1::11]:0 -g -w 1
-a -f 700 -6 -r [2001:db8:1::12]:0 -g -w 1
# dns-tcp
-A -f 3766 -s wlc
-a -f 3766 -r 192.0.2.11:0 -g -w 1
-a -f 3766 -r 192.0.2.12:0 -g -w 1
# dns-tcp
-A -f 3766 -6 -s wlc
-a -f 3766 -6 -r [2001:db8:1::11]:0 -g -w 1
-a -f 3766 -6 -r [2001:db8:1::12]:0 -g -w 1
# relay
-A -f 706 -s sh
-a -f 706 -r 203.0.113.5:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -f 706 -r 203.0.113.6:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
# relay
-A -f 706 -6 -s sh
-a -f 706 -6 -r [2001:db8:2::5]:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -f 706 -6 -r [2001:db8:2::6]:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
# sip
-A -f 3347 -s wlc -p 1800 --pe sip -o
-a -f 3347 -r 10.60.0.1:0 -m -w 1
-a -f 3347 -r 10.60.0.2:0 -m -w 1
# signalling
-A -f 2553 -s wlc
-a -f 2553 -r 10.61.0.1:0 -m -w 1 -x 1000 -y 800
-a -f 2553 -r 10.61.0.2:0 -m -w 1 -x 1000 -y 800
END

# ==== edge2 ====

    'edge2/ipv4') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 02:00:5e:10:00:01 -g LBC-PEER
# web
-A LBC -d 192.0.2.100/32 -i eth0 -p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0x20/0xffffffff
# meet
-A LBC -d 192.0.2.101/32 -i eth0 -p tcp -m tcp --dport 443 -j MARK --set-xmark 0x456/0xffffffff
-A LBC -d 192.0.2.101/32 -i eth0 -p udp -m multiport --dports 443,10000:10999 -j MARK --set-xmark 0x456/0xffffffff
# dns
-A LBC -d 192.0.2.53/32 -i eth0 -p udp -m udp --dport 53 -j MARK --set-xmark 0x2bc/0xffffffff
# dns-tcp
-A LBC -d 192.0.2.53/32 -i eth0 -p tcp -m tcp --dport 53 -j MARK --set-xmark 0xeb6/0xffffffff
# relay
-A LBC -d 198.51.100.0/28 -i eth0 -j MARK --set-xmark 0x2c2/0xffffffff
# sip
-A LBC -d 192.0.2.60/32 -i eth0 -p udp -m udp --dport 5060:5061 -j MARK --set-xmark 0xd13/0xffffffff
# signalling
-A LBC -d 192.0.2.61/32 -i eth1 -p sctp -m sctp --dport 2905 -m mac --mac-source 02:00:5e:99:00:01 -j RETURN
-A LBC -d 192.0.2.61/32 -i eth1 -p sctp -m sctp --dport 2905 -j MARK --set-xmark 0x9f9/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.0.2.100/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.0.2.101/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.0.2.53/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 198.51.100.0/28 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.0.2.60/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.0.2.61/32 -j MARK --set-xmark 0x0/0xffffffff
# into a tunnel again
-A LBC-GUARD -d 203.0.113.5/32 -p udp -m udp --dport 6080 -j DROP
-A LBC-GUARD -d 203.0.113.6/32 -p udp -m udp --dport 6080 -j DROP

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0xfff -g LBC-GUARD

# web
-A LBC-PEER -d 192.0.2.100/32 -p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0xfff/0xffffffff
# meet
-A LBC-PEER -d 192.0.2.101/32 -p tcp -m tcp --dport 443 -j MARK --set-xmark 0xfff/0xffffffff
-A LBC-PEER -d 192.0.2.101/32 -p udp -m multiport --dports 443,10000:10999 -j MARK --set-xmark 0xfff/0xffffffff
# dns
-A LBC-PEER -d 192.0.2.53/32 -p udp -m udp --dport 53 -j MARK --set-xmark 0xfff/0xffffffff
# dns-tcp
-A LBC-PEER -d 192.0.2.53/32 -p tcp -m tcp --dport 53 -j MARK --set-xmark 0xfff/0xffffffff
# relay
-A LBC-PEER -d 198.51.100.0/28 -j MARK --set-xmark 0xfff/0xffffffff
# sip
-A LBC-PEER -d 192.0.2.60/32 -p udp -m udp --dport 5060:5061 -j MARK --set-xmark 0xfff/0xffffffff
# signalling
-A LBC-PEER -d 192.0.2.61/32 -p sctp -m sctp --dport 2905 -j MARK --set-xmark 0xfff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'edge2/ipv6') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 02:00:5e:10:00:01 -g LBC-PEER
# web
-A LBC -d 2001:db8:1::100/128 -i eth0 -p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0x20/0xffffffff
# dns
-A LBC -d 2001:db8:1::53/128 -i eth0 -p udp -m udp --dport 53 -j MARK --set-xmark 0x2bc/0xffffffff
# dns-tcp
-A LBC -d 2001:db8:1::53/128 -i eth0 -p tcp -m tcp --dport 53 -j MARK --set-xmark 0xeb6/0xffffffff
# relay
-A LBC -d 2001:db8:cafe::/64 -i eth0 -j MARK --set-xmark 0x2c2/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 2001:db8:1::100/128 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 2001:db8:1::53/128 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 2001:db8:cafe::/64 -j MARK --set-xmark 0x0/0xffffffff
# into a tunnel again
-A LBC-GUARD -d 2001:db8:2::5/128 -p udp -m udp --dport 6080 -j DROP
-A LBC-GUARD -d 2001:db8:2::6/128 -p udp -m udp --dport 6080 -j DROP

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0xfff -g LBC-GUARD

# web
-A LBC-PEER -d 2001:db8:1::100/128 -p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0xfff/0xffffffff
# dns
-A LBC-PEER -d 2001:db8:1::53/128 -p udp -m udp --dport 53 -j MARK --set-xmark 0xfff/0xffffffff
# dns-tcp
-A LBC-PEER -d 2001:db8:1::53/128 -p tcp -m tcp --dport 53 -j MARK --set-xmark 0xfff/0xffffffff
# relay
-A LBC-PEER -d 2001:db8:cafe::/64 -j MARK --set-xmark 0xfff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'edge2/services') cat <<'END' ;;
# web
-A -f 32 -s mh -b mh-fallback,mh-port
-a -f 32 -r 192.0.2.11:0 -g -w 1
-a -f 32 -r 192.0.2.12:0 -g -w 1
-a -f 32 -r 192.0.2.21:0 -g -w 2
# web
-A -f 32 -6 -s mh -b mh-fallback,mh-port
-a -f 32 -6 -r [2001:db8:1::11]:0 -g -w 1
-a -f 32 -6 -r [2001:db8:1::12]:0 -g -w 1
-a -f 32 -6 -r [2001:db8:1::21]:0 -g -w 2
# meet
-A -f 1110 -s wlc -p 300 -M 255.255.255.0
-a -f 1110 -r 192.0.2.31:0 -g -w 1
-a -f 1110 -r 192.0.2.32:0 -g -w 1
# dns
-A -f 700 -s rr -o
-a -f 700 -r 192.0.2.11:0 -g -w 1
-a -f 700 -r 192.0.2.12:0 -g -w 1
# dns
-A -f 700 -6 -s rr -o
-a -f 700 -6 -r [2001:db8:1::11]:0 -g -w 1
-a -f 700 -6 -r [2001:db8:1::12]:0 -g -w 1
# dns-tcp
-A -f 3766 -s wlc
-a -f 3766 -r 192.0.2.11:0 -g -w 1
-a -f 3766 -r 192.0.2.12:0 -g -w 1
# dns-tcp
-A -f 3766 -6 -s wlc
-a -f 3766 -6 -r [2001:db8:1::11]:0 -g -w 1
-a -f 3766 -6 -r [2001:db8:1::12]:0 -g -w 1
# relay
-A -f 706 -s sh
-a -f 706 -r 203.0.113.5:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -f 706 -r 203.0.113.6:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
# relay
-A -f 706 -6 -s sh
-a -f 706 -6 -r [2001:db8:2::5]:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -f 706 -6 -r [2001:db8:2::6]:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
# sip
-A -f 3347 -s wlc -p 1800 --pe sip -o
-a -f 3347 -r 10.60.0.1:0 -m -w 1
-a -f 3347 -r 10.60.0.2:0 -m -w 1
# signalling
-A -f 2553 -s wlc
-a -f 2553 -r 10.61.0.1:0 -m -w 1 -x 1000 -y 800
-a -f 2553 -r 10.61.0.2:0 -m -w 1 -x 1000 -y 800
END
    esac
}

# What follows in a script holds no rule.
