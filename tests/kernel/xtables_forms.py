"""Options of every match and target that iptables 1.8.9 knows, by its library; each a rule's part as it is written.

`{vip}` stands for an address of a service, `{n}` for the case's number. Several forms of each: masks, ranges, negations,
and those that hold for all packets, or for none."""

from __future__ import annotations

def of(protocol: str, *options: str) -> tuple[str, ...]:
    return tuple(f"-p {protocol} {option}" for option in options)


# Of the command itself, without a library.
PLAIN = ("", "-s 10.192.0.0/10", "! -s 192.0.2.0/24", "-i eth0", "! -i eth0", "-i eth+", "! -i +", "-i +",
         "-i nowhere", "! -i nowhere", "-p tcp", "! -p tcp", "-p 47", "! -p 253", "-f", "! -f")
PLAIN_6 = ("", "-s fd5e::/16", "! -s fd5f::/16", "-i eth0", "! -i +", "-p tcp", "! -p tcp", "-p ipv6-icmp",
           "! -p ipv6-icmp", "-p 60", "! -p 60", "-p 51", "! -p 44")

# Both families take these.
MATCHES = {
    "tcp": of("tcp", "--dport 80", "! --dport 80", "--dport :", "! --dport :", "--sport :", "! --sport :",
               "--dport 0:65535", "! --dport 0:65535", "--dport 81:", "--dport :79", "! --dport 80:80",
               "--sport 1024:", "--syn", "! --syn", "--tcp-flags ALL NONE", "! --tcp-flags ALL NONE",
               "--tcp-flags NONE NONE", "! --tcp-flags NONE NONE", "--tcp-flags SYN ACK", "! --tcp-flags SYN ACK",
               "--tcp-flags SYN,RST SYN", "--tcp-option 2", "! --tcp-option 2", "--dport 80 ! --sport 1:9 --syn"),
    "udp": of("udp", "--dport 53", "! --dport 53", "--dport :", "! --dport :", "! --sport :", "--dport 54:",
               "--sport 40000:40999"),
    "sctp": of("sctp", "--dport 80", "! --dport 80", "! --dport :", "--chunk-types all ALL",
                "! --chunk-types any INIT", "--chunk-types only COOKIE_ACK", "--chunk-types any COOKIE_ACK"),
    "dccp": of("dccp", "--dport 80", "! --dport 80", "! --dport :", "--dccp-types REQUEST", "! --dccp-types REQUEST",
                "--dccp-option 1", "! --dccp-option 1"),
    "multiport": ("-p tcp --dports 80,81", "-p tcp ! --dports 80,81", "-p udp --dports 0:65535",
                  "-p udp ! --dports 0:65535", "-p tcp --sports 0:39999", "-p tcp --ports 80,40000:41000",
                  "-p tcp ! --ports 0:65535", "-p sctp --dports 80", "-p 136 --dports 80"),
    "esp": of("esp", "--espspi 0:", "! --espspi 0:", "--espspi 1", "! --espspi 1"),
    "ipcomp": of("108", "--ipcompspi 0:", "! --ipcompspi 0:", "--ipcompspi 1", "--ipcompspi 0:65535 --compres"),
    "tcpmss": of("tcp", "--mss 0:65535", "! --mss 0:65535", "--mss 1360", "! --mss 536:65535"),
    "osf": of("tcp", "--genre Linux", "! --genre Linux"),
    "ecn": of("tcp", "--ecn-tcp-cwr", "! --ecn-tcp-cwr", "--ecn-tcp-ece", "! --ecn-ip-ect 0", "--ecn-ip-ect 0"),
    "addrtype": ("--dst-type LOCAL", "! --dst-type LOCAL", "--dst-type UNICAST", "--src-type LOCAL",
                 "! --src-type LOCAL", "--dst-type LOCAL --limit-iface-in", "! --src-type UNICAST"),
    "bpf": ('--bytecode "1,6 0 0 65535"', '--bytecode "1,6 0 0 0"', '--bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"'),
    "cgroup": ("--cgroup 1", "! --cgroup 1", "--cgroup 0", "--path /", "! --path /"),
    "cluster": ("--cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 7",
                "--cluster-total-nodes 2 ! --cluster-local-node 1 --cluster-hash-seed 7",
                "--cluster-total-nodes 2 --cluster-local-nodemask 3 --cluster-hash-seed 7"),
    "comment": ('--comment "-j ACCEPT"',),
    "connbytes": ("--connbytes 0: --connbytes-mode bytes --connbytes-dir both",
                  "! --connbytes 1: --connbytes-mode packets --connbytes-dir reply",
                  "--connbytes 1:9 --connbytes-mode packets --connbytes-dir original"),
    "connlabel": ("--label 5", "! --label 5", "--label 5 --set"),
    "connlimit": ("--connlimit-above 0", "--connlimit-upto 9", "--connlimit-above 99 --connlimit-daddr",
                  "--connlimit-upto 1 --connlimit-mask 0"),
    "connmark": ("--mark 0", "! --mark 0", "--mark 0/0", "! --mark 0/0", "--mark 0x1/0x1"),
    "conntrack": ("--ctstate NEW", "! --ctstate NEW", "--ctstate NEW,ESTABLISHED,RELATED,INVALID,UNTRACKED",
                  "--ctstate INVALID", "--ctstate UNTRACKED", "--ctstate DNAT", "! --ctstate DNAT", "--ctproto 6",
                  "! --ctproto 6", "--ctdir ORIGINAL", "--ctdir REPLY", "--ctstatus NONE", "! --ctstatus ASSURED",
                  "--ctstatus CONFIRMED", "--ctexpire 0:99", "--ctorigdstport 80", "--ctstate RELATED,ESTABLISHED"),
    "cpu": ("--cpu 0", "! --cpu 0", "! --cpu 4000"),
    "devgroup": ("--src-group 0", "! --src-group 0", "--src-group 0/0", "--src-group 5/0x1"),
    "dscp": ("--dscp 0", "! --dscp 0", "--dscp 10", "--dscp-class cs1"),
    "helper": ("--helper ftp", "! --helper ftp", '--helper ""'),
    "hashlimit": ("--hashlimit-upto 1/day --hashlimit-burst 1 --hashlimit-name a{n} --hashlimit-mode dstip",
                  "--hashlimit-above 1/day --hashlimit-burst 1 --hashlimit-name b{n} --hashlimit-mode dstip",
                  "--hashlimit-above 10000/sec --hashlimit-name c{n} --hashlimit-mode srcip"),
    "length": ("--length 0:65535", "! --length 0:65535", "--length 40", "! --length 40", "--length 100:"),
    "limit": ("--limit 1/day --limit-burst 1", "--limit 10000/sec"),
    "mac": ("--mac-source 02:c1:00:00:00:01", "! --mac-source 02:c1:00:00:00:01", "--mac-source 02:00:00:00:00:02",
            "! --mac-source 00:00:00:00:00:00"),
    "mark": ("--mark 0", "! --mark 0", "--mark 0/0", "! --mark 0/0", "--mark 3", "! --mark 3", "--mark 0x1/0x1",
             "--mark 0x8/0x7", "! --mark 0x8/0x7", "--mark 5/0xff"),
    "physdev": ("--physdev-is-in", "! --physdev-is-in", "--physdev-in eth0", "! --physdev-in eth0",
                "--physdev-is-bridged", "! --physdev-is-bridged"),
    "pkttype": ("--pkt-type host", "! --pkt-type host", "--pkt-type broadcast", "--pkt-type multicast"),
    "policy": ("--dir in --pol none", "--dir in --pol ipsec", "--dir in --pol ipsec --reqid 1"),
    "quota": ("--quota 1", "! --quota 1", "--quota 0", "! --quota 0"),
    "rateest": ("--rateest r --rateest-lt --rateest-bps 1mbit", "--rateest r ! --rateest-lt --rateest-bps 1mbit",
                "--rateest r --rateest-eq --rateest-pps 0"),
    "recent": ("--set --name s{n}", "! --set --name t{n}", "--rcheck --name u{n}", "! --rcheck --name v{n}",
               "--update --seconds 9 --hitcount 1 --name w{n}", "--remove --name x{n}"),
    "rpfilter": ("", "--invert", "--loose", "--validmark --invert", "--accept-local"),
    "set": ("--match-set nets{f} dst", "! --match-set nets{f} dst", "--match-set nets{f} src", "! --match-set nothing{f} dst",
            "--match-set nothing{f} src", "--match-set few{f} dst --return-nomatch", "--match-set nets{f} dst --packets-gt 5"),
    "socket": ("", "--transparent", "--nowildcard", "--transparent --restore-skmark", "--restore-skmark"),
    "state": ("--state NEW", "! --state NEW", "--state ESTABLISHED", "--state INVALID", "--state UNTRACKED"),
    "statistic": ("--mode random --probability 0.5", "--mode random --probability 0", "--mode random --probability 1",
                  "--mode random ! --probability 1", "--mode nth --every 1 --packet 0", "--mode nth --every 2 --packet 0",
                  "--mode nth ! --every 1 --packet 0"),
    "string": ("--algo bm --string GET", "--algo bm ! --string GET", '--algo kmp --hex-string "|00|"'),
    "time": ("--timestart 00:00 --timestop 23:59:59", "--weekdays 1,2,3,4,5,6,7", "! --weekdays 1,2,3,4,5,6,7",
             "--datestart 2030-01-01", "--datestop 2037-01-01", ""),
    "tos": ("--tos 0/0", "! --tos 0/0", "--tos 0", "! --tos 0", "--tos 0x28/0xff"),
    "u32": ('--u32 "0=0:0xffffffff"', '! --u32 "0=0:0xffffffff"', '--u32 "400=0"', '--u32 "4&0=0"'),
}
MATCHES_4 = {
    "iprange": ("--src-range 10.192.0.0-10.255.255.255", "! --src-range 10.192.0.0-10.255.255.255",
                "--dst-range {vip}-{vip}", "! --dst-range {vip}-{vip}", "--dst-range 0.0.0.0-255.255.255.255"),
    "icmp": ("-p icmp --icmp-type any", "-p icmp ! --icmp-type any", "-p icmp --icmp-type echo-request",
             "-p icmp ! --icmp-type 8/0", "-p icmp --icmp-type 3/1"),
    "ah": ("-p ah --ahspi 0:", "-p ah ! --ahspi 0:", "-p ah --ahspi 1"),
    "realm": ("--realm 0", "! --realm 0", "--realm 0/0", "--realm 9/0xf"),
    "ttl": ("--ttl-eq 64", "! --ttl-eq 64", "--ttl-lt 2", "--ttl-gt 0", "--ttl-lt 0", "--ttl-gt 255"),
}
MATCHES_6 = {
    "iprange": ("--src-range fd5e::-fd5e:ffff::", "! --src-range fd5e::-fd5e:ffff::", "! --dst-range {vip}-{vip}"),
    "icmp6": ("-p ipv6-icmp --icmpv6-type echo-request", "-p ipv6-icmp ! --icmpv6-type 128/0",
              "-p ipv6-icmp --icmpv6-type 1"),
    "ah": ("--ahspi 0:", "! --ahspi 0:", "--ahlen 4", "--ahres", "-p ah --ahspi 0:", "-p ah"),
    "dst": ("-p tcp --dst-len 8", "! --dst-len 8", "", "--dst-opts 1:4"),
    "hbh": ("", "! --hbh-len 8", "--hbh-opts 5"),
    "frag": ("", "--fragid 0:", "! --fragid 0:", "--fragfirst", "--fragmore"),
    "eui64": ("",),
    "hl": ("--hl-eq 64", "! --hl-eq 64", "--hl-lt 2", "--hl-gt 0", "--hl-gt 255"),
    "ipv6header": ("--header dst --soft", "! --header dst --soft", "--header prot --soft", "--header ipv6-nonxt",
                   "! --header hop --soft"),
    "mh": ("-p mh --mh-type 1", "-p mh ! --mh-type 0:255"),
    "rt": ("", "--rt-type 0", "! --rt-type 0", "--rt-segsleft 0:", "! --rt-len 8"),
    "srh": ("", "! --srh-next-hdr 6", "--srh-segs-left-gt 0"),
}

