#!/usr/bin/python3
"""What `lbc compile --emit nft` leaves in the kernel: the same table whatever was there before, and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import unittest
import unittest.mock
from collections.abc import Iterator
from pathlib import Path
from random import Random

from lbctest import harness, net
from lbctest.draw import FEW, MANY, Draw
from lbctest.fixtures import directors, known_site, moved_site, small_site, web
from lbctest.model import Site

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ERRORS = EXAMPLES.parent / "tests" / "errors"
SITES = 40
# Counters, tables with lbc's names in other families, and a table whose name only looks like lbc's.
FOREIGN = """
table ip lbc {
    chain prerouting { type filter hook prerouting priority mangle; counter packets 7 bytes 77 accept; }
}
table inet lbc-other {
    set peers { type ether_addr; elements = { 02:00:00:00:00:99 } }
    chain prerouting {
        type filter hook prerouting priority -200;
        iifname "eth7" counter packets 5 bytes 500 meta mark set 0x10
    }
}
table bridge lbc {
    chain output { type filter hook output priority 0; }
}
"""


def tables() -> list[str]:
    return net.run("nft", "list", "tables").splitlines()


def text_of(site: Site | Path, director: str = "lb1") -> str:
    path = harness.write(site) if isinstance(site, Site) else str(site)
    return harness.lbc_ok("compile", path, "-d", director, "--emit", "nft")


def load(text: str) -> None:
    net.run("nft", "-f", "-", text=text)


def nothing_on_lb1() -> Site:
    site = Site(directors(), [web()], guard="local")
    site.services[0].on = ["lb2"]
    site.services[0].marks = 4
    return site


class NftTable(unittest.TestCase):
    def tearDown(self) -> None:
        net.run("nft", "flush", "ruleset")

    def test_examples_pass_nft(self) -> None:
        """`nft -c` takes the text where there is no table, and where it has just been loaded."""
        checked = 0
        for path in (*EXAMPLES.glob("*.lb"), *EXAMPLES.glob("*/site.lb")):
            said = json.loads(harness.lbc_ok("compile", str(path), "--emit", "json"))
            for director in said["site"]["directors"]:
                with self.subTest(path=path.name, director=director["name"]):
                    text = text_of(path, director["name"])
                    net.run("nft", "-c", "-f", "-", text=text)
                    self.assertEqual(tables(), [], "nft -c has changed something")
                    load(text)
                    net.run("nft", "-c", "-f", "-", text=text)
                    self.tearDown()
                    checked += 1
        self.assertGreater(checked, 6)

    def test_equal_text_for_equal_sites(self) -> None:
        self.assertEqual(text_of(known_site()), text_of(known_site()))

    def test_a_second_load_changes_nothing(self) -> None:
        for site in (known_site(), small_site(), moved_site()):
            text = text_of(site)
            load(text)
            once = harness.listed("table", "inet", "lbc")
            load(text)
            self.assertEqual(harness.listed("table", "inet", "lbc"), once)

    def test_the_rules_are_the_same_whatever_was_there(self) -> None:
        """Random sites one after the other, and each where there is no table. Sets of earlier ones may be left."""
        compared = 0
        for seed in range(SITES):
            rng = Random(seed)
            site = Draw(rng).site(MANY if seed % 4 == 0 else FEW)
            if harness.lbc("check", harness.write(site)).returncode != 0:
                continue  # two services that meet through a tunnel
            text = text_of(site, rng.choice(site.directors).name)
            with self.subTest(seed=seed):
                compared += 1
                load(text)
                after = harness.listed("ruleset")
                net.run("nft", "flush", "ruleset")
                load(text)
                fresh = harness.listed("ruleset")
                left = [json.loads(part) for part in after if part not in fresh]
                self.assertEqual([part for part in after if part in fresh], fresh)
                self.assertTrue(all("set" in part or "map" in part for part in left), left)
        self.assertGreater(compared, SITES // 2)

    def test_apply_finds_what_the_text_has_left(self) -> None:
        """Random sites: `apply` takes what a load has made for what it wants, and a second `apply` writes nothing."""
        compared = 0
        for seed in range(100, 100 + SITES):
            rng = Random(seed)
            site = Draw(rng).site(MANY if seed % 4 == 0 else FEW)
            if harness.lbc("check", harness.write(site)).returncode != 0:
                continue
            director = rng.choice(site.directors).name
            with self.subTest(seed=seed):
                compared += 1
                self.apply(director)
                self.assertIn("nothing differs, nothing written", self.apply(director))
                after = harness.listed("ruleset")
                net.run("nft", "flush", "ruleset")
                load(text_of(site, director))
                self.assertIn("nothing differs, nothing written", self.apply(director))
                self.assertEqual(harness.listed("ruleset"), after)
        self.assertGreater(compared, SITES // 2)
        harness.lbc_ok("remove", "--only", "marks")
        self.assertEqual(tables(), [])

    @staticmethod
    def apply(director: str = "lb1", *arguments: str) -> str:
        return harness.lbc_ok("apply", str(harness.SITE), "--only", "marks", "-d", director, "--backend", "nft",
                              *arguments)

    def test_apply_mends_whatever_was_changed(self) -> None:
        harness.write(known_site())
        self.apply()
        wanted = harness.listed("ruleset")
        for change in ("add element inet lbc peers { 02:00:00:00:00:98 }", "flush set inet lbc peers",
                       "add rule inet lbc prerouting meta mark set 0x9", "flush chain inet lbc peers",
                       "add set inet lbc more { type ether_addr; }", "add chain inet lbc more",
                       "insert rule inet lbc output accept", "delete table inet lbc"):
            with self.subTest(change=change):
                net.run("nft", change)
                self.assertNotEqual(harness.listed("ruleset"), wanted)
                self.assertIn("table inet lbc of nftables would change", self.apply("lb1", "--dry-run"))
                self.apply()
                self.assertEqual(harness.listed("ruleset"), wanted)

    @contextlib.contextmanager
    def iptables_is(self, kind: str) -> Iterator[None]:
        folder = harness.SCRATCH / kind
        folder.mkdir(exist_ok=True)
        link = folder / "iptables"
        link.unlink(missing_ok=True)
        link.symlink_to(shutil.which(f"xtables-{kind}-multi", path=os.environ["PATH"] + ":/usr/sbin"))
        with unittest.mock.patch.dict(os.environ, {"PATH": f"{folder}:{os.environ['PATH']}"}):
            yield

    def auto(self) -> str:
        done = harness.lbc("apply", str(harness.SITE), "--only", "marks", "-d", "lb1", "--backend", "auto")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def test_auto(self) -> None:
        """What is there; else what `iptables` is."""
        harness.write(known_site())
        with self.iptables_is("nft"):
            self.assertIn("lb1: marks by nftables: `iptables` keeps its rules in nftables here", self.auto())
        with self.iptables_is("legacy"):
            self.assertIn("lb1: marks by nftables: lbc's table of nftables is here", self.auto())
            harness.lbc_ok("remove", "--only", "marks")
            self.assertIn("lb1: marks by iptables: the kernel has legacy iptables", self.auto())
        self.assertEqual(tables(), [])
        with self.iptables_is("nft"):
            said = self.auto()
            self.assertIn("nothing differs", said)
            self.assertIn("lb1: marks by iptables: lbc's chains are in the legacy tables of iptables", said)
        harness.lbc_ok("remove", "--only", "marks")

    def marks(self, *arguments: str, status: int = 0) -> str:
        """`apply` without a word of the backend but these."""
        done = subprocess.run([harness.LBC, "apply", str(harness.SITE), "--only", "marks", "-d", "lb1", *arguments],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_not_asked(self) -> None:
        """A director goes on with what marks there."""
        for start, there, not_there in (("nft", "table inet lbc", "mangle"), ("iptables", "mangle", "table inet lbc")):
            with self.subTest(start=start):
                harness.write(known_site())
                self.marks("--backend", start)
                self.assertIn("nothing differs", self.marks())
                harness.write(moved_site())
                said = self.marks()
                self.assertIn(there, said)
                self.assertNotIn(not_there, said)
                self.assertIn("nothing differs", self.marks("--prove"))
                harness.lbc_ok("remove", "--only", "marks")
                self.assertEqual((tables(), harness.own(harness.saved())), ([], []))

    PLACES = {"iptables": "the legacy tables of iptables", "nft": "the table inet lbc of nftables",
              "script": "the tables of iptables-nft"}

    def places(self) -> set[str]:
        """Where lbc's rules are, each with those of both families."""
        found = {"nft"} if "table inet lbc" in tables() else set()
        for kind, name in (("legacy", "iptables"), ("nft", "script")):
            own = [any(map(harness.is_own, net.run(f"{program}-{kind}-save", "-t", "mangle").splitlines()))
                   for program in harness.FAMILIES]
            self.assertEqual(len(set(own)), 1)
            found |= {name} if own[0] else set()
        return found

    def bring_to(self, place: str) -> None:
        if place == "script":
            harness.load_script("lb1", "nft")
        else:
            self.marks("--backend", place)
        self.assertEqual(self.places(), {place})

    def test_a_move_begins_when_it_is_asked_for(self) -> None:
        harness.write(known_site())
        for start in self.PLACES:
            for tool in ("iptables", "nft"):
                if start == tool:
                    continue
                with self.subTest(start=start, tool=tool):
                    self.bring_to(start)
                    before = harness.everything()
                    said = self.marks("--backend", tool, status=3)
                    self.assertIn(f"lbc's rules are in {self.PLACES[start]} here", said)
                    self.assertIn("--migrate", said)
                    self.marks("--backend", tool, "--migrate", "--dry-run")
                    self.assertEqual(harness.everything(), before)
                    self.assertIn(f"marks move from {self.PLACES[start]}", self.marks("--backend", tool, "--migrate"))
                    self.assertEqual(self.places(), {tool})
                    self.assertIn("nothing differs", self.marks("--backend", tool))
                    self.assertIn("nothing differs", self.marks("--backend", tool, "--migrate"))
                    harness.lbc_ok("remove", "--only", "marks")
                    self.assertEqual(self.places(), set())

    def test_a_move_to_what_the_box_uses(self) -> None:
        harness.write(known_site())
        for kind, tool in (("nft", "nft"), ("legacy", "iptables")):
            for start in self.PLACES:
                with self.subTest(kind=kind, start=start):
                    self.bring_to(start)
                    with self.iptables_is(kind):
                        self.marks("--migrate")
                        self.assertEqual(self.places(), {tool})
                    harness.lbc_ok("remove", "--only", "marks")

    def test_a_move_that_was_begun_is_ended_unasked(self) -> None:
        """As a killed run leaves it: rules in two places."""
        harness.write(known_site())
        for tool in ("iptables", "nft"):
            for other in self.PLACES:
                if other == tool:
                    continue
                with self.subTest(tool=tool, other=other):
                    self.bring_to(tool)
                    harness.LOADERS[{"iptables": "restore-legacy", "nft": "nft", "script": "restore-nft"}[other]]("lb1")
                    self.assertEqual(self.places(), {tool, other})
                    self.marks("--backend", tool)
                    self.assertEqual(self.places(), {tool})
                    harness.lbc_ok("remove", "--only", "marks")

    @staticmethod
    def variant_rules() -> list[str]:
        return [line for program in harness.FAMILIES
                for line in net.run(f"{program}-nft-save", "-t", "mangle").splitlines() if line.startswith("-A")]

    def test_rules_of_others_stay_in_tables_of_iptables_nft(self) -> None:
        harness.write(known_site())
        for program in harness.FAMILIES:
            net.run(f"{program}-nft", "-t", "mangle", "-N", "theirs")
            net.run(f"{program}-nft", "-t", "mangle", "-A", "PREROUTING", "-i", "eth7", "-j", "theirs")
        harness.load_script("lb1", "nft")
        for program in harness.FAMILIES:
            net.run(f"{program}-nft", "-t", "mangle", "-A", "PREROUTING", "-p", "gre", "-j", "MARK", "--set-mark", "9")
        theirs = harness.foreign(self.variant_rules())
        self.assertEqual(len(theirs), 4)
        self.marks("--backend", "nft", "--migrate")
        self.assertEqual(self.variant_rules(), theirs)
        harness.lbc_ok("remove", "--only", "marks")
        # A foreign rule that leads into an own chain: nothing is moved.
        harness.load_script("lb1", "nft")
        net.run("iptables-nft", "-t", "mangle", "-A", "theirs", "-j", "LBC-PEER")
        before = harness.listed("ruleset")
        self.assertIn("iptables-nft-restore failed", self.marks("--backend", "nft", "--migrate", status=4))
        self.assertEqual(harness.listed("ruleset"), before)

    def test_other_tables_stay_beside_apply(self) -> None:
        load(FOREIGN)
        before = net.run("nft", "-a", "list", "ruleset")
        for site in (known_site(), small_site(), moved_site()):
            harness.write(site)
            self.apply()
            self.assertTrue(net.run("nft", "-a", "list", "ruleset").startswith(before))
        harness.lbc_ok("remove", "--only", "marks")
        self.assertEqual(net.run("nft", "-a", "list", "ruleset"), before)

    def test_no_marks_no_table(self) -> None:
        text = text_of(nothing_on_lb1())
        load(text)
        self.assertEqual(tables(), [])
        load(text_of(known_site()))
        self.assertEqual(tables(), ["table inet lbc"])
        load(text)
        self.assertEqual(tables(), [])

    def test_other_tables_stay(self) -> None:
        load(FOREIGN)
        before = net.run("nft", "-a", "list", "ruleset")
        for site in (known_site(), small_site(), moved_site()):
            load(text_of(site))
            after = net.run("nft", "-a", "list", "ruleset")
            self.assertEqual(after[:after.index("table inet lbc {")].strip(), before.strip())
        load(text_of(nothing_on_lb1()))
        self.assertEqual(net.run("nft", "-a", "list", "ruleset"), before)

    def test_a_text_that_fails_changes_nothing(self) -> None:
        load(text_of(known_site()))
        before = net.run("nft", "-a", "list", "ruleset")
        text = text_of(moved_site()) + "\nadd rule inet lbc prerouting jump nowhere\n"
        done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(net.run("nft", "-a", "list", "ruleset"), before)

    def test_names_of_interfaces(self) -> None:
        """`*` and `\\` are letters of a name; only `+` at the end is more."""
        site = known_site()
        for name in ("f*", "*", "x*+", "d\\*", "\\", "b\\c", "e$h0", "eth0:1", "123456789abcde+"):
            site.services[0].interfaces = [name, "eth1"]
            with self.subTest(name=name):
                load(text_of(site))


if __name__ == "__main__":
    harness.main()
