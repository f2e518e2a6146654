#!/usr/bin/python3
"""What `lbc verify` proves is so in the kernel: what it finds is there, for the very packets that it names, and where it
finds nothing every packet has the site's mark."""

from __future__ import annotations

import collections
import json
import os
import shutil
import subprocess
import unittest
from dataclasses import dataclass, replace
from random import Random

from lbctest import harness, net
from lbctest.deep import DeepLab
from lbctest.draw import ETHERNET, TUNNEL, Draw, Packets
from lbctest.draw_rules import Rules
from lbctest.fixtures import VIPS, known_site
from lbctest.judge import Judge, can_be_sent, proof
from lbctest.model import Meaning, Packet, Site

SITES, SETS = 10, 16
NOBODY = 65534
TABLES = ("raw", "mangle", "filter")
DUMPS = {4: "iptables", 6: "ip6tables"}


def verify(director: str, *options: str, status: int) -> dict:
    done = harness.lbc("verify", str(harness.SITE), "-d", director, *options, "--format", "json")
    said = json.loads(done.stdout)["directors"][0] if done.returncode in (0, 1) else {"holds": None}
    # The devices of these namespaces are not those of the file, which the status of a kernel's rules is about, too.
    if said["holds"] != (status == 0) or (status == 1 and done.returncode != 1):
        raise AssertionError(f"status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
    return said


def live(director: str, status: int) -> dict:
    return verify(director, "--only", "marks", status=status)


def faults(said: dict) -> list[dict]:
    return [fault for family in said["families"] for fault in family["faults"]]


def place_of(fault: dict) -> tuple[str, str, int]:
    return fault["decision"]["table"], fault["decision"]["chain"], fault["decision"]["number"]


def dumps(variant: str) -> list[str]:
    """Options with what the save programs print, each family's in a file of its own."""
    options = []
    for program in harness.FAMILIES:
        path = harness.SCRATCH / f"{program}.{variant}"
        path.write_text(net.run(f"{program}-{variant}-save"), encoding="utf-8")
        if path.stat().st_size:  # a family without tables has no text
            options += ["--against", str(path)]
    return options


@dataclass
class Case:
    """Rules of others, and where the one that breaks it stands."""

    name: str
    rules: str  # lines of `iptables-restore`, with the table's name first
    place: tuple[str, str, int] | None = None  # of what is found; None: nothing is


BROKEN = (
    Case("an end before the jump", "mangle -I PREROUTING 1 -p tcp -m tcp --dport 80 -j ACCEPT",
         ("mangle", "PREROUTING", 1)),
    Case("a return before the jump", "mangle -I PREROUTING 1 -j RETURN", ("mangle", "PREROUTING", 1)),
    Case("a mark behind it", f"mangle -A PREROUTING -d {VIPS[0]} -j MARK --set-mark 0x99", ("mangle", "PREROUTING", 2)),
    Case("a bit more behind it", "mangle -A PREROUTING -p udp -j MARK --or-mark 0x4000", ("mangle", "PREROUTING", 2)),
    Case("a return for a mark", "mangle -I PREROUTING 1 -m mark --mark 0x70 -j RETURN", ("mangle", "PREROUTING", 1)),
    Case("a mark of the site's in raw", "raw -A PREROUTING -d 10.0.9.9 -j MARK --set-mark 3", ("raw", "PREROUTING", 1)),
    Case("a mark in mangle INPUT", "mangle -A INPUT -i eth+ -p tcp -j MARK --set-mark 0x99", ("mangle", "INPUT", 1)),
    Case("a mark in filter INPUT", f"filter -A INPUT -d {VIPS[0]} -j LOG\n-A INPUT -m mark --mark 3 -j MARK --set-mark 4",
         ("filter", "INPUT", 2)),
    Case("a chain of others", "mangle -N far\n-N near\n-A near -j LOG\n-A near -d 10.0.0.8/29 -g far\n-A far -p icmp\n"
         "-A far -j MARK --and-mark 0xfffffffe\n-A PREROUTING -j near", ("mangle", "far", 2)),
    Case("a mark for what the director sends", "mangle -A OUTPUT -p tcp -m multiport --dports 1:99 -j MARK --set-mark 0",
         ("mangle", "OUTPUT", 2)),
)

# What others do to lbc's table of nftables, or beside it.
BROKEN_NFT = (
    "flush set inet lbc peers",
    "flush chain inet lbc peers",
    "insert rule inet lbc prerouting tcp dport 80 return",
    "add rule inet lbc prerouting meta mark set 0x99",
    "insert rule inet lbc output meta mark set 3",
    "table inet theirs {\nchain late { type filter hook prerouting priority -149;\n"
    f"ip daddr {VIPS[0]} meta mark set 0x99\n}}\n}}",
    "table ip theirs {\nset those { type ipv4_addr; flags interval; elements = { 10.0.0.0/28 }\n}\n"
    "chain in { type filter hook input priority 0;\nip daddr @those meta mark set meta mark & 0xfffffffe\n}\n}",
    "table inet theirs {\nchain in { type filter hook input priority 10;\n"
    "meta l4proto udp meta mark set meta mark | 0x4000\n}\n}",
)

HARMLESS = (
    Case("other addresses", "mangle -I PREROUTING 1 -d 203.0.113.0/24 -j ACCEPT\n-A PREROUTING -d 203.0.113.0/24 -j MARK "
         "--set-mark 0x99"),
    Case("marks that lbc's come after", "raw -A PREROUTING -j MARK --set-mark 0x99"),
    Case("marks for other traffic", "mangle -A PREROUTING -p tcp -m tcp --dport 22 -j MARK --set-mark 0x99"),
    Case("a mark that nobody has", "mangle -I PREROUTING 1 -m mark --mark 0x3 -j MARK --set-mark 0x99"),
    Case("a log", "mangle -I PREROUTING 1 -j LOG --log-prefix seen\n-A INPUT -j LOG\n-A OUTPUT -j LOG"),
    Case("others dropped", "filter -A INPUT -p tcp -m tcp --dport 25 -j DROP\n-A INPUT -d 203.0.113.7 -j DROP"),
    Case("an end behind it", "mangle -A PREROUTING -j ACCEPT\n-A INPUT -j ACCEPT"),
)


def load(case: Case) -> None:
    table, _, rules = case.rules.partition(" ")
    lines = [line.replace("-N ", ":") + " -" if line.startswith("-N ") else line for line in rules.split("\n")]
    net.run("iptables-legacy-restore", "--noflush", text="\n".join([f"*{table}", *lines, "COMMIT", ""]))


class Verify(unittest.TestCase):
    lab: DeepLab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = DeepLab(ETHERNET, TUNNEL)
        cls.addClassCleanup(cls.lab.close)

    def tearDown(self) -> None:
        self.clear()

    @staticmethod
    def clear() -> None:
        harness.clear()
        for family in ("ip", "inet"):
            subprocess.run(["nft", "delete", "table", family, "theirs"], capture_output=True)
        for program in harness.FAMILIES:
            net.run(f"{program}-legacy-restore", text="".join(f"*{table}\nCOMMIT\n" for table in TABLES))

    def known(self) -> Meaning:
        """With lbc's rules alone."""
        self.clear()
        site = known_site()
        allocated, _ = harness.learn(site)
        harness.load_apply("lb1")
        return Meaning(site, "lb1", allocated)

    def test_sites_hold(self) -> None:
        count = 0
        for seed in range(1, SITES + 1):
            site = Draw(Random(seed)).site()
            harness.write(site)
            for director in site.directors:
                with self.subTest(seed=seed, director=director.name):
                    count += 1
                    self.clear()
                    harness.load_apply(director.name)
                    live(director.name, 0)
                    verify(director.name, *dumps("legacy"), status=0)
            with self.subTest(seed=seed, backend="nft"):
                self.clear()
                harness.load_apply_nft(site.directors[0].name)
                live(site.directors[0].name, 0)
                listed = harness.SCRATCH / "nft.json"
                listed.write_text(net.run("nft", "-j", "list", "ruleset"), encoding="utf-8")
                verify(site.directors[0].name, "--against", str(listed), status=0)
            with self.subTest(seed=seed, variant="nft"):
                self.clear()
                harness.load_restore(site.directors[0].name, "nft")
                self.assertFalse(verify(site.directors[0].name, *dumps("nft"), status=0)["unknown"])
                live(site.directors[0].name, 0)
        print(f"{count} directors", flush=True)

    def test_what_breaks_it_is_found(self) -> None:
        """By its place, and the packet that is named has the wrong mark in the kernel."""
        count = 0
        for case in BROKEN:
            with self.subTest(case.name):
                meaning = self.known()
                load(case)
                found = faults(live("lb1", 1))
                self.assertEqual(found, faults(verify("lb1", *dumps("legacy"), status=1)))
                for fault in found:
                    self.assertEqual((fault["kind"], place_of(fault)), ("differs", case.place))
                    self.assertFalse(fault["decision"]["is_lbc"])
                self.assertEqual(Judge(self.lab, meaning).misses(found), [])
                count += len(found)
        print(f"{count} faults, each seen in the kernel", flush=True)

    def test_what_breaks_nftables_is_found(self) -> None:
        """Each packet that is named has the wrong mark in the kernel."""
        count = 0
        for change in BROKEN_NFT:
            with self.subTest(change):
                meaning = self.known()
                self.clear()
                harness.load_apply_nft("lb1")
                net.run("nft", "-f", "-", text=change)
                found = faults(live("lb1", 1))
                self.assertTrue(found)
                self.assertEqual({fault["kind"] for fault in found}, {"differs"})
                sent = [fault for fault in found if can_be_sent(fault["witness"])]
                self.assertEqual(Judge(self.lab, meaning).misses(sent), [])
                count += len(sent)
        print(f"{count} faults of nftables, each seen in the kernel", flush=True)

    def test_what_is_harmless_is_not(self) -> None:
        for case in HARMLESS:
            with self.subTest(case.name):
                self.known()
                load(case)
                said = live("lb1", 0)
                self.assertEqual([family["dropped_by_others"] for family in said["families"]], [[], []])
                verify("lb1", *dumps("legacy"), status=0)

    def test_packets_that_others_drop(self) -> None:
        """They are faults of their own kind, with the rule, and each packet that is named is dropped."""
        meaning = self.known()
        load(Case("", "filter -A INPUT -p tcp -m tcp --dport 80 -j DROP"))
        found = faults(live("lb1", 1))
        self.assertEqual({fault["kind"] for fault in found}, {"dropped"})
        self.assertEqual({fault["packets"]["destination"] for fault in found}, {VIPS[0]})
        self.assertEqual({str(fault["packets"]["ports"]) for fault in found},
                         {"[{'protocol': 6, 'ranges': [[80, 80]]}]"})
        self.assertEqual({fault["decision"]["rule"] for fault in found}, {"-p tcp -m tcp --dport 80 -j DROP"})
        sendable = [fault for fault in found if can_be_sent(fault["witness"])]
        self.assertTrue(sendable)
        self.assertEqual(Judge(self.lab, meaning).misses(sendable), [])

    def test_random_rules(self) -> None:
        """Whatever rules others have: each fault is one in the kernel, and without a fault no packet shows one."""
        counts: collections.Counter = collections.Counter()
        for seed in range(1, SETS + 1):
            with self.subTest(seed=seed):
                self.clear()
                self.check_random(Draw(Random(seed)).site() if seed % 4 else known_site(), seed, counts)
        print(dict(counts), flush=True)
        self.assertTrue(counts["faults"] and counts["packets as the site says"], counts)

    def check_random(self, site: Site, seed: int, counts: collections.Counter) -> None:
        rng = Random(f"verify {seed}")
        allocated, _ = harness.learn(site)
        director = rng.choice(site.directors).name
        meaning = Meaning(site, director, allocated)
        harness.load_apply(director)
        self.provide_devices()
        drawn = Packets(rng, meaning, self.lab.devices)
        # With the marks that a proof looks at: none on the way in, and none or the guard's on the way out.
        entering = [replace(packet, mark=0) for packet in drawn.incoming()]
        leaving = [packet for packet in drawn.outgoing() if packet.mark in (0, allocated.get(None))]
        packets = rng.sample(entering, min(90, len(entering))) + rng.sample(leaving, min(20, len(leaving)))
        judge = Judge(self.lab, meaning)
        self.load_random(rng, packets, sorted(judge.marks), few=seed % 2 == 0)
        said = proof(director)
        for family in said["families"]:
            number = 4 if family["family"] == "ipv4" else 6
            self.assertNotIn("unknown", [fault["kind"] for fault in family["faults"]], "all is of a kind that lbc knows")
            found = [fault for fault in family["faults"] if can_be_sent(fault["witness"])]
            found = rng.sample(found, min(8, len(found)))
            counts["faults"] += len(found)
            wrong = judge.misses(found)
            if all(fault["kind"] == "dropped" for fault in family["faults"]):
                some = [packet for packet in packets if packet.family == number]
                counts["packets as the site says"] += len(some)
                self.provide_devices()
                wrong += judge.wrong(some).values()
            rules = net.run(f"{DUMPS[number]}-legacy-save") if wrong else ""
            self.assertFalse(wrong, "\n".join([*wrong[:4], rules, f"seed {seed}, {director}", site.to_lb()]))

    def provide_devices(self) -> None:
        """As they were, where a packet before needed one of the other kind."""
        for device in (*ETHERNET, TUNNEL):
            self.lab.provide(device, device != TUNNEL)

    @staticmethod
    def load_random(rng: Random, packets: list[Packet], marks: list[int], few: bool) -> None:
        """`few`: rules of the kind that others have, with marks that are not the site's, before lbc's."""
        for family, program in DUMPS.items():
            about = [packet for packet in packets if packet.family == family]
            if about and few:
                rules = Rules(rng, about, [0x7777, 0x17777])
                lines = [f"-A PREROUTING {rules.rule('in', [])}" for _ in range(3)]
                net.run(f"{program}-legacy-restore", "--noflush", text="\n".join(["*raw", *lines, "COMMIT", ""]))
            elif about:
                net.run(f"{program}-legacy-restore", "--noflush", text=Rules(rng, about, marks).text())


class Reading(unittest.TestCase):
    """It reads, and does nothing else."""

    PACKET = ("--to", f"{VIPS[0]}:80")

    def setUp(self) -> None:
        harness.lbc_ok("apply", harness.write(known_site()), "--only", "marks", "-d", "lb1")
        self.addCleanup(harness.clear)

    def commands(self) -> tuple[tuple[str, ...], ...]:
        return (("verify", str(harness.SITE), "-d", "lb1", "--only", "marks"),
                ("trace", str(harness.SITE), "-d", "lb1", *self.PACKET, "--live"))

    def test_nothing_is_changed(self) -> None:
        for program in harness.FAMILIES:
            counted = [f"[12:3456] {line}" if line.startswith("-A") else line for line in harness.saved(program)]
            net.run(f"{program}-legacy-restore", "-c", text="\n".join(counted) + "\n")

        def state() -> list[list[str]]:
            return [harness.saved(program, counters=True) for program in harness.FAMILIES]

        before = state()
        self.assertIn("[12:3456] -A PREROUTING -j LBC", before[0])
        for command in self.commands():
            self.assertIn(harness.lbc(*command).returncode, (0, 1))
            self.assertEqual(state(), before)

    def test_no_table_is_made(self) -> None:
        """In a namespace that has none."""
        names = "/proc/net/ip_tables_names /proc/net/ip6_tables_names"
        for command, status in zip(self.commands(), (1, 0), strict=True):
            done = net.run("unshare", "-n", "sh", "-c", f'"$@"; echo "status $?"; cat {names}; nft list tables', "sh",
                           harness.LBC, *command)
            self.assertEqual(done.partition("status ")[2].split(), [str(status)], done)

    def test_no_right_to_the_rules(self) -> None:
        """The program is a copy that a user without rights can reach."""
        program = harness.SCRATCH / "lbc"
        shutil.copy(shutil.which(harness.LBC), program)
        os.chmod(program, 0o755)
        os.chmod(harness.SCRATCH, 0o755)
        for command in self.commands():
            done = subprocess.run([program, *command], capture_output=True, text=True, timeout=60, user=NOBODY,
                                  group=NOBODY, extra_groups=[])
            self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
            self.assertIn("CAP_NET_ADMIN", done.stderr)


if __name__ == "__main__":
    harness.main()