TARGETS = {
    "AUDIT": ("--type accept", "--type drop"),
    "CHECKSUM": ("--checksum-fill",),
    "CONNMARK": ("--set-mark 0x77", "--save-mark", "--restore-mark", "--restore-mark --nfmask 0xff0000 --ctmask 0xff0000",
                 "--restore-mark --nfmask 0 --ctmask 0", "--set-xmark 0x1/0x1", "--and-mark 0x1", "--or-mark 0x2",
                 "--xor-mark 0x4", "--save-mark --nfmask 0xff --ctmask 0xff00"),
    "CONNSECMARK": ("--save", "--restore"),
    "CT": ("--notrack", "--zone 7", "--zone mark", "--ctevents new", "--helper ftp"),
    "DNAT": ("--to-destination {other}", "--to-destination {other} --random", "-p tcp --to-destination {bracketed}:81",
             "-p udp --to-destination :81", "-p tcp --to-destination {bracketed}:8000-8010"),
    "DSCP": ("--set-dscp 10", "--set-dscp-class cs1"),
    "HMARK": ("--hmark-tuple src,dst --hmark-mod 9 --hmark-rnd 1 --hmark-offset 0x7000",
              "-p tcp --hmark-tuple src,dst,sport,dport --hmark-mod 1 --hmark-rnd 1 --hmark-offset 0x7000",
              "--hmark-tuple ct,src --hmark-mod 1 --hmark-rnd 1 --hmark-offset 0x7000"),
    "IDLETIMER": ("--timeout 99 --label l{n}",),
    "LED": ("--led-trigger-id l{n}",),
    "LOG": ('--log-prefix "seen"', "--log-uid"),
    "MARK": ("--set-mark 0x7700", "--set-mark 0", "--set-mark 0/0", "--set-xmark 0/0", "--and-mark 0xffffffff",
             "--and-mark 0xfffffffe", "--or-mark 0", "--or-mark 0x4000", "--xor-mark 0", "--xor-mark 0x1",
             "--set-xmark 0x3/0xffffffff", "--set-mark 0x100/0xf00", "--set-mark 3", "--set-xmark 0x2/0xfffffffd"),
    "NETMAP": ("--to {net}",),
    "NFLOG": ("--nflog-group 1",),
    "NFQUEUE": ("--queue-num 1", "--queue-num 1 --queue-bypass", "--queue-balance 1:2 --queue-bypass"),
    "NOTRACK": ("",),
    "RATEEST": ("--rateest-name q{n} --rateest-interval 250ms --rateest-ewmalog 500ms",),
    "REDIRECT": ("", "-p tcp --to-ports 81", "-p udp --to-ports 80-90", "-p tcp --to-ports 8000 --random"),
    "REJECT": ("", "-p tcp --reject-with tcp-reset"),
    "SECMARK": ("--selctx system_u:object_r:a_t:s0",),
    "SET": ("--add-set nothing{f} src", "--del-set nets{f} dst"),
    "SET --map-set": ("maps{f} dst --map-mark",),
    "SNAT": ("--to-source {other}",),
    "SYNPROXY": ("-p tcp --mss 1460 --wscale 7", "-p tcp --sack-perm --timestamp"),
    "TCPMSS": ("-p tcp --tcp-flags SYN,RST SYN --set-mss 1300",),
    "TCPOPTSTRIP": ("-p tcp --strip-options 8", "-p tcp --strip-options sack,mss"),
    "TEE": ("--gateway {other}",),
    "TOS": ("--set-tos 0x10", "--and-tos 0", "--xor-tos 0x4"),
    "TPROXY": ("-p tcp --on-port 80 --tproxy-mark 0x7700/0xffffffff", "-p udp --on-port 0 --tproxy-mark 1/1",
               "-p tcp --on-port 99"),
    "TRACE": ("",),
    "ACCEPT": ("",), "DROP": ("",), "RETURN": ("",), "QUEUE": ("",),
}
TARGETS_4 = {"ECN": ("-p tcp --ecn-tcp-remove",), "TTL": ("--ttl-set 3", "--ttl-dec 1", "--ttl-inc 1")}
TARGETS_6 = {"HL": ("--hl-set 3", "--hl-dec 1"), "DNPT": ("--src-pfx fd00:1::/64 --dst-pfx fd00:9::/64",),
             "SNPT": ("--src-pfx fd00:1::/64 --dst-pfx fd00:9::/64",)}

