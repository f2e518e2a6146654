#!/usr/bin/python3
"""Each statement that nft(8) knows, in a foreign rule with a verdict behind it, before one that changes the mark:
where `lbc verify` says that all holds, packets are sent, and have the site's mark. A statement that the kernel may leave
its rule at must not be taken for one that goes on."""

from __future__ import annotations

import collections
import itertools
import os
import subprocess
import unittest

from lbctest import harness
from lbctest.deep import DeepLab
from lbctest.draw import ETHERNET, TUNNEL
from lbctest.fixtures import CLIENT_MAC, VIPS, known_site
from lbctest.judge import Judge, can_be_sent, proof
from lbctest.model import Meaning, Packet

MARK = 0x7700
VERDICTS = ("drop", "accept", "goto returning")
# 1: each statement is tried with each verdict; else with one of them in turn.
EVERY = int(os.environ.get("LBC_TEST_EVERY", str(len(VERDICTS))))

AROUND = """
set few { type ipv4_addr; size 2; flags dynamic; elements = { 192.0.2.1, 192.0.2.2 }; }
set metered { type ipv4_addr; size 9; flags dynamic; }
set timed { type ipv4_addr; flags timeout; elements = { 10.0.0.8 timeout 1h }; }
set counted { type ipv4_addr; counter; elements = { 10.0.0.8 }; }
set limited { type ipv4_addr; size 9; flags dynamic; limit rate 1/day burst 1 packets; elements = { 10.0.0.8 }; }
set quoted { type ipv4_addr; size 9; flags dynamic; quota 1 bytes; elements = { 10.0.0.8 }; }
map verdicts { type ipv4_addr : verdict; flags interval; elements = { 10.0.0.8 : drop, 10.0.1.0/24 : jump inner }; }
map others { type ipv4_addr : verdict; elements = { 192.0.2.1 : drop }; }
map priorities { type dscp : classid; elements = { 0x01 : 1:1 }; }
map marks { type ipv4_addr : mark; elements = { 192.0.2.1 : 5 }; }
counter one { }
quota little { 1 bytes }
limit slow { rate 1/day burst 1 packets }
ct helper ftp { type "ftp" protocol tcp; }
ct expectation more { protocol tcp; dport 99; timeout 1m; size 2; l3proto ip; }
"""

