#!/usr/bin/python3
"""Each match and each target that iptables knows, in foreign rules before, behind and around lbc's: where `lbc verify`
says that all holds, packets are sent, and have the site's mark; where it is sure of a difference, the packet that it
names has it. Each case has an address of a service to itself, so that many are judged at once."""

from __future__ import annotations

import collections
import os
import re
import subprocess
import unittest
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import xtables_forms as forms
from lbctest import harness, net
from lbctest.deep import DeepLab
from lbctest.draw import ETHERNET, TUNNEL
from lbctest.fixtures import CLIENT_MAC, PEER_MACS, directors
from lbctest.judge import Judge, can_be_sent, proof
from lbctest.model import Claim, Meaning, Packet, Real, Service, Site

MARK = 0x7700
LATE = f"-j MARK --set-mark {MARK:#x}"
BATCH = 120  # cases of one family that are judged at once
# One case in so many is judged, another one of each form; with 1, all are, which takes minutes.
EVERY = int(os.environ.get("LBC_TEST_EVERY", "4"))
PROGRAM = {4: "iptables", 6: "ip6tables"}
# Services of every port, and of some.
WIDE, PORTS = ("10.0.0.0/21", "fd00:1::/117"), ("10.1.0.0/21", "fd00:2::/117")
LIBRARIES = Path("/usr/lib")
TABLES = ("raw", "mangle", "nat", "filter")
PLACES = ("raw PREROUTING", "mangle PREROUTING", "mangle INPUT", "filter INPUT", "nat PREROUTING", "nat INPUT")
RATE = "-A OUTPUT -j RATEEST --rateest-name r --rateest-interval 250ms --rateest-ewmalog 500ms"
SETS = """create nets{f} hash:net family {inet}
add nets{f} {wide}
create nothing{f} hash:ip family {inet}
create few{f} hash:net family {inet}
add few{f} {ports}
add few{f} {some} nomatch
create maps{f} hash:net family {inet} skbinfo
add maps{f} {wide} skbmark 0x77/0xff skbprio 1:2
"""


def site() -> Site:
    def service(name: str, vips: tuple[str, ...], claims: list[Claim], mark: int) -> Service:
        return Service(name, list(vips), claims, [Real("lb1"), Real("lb2")], marks={"lb1": mark, "lb2": mark + 1},
                       local=True)
    return Site(directors(), [service("wide", WIDE, [Claim("any", [])], 3),
                              service("ports", PORTS, [Claim("tcp", [(80, 80), (8000, 8099)]), Claim("udp", [(53, 53)])],
                                      5)], guard="local")


@dataclass(frozen=True)
class Case:
    """Foreign rules about one address. Each has a place: a table and a chain, with `ahead` where it stands before
    lbc's jump. `{d}` in a rule becomes `-d ADDRESS`, `{c}` and `{r}` become chains of the case's own."""

    family: int
    kind: str  # those of one kind the kernel takes or refuses together
    name: str
    rules: tuple[tuple[str, str], ...]


def matches(family: int) -> Iterator[tuple[str, str]]:
    """The library, and a rule's part."""
    for option in (forms.PLAIN if family == 4 else forms.PLAIN_6):
        yield "", option
    for name, options in {**forms.MATCHES, **(forms.MATCHES_4 if family == 4 else forms.MATCHES_6)}.items():
        for option in options:
            protocol, rest = re.match(r"(-p \S+ )?(.*)", option).groups()
            yield name, f"{protocol or ''}-m {name} {rest}"


def targets(family: int) -> Iterator[tuple[str, str]]:
    for name, options in {**forms.TARGETS, **(forms.TARGETS_4 if family == 4 else forms.TARGETS_6)}.items():
        for option in options:
            protocol, rest = re.match(r"(-p \S+ (?:--tcp-flags \S+ \S+ )?)?(.*)", option).groups()
            yield name, f"{protocol or ''}-j {name} {rest}"


