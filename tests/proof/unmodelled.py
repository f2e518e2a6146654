#!/usr/bin/python3
"""Rules of which nobody can tell from their text what they do: never proved to be harmless where they could matter, and
no reason to doubt where they could not.

    PYTHONPATH=tests/support LBC=build/dev/lbc unmodelled.py [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import unittest
from collections import Counter

import claims
from lbctest import harness
from lbctest.model import Claim, Director, Real, Service, Site

VIP, OTHER_VIP, CLIENT_OF_PORT = "192.0.2.10", "192.0.2.99", "-p tcp -m tcp --dport 80"
MARK, GUARD = 0x11, 0x1FF
PEER = "02:00:00:00:00:02"

# Matches that hold for some packets of a sort and not for others, as iptables-save words them.
MATCHES = (
    "-m conntrack --ctstate NEW",
    "-m conntrack ! --ctstate RELATED,ESTABLISHED",
    "-s 10.0.0.0/8",
    "! -s 10.0.0.0/8",
    "-m statistic --mode random --probability 0.50000000000",
    "-m set --match-set blocked src",
    "-m limit --limit 5/sec",
    "-m string --string \"-j MARK\" --algo bm --to 65535",
    "-p tcp -m tcp --sport 1024:65535",
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
    "-m ttl --ttl-gt 3",
    "-m connmark --mark 0x11",
    "-m addrtype --dst-type LOCAL",
    "-m comment --comment \"a --mark 0x11\" -m u32 --u32 \"0x0=0x0\"",
    "-m matchofnextyear --level 3",
)
# Targets that may change the mark, or take the packet elsewhere.
TARGETS = (
    "HMARK --hmark-tuple src --hmark-mod 8 --hmark-offset 1",
    "NFQUEUE --queue-num 3",
    "TARGETOFNEXTYEAR --do it",
)
NAT_TARGETS = ("DNAT --to-destination 10.9.9.9", "REDIRECT --to-ports 8080")
# Targets that leave both alone.
HARMLESS = ("LOG --log-prefix \"-j MARK --set-xmark 0x11/0xffffffff\"", "TCPMSS --clamp-mss-to-pmtu",
            "CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff")


def example() -> Site:
    """A director with a peer, a guard, and a service of which its own packets are, too."""
    directors = [Director("lb1", ["02:00:00:00:00:01"], ["192.0.2.1"]), Director("lb2", [PEER], ["192.0.2.2"])]
    service = Service("web", [VIP], [Claim("tcp", [(80, 80)])], [Real("lb1"), Real("lb2"), Real("192.0.2.21")],
                      marks={"lb1": MARK, "lb2": MARK + 1}, local=True)
    return Site(directors, [service], "local", (0x100, GUARD))


class Unmodelled(unittest.TestCase):
    counts: Counter = Counter()

    @classmethod
    def setUpClass(cls) -> None:
        site = example()
        allocated, _ = harness.learn(site)
        assert allocated[None] == GUARD, allocated
        cls.case = next(c for c in claims.cases_of(site, "unmodelled.lb") if (c.director, c.family) == ("lb1", 4))

    @classmethod
    def tearDownClass(cls) -> None:
        print(dict(cls.counts), flush=True)
        assert cls.counts["doubted"] > 200 and cls.counts["proved"] > 200, cls.counts

    def with_rules(self, rules: list[str], before: bool, table: str) -> str:
        text = self.case.text
        if table != "mangle":
            return "\n".join([f"*{table}", *rules, "COMMIT", text])
        for rule in rules:
            hook = f"-A {rule.split()[1]} -j LBC"
            if before:
                self.assertIn(hook, text)
                text = text.replace(hook, f"{rule}\n{hook}")
            else:
                text = text.replace("COMMIT", f"{rule}\nCOMMIT")
        return text

    def doubted(self, rule: str, before: bool = True, table: str = "mangle") -> None:
        text = self.with_rules([rule], before, table)
        status, said = self.case.verify(text)
        with self.subTest(rule=rule, before=before, table=table):
            self.assertEqual(status, 1, self.case.told(text, said))
            self.assertTrue(said["faults"])
            for fault in said["faults"]:
                vague = len(fault["possible"]) > 1 or any(o["unknown"] or "unknown_bits" in o for o in fault["possible"])
                self.assertEqual(fault["kind"], "unknown" if vague else "differs", fault)
                self.assertIsNotNone(fault["decision"], fault)
        self.counts["doubted"] += 1

    def proved(self, rules: list[str], before: bool = True, table: str = "mangle") -> None:
        """None of them matters, nor all together."""
        text = self.with_rules(rules, before, table)
        status, said = self.case.verify(text)
        with self.subTest(rules=rules, before=before, table=table):
            self.assertEqual((status, said.get("faults")), (0, []), self.case.told(text, said))
        self.counts["proved"] += len(rules)

    def test_matches_that_could_matter(self) -> None:
        for match in MATCHES:
            for to in ("", f"-d {VIP}/32 "):
                # Past lbc's chain, or to another mark behind it; a packet of nobody's could get a mark of the site's.
                self.doubted(f"-A PREROUTING {to}{match} -j ACCEPT")
                self.doubted(f"-A PREROUTING {to}{match} -j MARK --set-xmark 0x7700/0xffffffff", before=False)
                self.doubted(f"-A OUTPUT {to}{match} -j RETURN")
            self.doubted(f"-A PREROUTING -d {OTHER_VIP}/32 {match} -j MARK --set-xmark {MARK:#x}/0xffffffff")
            self.doubted(f"-A OUTPUT -d {VIP}/32 {match} -j MARK --set-xmark 0x0/0xffffffff", before=False)

    def test_matches_that_cannot(self) -> None:
        for match in MATCHES:
            # What others drop needs no mark, and what they do with what is no service's is their own affair.
            rules = [f"-A {chain} {match} -j {target}" for chain in ("PREROUTING", "OUTPUT")
                     for target in ("DROP", HARMLESS[0])]
            rules += [f"-A PREROUTING -d {OTHER_VIP}/32 {match} -j {target}"
                      for target in ("MARK --set-xmark 0x7700/0xffffffff", "ACCEPT")]
            # Before lbc's rules the mark of a service is still to come, and behind them there is nothing to miss.
            self.proved([*rules, f"-A PREROUTING {match} -j MARK --set-xmark 0x7700/0xffffffff"])
            self.proved([*rules, f"-A PREROUTING {match} -j ACCEPT"], before=False)

    def test_rules_of_lbc_with_a_match_more(self) -> None:
        text = self.case.text
        for line in [line for line in text.splitlines() if line.startswith("-A")]:
            for match in MATCHES:
                if match.startswith("-p"):
                    continue  # two protocols in one rule are refused
                rule = line.rpartition(" -j " if " -j " in line else " -g ")[0]
                changed = text.replace(line, f"{rule} {match}{line[len(rule):]}")
                status, said = self.case.verify(changed)
                with self.subTest(line=line, match=match):
                    self.assertEqual(status, 1, self.case.told(changed, said))
                self.counts["doubted"] += 1

    def test_targets(self) -> None:
        for target in TARGETS:
            self.doubted(f"-A PREROUTING -j {target}", before=False)
            self.doubted(f"-A PREROUTING -d {VIP}/32 {CLIENT_OF_PORT} -j {target}", before=False)
            self.doubted(f"-A OUTPUT -d {VIP}/32 -j {target}", before=False)
            # It may give what is no service's a mark of the site's.
            self.doubted(f"-A PREROUTING -d {OTHER_VIP}/32 -j {target}", before=False)
        for target in NAT_TARGETS:
            for rule in (f"-A PREROUTING -d {VIP}/32 {CLIENT_OF_PORT} -j {target}", f"-A OUTPUT -p tcp -j {target}"):
                self.doubted(rule, table="nat")
        # nat sees the first packet of a connection alone.
        for to in (f"-d {VIP}/32 {CLIENT_OF_PORT} ", ""):
            self.doubted(f"-A PREROUTING {to}-j MARK --set-xmark 0x7700/0xffffffff", table="nat")
        rules = [f"-A {chain} -j {target}" for chain in ("PREROUTING", "OUTPUT") for target in HARMLESS]
        for before in (True, False):
            self.proved(rules, before)

    def test_restored_marks(self) -> None:
        """A connection's mark is 0, or one that a rule gives it."""
        restore = f"-A PREROUTING -d {OTHER_VIP}/32 -j CONNMARK --restore-mark"
        self.proved([restore])
        self.proved([restore, "-A FORWARD -j CONNMARK --set-mark 0x7700"], before=False)
        self.proved([restore, "-A POSTROUTING -m mark --mark 0x7700 -j CONNMARK --save-mark"], before=False)
        for rule in (f"-A FORWARD -j CONNMARK --set-mark {MARK:#x}", "-A POSTROUTING -j CONNMARK --save-mark",
                     f"-A POSTROUTING -m mark --mark {MARK:#x} -j CONNMARK --save-mark",
                     "-A INPUT -j CONNMARK --or-mark 0x1\n-A INPUT -j CONNMARK --or-mark 0x10",
                     "-A INPUT -j CONNMARK --save-mark --left-shift-mark 4", "-A FORWARD -j NFQUEUE --queue-num 3"):
            self.doubted(f"{restore}\n{rule}")
            self.doubted(f"{rule}\n{restore}", before=False)
        # Behind lbc's rules, the first packet of a connection gets its mark, 0.
        self.doubted("-A PREROUTING -j CONNMARK --restore-mark", before=False)

    def test_matches_that_give_a_mark(self) -> None:
        """The socket's mark is there before a match behind it fails."""
        for match in ("", " -m mac --mac-source 02:00:00:00:00:77", " -m mark --mark 0x12345"):
            for target in ("", " -j RETURN", " -j DROP"):
                self.doubted(f"-A PREROUTING -m socket --restore-skmark{match}{target}", before=False)

    def test_words_that_are_easily_passed_over(self) -> None:
        without = "\n".join(line for line in self.case.text.splitlines() if f"{MARK:#x}/" not in line)
        for rule in ("-A INPUT -p tcp -j REJECT --dport 81", "-A INPUT -j REJECT --destination=192.0.2.77"):
            text = f"*filter\n{rule}\nCOMMIT\n{without}"
            status, said = self.case.verify(text)
            self.assertEqual(status, 1, self.case.told(text, said))
        # A frame can have any source, and a chain any name.
        self.doubted("-A PREROUTING -m mac --mac-source 00:00:00:00:00:00 -j ACCEPT")
        text = self.case.text.replace(":LBC ", ":HMARK - [0:0]\n:LBC ") + "-A PREROUTING -j HMARK\n"
        text = text.replace("COMMIT\n-A PREROUTING -j HMARK", "-A PREROUTING -j HMARK\nCOMMIT")
        self.assertIn("-j HMARK\nCOMMIT", text)
        self.assertEqual(self.case.verify(text)[0], 1)

    def test_other_tables(self) -> None:
        for match in MATCHES:
            # ACCEPT ends the walk through its own table alone.
            for table, chain in (("raw", "PREROUTING"), ("raw", "OUTPUT"), ("filter", "INPUT")):
                self.proved([f"-A {chain} {match} -j {target}" for target in ("DROP", "ACCEPT")], table=table)
            self.proved([f"-A FORWARD {match} -j DROP"], table="filter")  # a packet for IPVS goes through INPUT
            self.proved([f"-A POSTROUTING {match} -j MASQUERADE"], table="nat")  # behind IPVS


if __name__ == "__main__":
    unittest.main(verbosity=2)