# Statements that decide nothing, or not for every packet; a verdict follows them.
STATEMENTS = """
counter
counter name one
counter name ip saddr map { 192.0.2.1 : "one" }
log prefix "seen"
notrack
add @few { ip saddr }
update @metered { ip saddr limit rate over 1000/second }
update @metered { ip saddr quota over 1000 mbytes }
add @metered { ip saddr ct count over 100 }
delete @few { ip saddr }
limit rate 1/day burst 1 packets
limit rate over 1000/second
limit name "slow"
quota over 1000 mbytes
quota name "little"
ct count over 100
ct count 100
ct mark set ct mark or 0x1
ct mark set meta mark
ct mark set ip dscp map { 0x01 : 0x5 }
ct zone set 1
ct label set 1
ct helper set "ftp"
ct expectation set "more"
meta mark set ct mark
meta mark set socket mark
meta mark set ip dscp map { 0x01 : 0x5 }
meta mark set ip saddr map @marks
meta mark set numgen inc mod 2
meta mark set jhash ip saddr mod 2
meta priority set ip dscp map @priorities
meta priority set 1:2
meta secmark set ct secmark
meta nftrace set 0
meta pkttype set host
tcp option maxseg size set 1360
tcp option maxseg size set rt mtu
reset tcp option maxseg
ip ttl set 3
ip dscp set cs1
ip6 hoplimit set 3
ip6 dscp set cs1
udp checksum set 0
tcp window set 9
th dport set 81
ip daddr set 10.0.0.99
dup to 192.0.2.1
meta length > 20
meta length 40
meta protocol ip
meta cpu 0-1
meta skuid 0
meta skuid != 0
meta cgroup != 1
meta rtclassid 0
meta pkttype host
meta iifkind "veth"
meta iifgroup 0
meta oifname ""
meta random < 2147483648
meta hour "00:00"-"23:59"
meta time > "2020-01-01"
meta l4proto 6
meta l4proto != 6
meta nfproto ipv4
meta nfproto ipv6
meta mark 3
meta mark != 3
meta mark and 0x2 == 0x2
iif lo
iif != lo
iifname "eth*"
iiftype ether
ip saddr 10.192.0.0/10
ip saddr != 192.0.2.1
ip daddr @counted
ip daddr @limited
ip daddr @quoted
ip daddr @timed
ip daddr @few
ip daddr != @few
ip daddr { 10.0.0.8, 10.0.0.9 }
ip daddr != { 10.0.0.9 }
ip daddr & 255.255.255.0 == 10.0.0.0
ip daddr vmap @verdicts
ip daddr vmap @others
ip daddr vmap { 10.0.0.8 : drop, 192.0.2.1 : accept }
ip daddr . tcp dport vmap { 10.0.0.8 . 80 : accept }
ip daddr . ip saddr { 10.0.0.8 . 192.0.2.1 }
ip protocol tcp
ip version 4
ip hdrlength 5
ip frag-off & 0x1fff != 0
ip option rr exists
ip6 daddr fd00:1::8
ip6 nexthdr 6
exthdr frag exists
exthdr hbh missing
tcp dport 80
tcp dport != 80
tcp sport > 1023
tcp flags syn
tcp flags & (syn | ack) == syn
tcp option timestamp exists
tcp option timestamp missing
tcp option sack-perm kind 1
udp dport 0-65535
th dport 80
th dport != 80
@th,16,16 80
@nh,0,4 4
@ih,0,8 1
sctp chunk data exists
dccp option 1 exists
icmp type echo-request
icmpv6 type echo-request
ether saddr 02:c1:00:00:00:01
ether saddr != 02:c1:00:00:00:01
ether type ip
vlan id 3
fib daddr type local
fib saddr . iif oif exists
fib saddr . iif oif missing
ct state new
ct state established,related
ct state invalid
ct state untracked
ct mark 0
ct status dnat
ct direction original
ct expiration > 1s
ct original packets < 3
ct helper "ftp"
socket transparent 1
socket mark 1
rt classid 0
rt nexthop 10.0.0.1
ipsec in reqid 1
osf name "Linux"
numgen random mod 2 0
jhash ip saddr mod 2 0
symhash mod 2 0
"""

# Statements that decide themselves.
ENDS = """
reject
reject with icmp type host-unreachable
reject with icmp type port-unreachable
reject with icmpv6 type admin-prohibited
reject with icmpx type admin-prohibited
reject with tcp reset
meta nfproto ipv4 reject
meta nfproto ipv6 reject
meta l4proto udp reject
ip protocol tcp reject with tcp reset
ip saddr 192.0.2.1 reject
tcp dport 81 reject with tcp reset
tproxy ip to 127.0.0.1:80 meta l4proto tcp
meta l4proto tcp tproxy to :80
synproxy mss 1460 wscale 7
queue num 1 bypass
goto inner
jump inner
jump returning
ip daddr 10.0.0.8 jump returning
continue
"""

# Ends of their own kind: device chains, tables that sleep, and translation.
TABLES = {
    "ingress of another device": """table inet theirs { chain c { type filter hook ingress device "far0" priority 0;
        drop
        }
        chain late { type filter hook prerouting priority -140;
        meta mark set 0x7700
        }
        }""",
    "a policy there": """table netdev theirs { chain c { type filter hook ingress device "far0" priority 0; policy drop;
        }
        }
        table inet theirs { chain late { type filter hook prerouting priority -140;
        meta mark set 0x7700
        }
        }""",
    "a dormant table that drops": """table inet sleeps { flags dormant;
        chain c { type filter hook prerouting priority -145;
        drop
        }
        }
        table inet theirs { chain late { type filter hook prerouting priority -140;
        meta mark set 0x7700
        }
        }""",
    "a dormant table that marks": """table inet theirs { flags dormant;
        chain c { type filter hook prerouting priority -140;
        meta mark set 0x7700
        }
        }""",
    "translation to another port": """table inet theirs { chain c { type nat hook prerouting priority -100;
        tcp dport 80 redirect to :81
        }
        chain late { type filter hook input priority 10;
        tcp dport 81 meta mark set 0x7700
        }
        }""",
    "translation of one family": """table inet theirs { chain c { type nat hook input priority 50;
        snat ip to 192.0.2.1
        }
        chain late { type filter hook input priority 60;
        meta mark set 0x7700
        }
        }""",
    "translation of what is no service's": """table inet theirs { chain c { type nat hook prerouting priority -100;
        ip daddr 10.0.7.7 tcp dport 8080 dnat to 10.0.7.8:80
        }
        }""",
}
HOLD = {"a dormant table that marks", "translation of what is no service's"}


