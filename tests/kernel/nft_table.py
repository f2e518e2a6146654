#!/usr/bin/env python3
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

import harness
import net
from draw import FEW, MANY, Draw
from fixtures import directors, known_site, moved_site, small_site, web
from model import Site

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


def ordered(value: object) -> object:
    """Elements of a hash come in any order."""
    if isinstance(value, dict):
        return {key: sorted(map(json.dumps, item)) if key in ("elem", "set") and isinstance(item, list) else
                ordered(item) for key, item in value.items() if key != "handle"}
    if isinstance(value, list):
        return [ordered(item) for item in value if not (isinstance(item, dict) and "metainfo" in item)]
    return value


def listed(*what: str) -> list[str]:
    """What stays comes before what is new, so only the order of rules counts."""
    parts = ordered(json.loads(net.run("nft", "-j", "list", *what))["nftables"])
    rules = [json.dumps(part) for part in parts if "rule" in part]
    by_chain = sorted(rules, key=lambda text: json.loads(text)["rule"]["chain"])
    return sorted(json.dumps(part) for part in parts if "rule" not in part) + by_chain


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
            once = listed("table", "inet", "lbc")
            load(text)
            self.assertEqual(listed("table", "inet", "lbc"), once)

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
                after = listed("ruleset")
                net.run("nft", "flush", "ruleset")
                load(text)
                fresh = listed("ruleset")
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
                after = listed("ruleset")
                net.run("nft", "flush", "ruleset")
                load(text_of(site, director))
                self.assertIn("nothing differs, nothing written", self.apply(director))
                self.assertEqual(listed("ruleset"), after)
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
        wanted = listed("ruleset")
        for change in ("add element inet lbc peers { 02:00:00:00:00:98 }", "flush set inet lbc peers",
                       "add rule inet lbc prerouting meta mark set 0x9", "flush chain inet lbc peers",
                       "add set inet lbc more { type ether_addr; }", "add chain inet lbc more",
                       "insert rule inet lbc output accept", "delete table inet lbc"):
            with self.subTest(change=change):
                net.run("nft", change)
                self.assertNotEqual(listed("ruleset"), wanted)
                self.assertIn("table inet lbc of nftables would change", self.apply("lb1", "--dry-run"))
                self.apply()
                self.assertEqual(listed("ruleset"), wanted)

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
        self.apply()
        self.assertEqual(harness.own(harness.saved()), [])
        harness.lbc_ok("remove", "--only", "marks")

    def test_not_asked(self) -> None:
        """A director goes on with what marks there: never do both."""
        harness.write(known_site())
        unasked = ["apply", str(harness.SITE), "--only", "marks", "-d", "lb1"]
        self.apply()
        self.assertIn("nothing differs", harness.lbc_ok(*unasked))
        harness.write(moved_site())
        self.assertIn("table inet lbc", harness.lbc_ok(*unasked))
        self.assertEqual(harness.own(harness.saved()), [])
        self.assertIn("nothing differs", harness.lbc_ok(*unasked, "--prove"))
        harness.lbc_ok(*unasked, "--backend", "iptables")
        self.assertEqual(tables(), [])
        self.assertIn("nothing differs", harness.lbc_ok(*unasked, "--prove"))
        harness.lbc_ok("remove", "--only", "marks")

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