def around(match: str) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Rules with a match that must not be taken to hold always, nor never."""
    late = ("mangle PREROUTING", "{d} " + LATE)
    for end in ("-j ACCEPT", "-j RETURN", "-g {r}"):
        yield f"ahead {end}", (("mangle PREROUTING ahead", f"{{d}} {match} {end}"),)
    for end in ("-j DROP", "-j ACCEPT", "-j RETURN", "-g {r}", "-j {c}"):
        yield f"behind {end}", (("mangle {c}", "-j DROP"), ("mangle PREROUTING", f"{{d}} {match} {end}"), late)
    yield "behind MARK", (("mangle PREROUTING", f"{{d}} {match} {LATE}"),)
    yield "inside", (("mangle PREROUTING", "{d} -j {c}"), ("mangle {c}", f"{match} -j RETURN"), ("mangle {c}", LATE))
    yield "raw MARK", (("raw PREROUTING", f"{{d}} {match} -j MARK --set-mark 3"),)
    yield "INPUT DROP", (("filter INPUT", f"{{d}} {match} -j DROP"), ("filter INPUT", "{d} " + LATE))
    yield "INPUT MARK", (("filter INPUT", f"{{d}} {match} {LATE}"),)


def through(target: str) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Rules with a target that must not be taken to end, nor to leave the mark as it is."""
    for place in PLACES:
        yield f"{place} alone", ((place, f"{{d}} {target}"),)
        table = place if place in ("mangle PREROUTING", "mangle INPUT") else "filter INPUT"
        yield f"{place} then MARK", ((place, f"{{d}} {target}"), (table, "{d} " + LATE))
    yield "mangle PREROUTING ahead", (("mangle PREROUTING ahead", f"{{d}} {target}"),)
    yield "nat PREROUTING elsewhere", (("nat PREROUTING", f"{{d}} {target}"), ("filter INPUT", "-d {other} " + LATE))


def goes(name: str, rules: tuple[tuple[str, str], ...]) -> bool:
    """Whether a match or target can stand where the rules have it, which is in the first that is no chain's own."""
    place = " ".join(next(place for place, rule in rules if "{d}" in rule).split()[:2])
    return place in forms.PLACES.get(name, PLACES)


def cases(family: int) -> Iterator[Case]:
    for name, match in matches(family):
        for how, rules in around(match):
            if goes(name, rules):
                yield Case(family, name, f"{match}: {how}", rules)
    for name, target in targets(family):
        for how, rules in through(target):
            if goes(name, rules):
                yield Case(family, target, f"{target}: {how}", rules)
    for first, second in (*forms.PAIRS, *(forms.PAIRS_4 if family == 4 else forms.PAIRS_6)):
        for end in ("-j DROP", LATE):
            yield Case(family, f"{first}, {second}", f"{first}, {second}: {end}", (
                ("mangle PREROUTING", f"{{d}} {first}"), ("mangle PREROUTING", f"{{d}} {second} {end}"),
                *((("mangle PREROUTING", "{d} " + LATE),) if end != LATE else ())))


@dataclass(frozen=True)
class Placed:
    """A case with the address that it is about."""

    case: Case
    number: int

    @property
    def vip(self) -> str:
        family = 0 if self.case.family == 4 else 1
        return str(ip_network((WIDE, PORTS)[self.number % 2][family])[self.number])

    def rules(self) -> Iterator[tuple[str, str]]:
        four = self.case.family == 4
        other = str(ip_network("10.9.0.0/16" if four else "fd00:9::/112")[self.number])
        words = {"vip": self.vip, "n": self.number, "f": "" if four else "6", "other": other, "d": f"-d {self.vip}",
                 "bracketed": other if four else f"[{other}]", "net": "10.9.0.0/24" if four else "fd00:9::/120",
                 "c": f"c{self.number}", "r": f"r{self.number}"}
        for place, rule in self.case.rules:
            yield place.format_map(words), rule.format_map(words)


def text(placed: list[Placed], parts: tuple[bool, ...]) -> str:
    """All tables but what stands behind lbc's jump in the mangle table's PREROUTING (True), and that (False)."""
    lines: dict[str, list[str]] = {table: [] for table in TABLES}
    if True in parts:
        lines["mangle"] += [f":{kind}{one.number} - [0:0]" for one in placed for kind in "cr"] + [RATE]
    for one in placed:
        for place, rule in one.rules():
            table, chain, *where = place.split()
            if (bool(where) or (table, chain) != ("mangle", "PREROUTING")) in parts:
                lines[table].append(f"-A {chain} {rule}")
    return "".join("\n".join([f"*{table}", *rules, "COMMIT", ""]) for table, rules in lines.items())


def packets(vip: str) -> list[Packet]:
    icmp = 58 if ":" in vip else 1
    syn = Packet("eth0", CLIENT_MAC, vip, 6, 80)
    return [syn, replace(syn, port=81), replace(syn, flags=0x10), replace(syn, flags=0), replace(syn, hops=1),
            replace(syn, service_class=0x28, padding=90), replace(syn, options=True), replace(syn, mac=PEER_MACS[0]),
            replace(syn, device="eth1"), replace(syn, protocol=17, port=53), replace(syn, protocol=17, port=80),
            replace(syn, protocol=132), *(replace(syn, protocol=protocol, port=None)
                                          for protocol in (icmp, 33, 47, 50, 51, 108, 135, 136)),
            replace(syn, protocol=icmp, port=None, mac=PEER_MACS[1])]


def is_sure(fault: dict) -> bool:
    return fault["kind"] != "unknown" and fault["decision"] is not None and fault["decision"]["is_sure"]