def packets() -> list[Packet]:
    found = []
    for to in (*VIPS, "10.0.1.8"):
        icmp = 58 if ":" in to else 1
        found += [Packet("eth0", CLIENT_MAC, to, protocol, port, 0)
                  for protocol, port in ((6, 80), (6, 81), (17, 80), (17, 53), (132, 80), (icmp, None), (47, None))]
    return found


def rules_of(statement: str, verdict: str) -> str:
    late = "\n".join(f"{'ip6' if ':' in vip else 'ip'} daddr {vip} meta mark set {MARK:#x}" for vip in VIPS)
    return f"""table inet theirs {{
chain inner {{
drop
}}
chain returning {{
limit rate 1/day burst 1 packets drop
}}
{AROUND}
chain c {{ type filter hook prerouting priority -140;
{statement} {verdict}
{late}
}}
}}
"""


class Probes(unittest.TestCase):
    lab: DeepLab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = DeepLab(ETHERNET, TUNNEL)
        cls.addClassCleanup(cls.lab.close)
        site = known_site()
        allocated, _ = harness.learn(site)
        harness.load_apply_nft("lb1")
        cls.judge = Judge(cls.lab, Meaning(site, "lb1", allocated))
        cls.counts = collections.Counter()

    @classmethod
    def tearDownClass(cls) -> None:
        print(dict(cls.counts), flush=True)

    def tearDown(self) -> None:
        self.unload()

    @staticmethod
    def unload() -> None:
        for family in ("inet", "netdev"):
            for name in ("theirs", "sleeps"):
                subprocess.run(["nft", "delete", "table", family, name], capture_output=True)

    def load(self, text: str) -> bool:
        self.unload()
        done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True)
        self.counts["loaded" if done.returncode == 0 else "refused"] += 1
        return done.returncode == 0

    def check(self, text: str) -> bool:
        """Whether it holds, and so it does in the kernel. Several times: what counts packets may hold for the first."""
        said = proof("lb1")
        faults = [fault for family in said["families"] for fault in family["faults"]]
        kinds = collections.Counter(fault["kind"] for fault in faults)
        marks_hold = not kinds["differs"] and not kinds["unknown"]
        self.counts["holds" if marks_hold else "differs" if kinds["differs"] else "unknown"] += 1
        if marks_hold:
            for _ in range(2):
                self.assertEqual(self.judge.wrong(packets()), {}, text)
        for family in said["families"]:
            sure = [fault for fault in family["faults"][:2] if fault["kind"] != "unknown" and fault["decision"]["is_sure"]
                    and can_be_sent(fault["witness"])]
            self.counts["packets named"] += len(sure)
            self.assertEqual(self.judge.misses(sure), [], text)
        return marks_hold

    def test_every_statement(self) -> None:
        for index, (statement, verdict) in enumerate(itertools.product(STATEMENTS.strip().splitlines(), VERDICTS)):
            if EVERY != 1 and (index + index // len(VERDICTS)) % len(VERDICTS) != 0:
                continue
            with self.subTest(statement=statement, verdict=verdict):
                if self.load(rules_of(statement, verdict)):
                    self.check(statement)
        self.assertGreater(self.counts["loaded"], 300 // EVERY, self.counts)
        self.assertGreater(self.counts["holds"], 20 // EVERY, self.counts)

    def test_every_end(self) -> None:
        for statement in ENDS.strip().splitlines():
            with self.subTest(statement=statement):
                if self.load(rules_of(statement, "")):
                    self.check(statement)

    def test_tables(self) -> None:
        for name, text in TABLES.items():
            with self.subTest(name):
                self.assertTrue(self.load(text))
                self.assertEqual(self.check(text), name in HOLD)


if __name__ == "__main__":
    harness.main()