# Built-in chains where the kernel takes one, if not in each.
ENTRY, ARRIVAL = "mangle PREROUTING", "mangle INPUT"
PLACES = {
    "cgroup": ("filter INPUT",), "realm": ("filter INPUT",),
    "rpfilter": (ENTRY, "raw PREROUTING"),
    **dict.fromkeys(("CHECKSUM", "CONNSECMARK", "DSCP", "ECN", "HL", "TCPOPTSTRIP", "TOS", "TTL"), (ENTRY, ARRIVAL)),
    **dict.fromkeys(("CT", "NOTRACK", "TRACE"), ("raw PREROUTING",)),
    **dict.fromkeys(("DNAT", "REDIRECT"), ("nat PREROUTING",)), "SNAT": ("nat INPUT",),
    "NETMAP": ("nat PREROUTING", "nat INPUT"),
    "DNPT": (ENTRY,), "TPROXY": (ENTRY,), "SNPT": (ARRIVAL,), "REJECT": ("filter INPUT",),
    "SET --map-set": (ENTRY, ARRIVAL),
    "SYNPROXY": (ARRIVAL, "filter INPUT", "nat INPUT"),
    "DROP": ("raw PREROUTING", ENTRY, ARRIVAL, "filter INPUT"),
}

# Rules of which the first changes what the second asks for.
PAIRS = (
    ("-j TOS --set-tos 0x10", "-m tos --tos 0x10"), ("-j DSCP --set-dscp 10", "-m dscp --dscp 10"),
    ("-j CONNMARK --set-mark 9", "-j CONNMARK --restore-mark"), ("-j CONNMARK --set-mark 5", "-j CONNMARK --restore-mark"),
    ("-j CONNMARK --set-mark 0x905", "-j CONNMARK --restore-mark --nfmask 0xff00 --ctmask 0xff00"),
    ("-j CONNMARK --save-mark", "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff"),
    ("-j CONNMARK --set-mark 9", "-m connmark --mark 9"), ("-j CONNMARK --set-mark 9", "-m connmark ! --mark 0"),
    ("-m connlabel --label 5 --set", "-m connlabel --label 5"), ("-m recent --set --name p{n}", "-m recent --rcheck --name p{n}"),
    ("-j SET --add-set nothing{f} dst", "-m set --match-set nothing{f} dst"),
    ("-j MARK --or-mark 0x10", "-m mark --mark 0x10/0x10"), ("-j MARK --xor-mark 0x1", "-m mark ! --mark 0x1/0x1"),
)
PAIRS_4 = (("-j TTL --ttl-set 3", "-m ttl --ttl-eq 3"),)
PAIRS_6 = (("-j HL --hl-set 3", "-m hl --hl-eq 3"),)

# Libraries without a form of their own, and why.
EXCUSED = {
    "CLASSIFY": "for packets that leave or pass",
    "MASQUERADE": "for packets that leave",
    "owner": "for packets that the box itself sends",
    "standard": "what has no library: the verdicts",
    "NAT": "the code of DNAT, SNAT, REDIRECT and MASQUERADE, under their names",
    "CLUSTERIP": "kernels from 6.3 on have it no more",
    "ULOG": "kernels from 3.17 on have it no more",
    "ipvs": "takes IPVS in the kernel, which test machines lack",
    "nfacct": "takes an object that only nfacct(8) makes",
}