class ProbesXtables(unittest.TestCase):
    lab: DeepLab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = DeepLab(ETHERNET, TUNNEL)
        cls.addClassCleanup(cls.lab.close)
        net.run("ip", "address", "add", "10.100.0.1/32", "dev", "eth0")
        allocated, _ = harness.learn(site())
        cls.judge = Judge(cls.lab, Meaning(site(), "lb1", allocated))
        cls.counts, cls.known = collections.Counter(), {}
        for family, (f, inet) in enumerate((("", "inet"), ("6", "inet6"))):
            net.run("ipset", "restore", text=SETS.format(f=f, inet=inet, wide=WIDE[family], ports=PORTS[family],
                                                         some=ip_network(PORTS[family])[9]))

    @classmethod
    def tearDownClass(cls) -> None:
        print(dict(cls.counts), flush=True)

    @staticmethod
    def restored(family: int, rules: str, *options: str) -> bool:
        return subprocess.run([f"{PROGRAM[family]}-legacy-restore", *options], input=rules, capture_output=True,
                              text=True, timeout=60).returncode == 0

    def taken(self, placed: list[Placed]) -> list[Placed]:
        """Those whose rules the kernel takes, in place of all others."""
        if not placed or self.restored(placed[0].case.family, text(placed, (True, False))):
            return placed
        if len(placed) == 1:
            self.counts["refused"] += 1
            return []
        middle = len(placed) // 2
        return self.taken(placed[:middle]) + self.taken(placed[middle:])

    def is_known(self, case: Case) -> bool:
        """Whether the kernel knows what the case is about; asked once of each kind."""
        key = (case.family, case.kind)
        if key not in self.known:
            self.known[key] = self.restored(case.family, text([Placed(case, 1)], (True, False)))
            self.counts["kinds" if self.known[key] else "unknown kinds"] += 1
        return self.known[key]

    def load(self, batch: dict[int, list[Placed]]) -> None:
        for family, placed in batch.items():
            self.assertTrue(self.restored(family, text(placed, (True,))))
        harness.load_apply("lb1")
        for family, placed in batch.items():
            self.assertTrue(self.restored(family, text(placed, (False,)), "--noflush"))

    def check(self, batch: dict[int, list[Placed]]) -> list[str]:
        self.load(batch)
        said = proof("lb1")
        by_vip = {ip_address(one.vip): one for placed in batch.values() for one in placed}
        doubted: dict[Placed, set[str]] = {}
        sure = []
        for family in said["families"]:
            self.assertFalse(family["given_up"])
            for fault in family["faults"]:
                about = ip_network(fault["packets"]["destination"])
                for vip, one in by_vip.items():
                    if vip.version == about.version and vip in about:
                        doubted.setdefault(one, set()).add(fault["kind"])
                if is_sure(fault) and can_be_sent(fault["witness"]):
                    sure.append(fault)
        held = [one for one in by_vip.values() if doubted.get(one, {"dropped"}) <= {"dropped"}]
        self.counts["holds"] += len(held)
        for kinds in doubted.values():
            self.counts.update(kinds)
        sent = [packet for one in held for packet in packets(one.vip)]
        found = []
        for _ in range(2):  # what counts packets may hold for the first
            found += [f"{by_vip[ip_address(packet.to)].case.name}: {text}" for packet, text in self.judge.wrong(sent).items()]
        self.counts["packets"] += 2 * len(sent)
        self.counts["packets named"] += len(sure)
        return found + [f"named: {said}" for said in self.judge.misses(sure)]

    def test_every_form(self) -> None:
        all_of = {family: [case for case in cases(family) if self.is_known(case)][::EVERY] for family in PROGRAM}
        wrong = []
        for start in range(0, max(map(len, all_of.values())), BATCH):
            wrong += self.check({family: self.taken([Placed(case, number) for number, case in
                                                     enumerate(found[start:start + BATCH], 1)])
                                 for family, found in all_of.items()})
        self.assertEqual(wrong, [], "\n".join(wrong))
        self.assertGreater(self.counts["holds"], 50, self.counts)

    def test_no_library_is_forgotten(self) -> None:
        known = {name.split()[0] for part in (forms.MATCHES, forms.MATCHES_4, forms.MATCHES_6, forms.TARGETS,
                                              forms.TARGETS_4, forms.TARGETS_6) for name in part}
        here = {found[1] for path in LIBRARIES.glob("*/xtables/lib*.so")
                if (found := re.fullmatch(r"lib(?:xt|ipt|ip6t)_(\w+)\.so", path.name))}
        if not here:
            self.skipTest("no libraries of iptables in /usr/lib")
        self.assertEqual(here - known - set(forms.EXCUSED), set())
        self.assertEqual(known & set(forms.EXCUSED), set())


if __name__ == "__main__":
    harness.main()
