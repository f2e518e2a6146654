"""Two keepaliveds, one with the old site and one with the new: what becomes of the VIPs for a change of each statement
of `vrrp`, in both orders, and that `lbc diff` says that. LBC_ROWS=REGEX runs the rows with such names, LBC_TEST_EVERY=1
all of them with daemons, and not a share."""

from __future__ import annotations

import json
import os
import re
import tempfile
import unittest
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from lbctest import keepalived, net
from lbctest.keepalived_pair import NAMES, Pair
from lbctest.project import compiled

ROOT = Path(__file__).parent.parent.parent
ONLY = os.environ.get("LBC_ROWS", "")
EVERY = int(os.environ.get("LBC_TEST_EVERY", "4"))
WORKERS = 12
DIRECTORS = """director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1, fd00::1 }
director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2, fd00::2 }
"""
# Both addresses of each in the VIPs' networks, so that `unicast` must say which.
FOUR_ADDRESSES = """director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1, 10.0.1.1 }
director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2, 10.0.1.2 }
"""
A, B, C = "10.0.0.100/24", "10.0.0.101/24", "10.0.0.102/24"
A6, B6, C6 = "fd00::100/64", "fd00::101/64", "fd00::102/64"
FAST = "300ms"  # which version 3 says; without `advert` version 2 says a second


class Seen(Enum):
    """What becomes of the VIPs that both sites have, while one director has the new site."""

    STAYS = "they stay where they are"
    GONE = "they are gone for a moment, from the director that has them"
    RESTARTS = "they go to the other director for a moment"
    DETOUR = "they go to the other director and back, in one of both orders"
    MOVES = "they go to the other director, as the new site says"
    LOST = "nobody has them until keepalived is started anew"
    BOTH = "both directors have them"


# A sentence of `lbc diff`, and what it means. Without any of them they stay.
SAID = {
    "they do not hear each other": Seen.BOTH,
    "some do not speak to it": Seen.BOTH,
    "two directors may hold it": Seen.BOTH,
    "the VIPs are nowhere": Seen.LOST,
    "the VIP moves from": Seen.MOVES,
    "and back, unless": Seen.DETOUR,
    "starts the instance anew": Seen.RESTARTS,
    "takes it away and puts it there anew": Seen.GONE,
}
WORST_FIRST = (Seen.BOTH, Seen.LOST, Seen.MOVES, Seen.DETOUR, Seen.RESTARTS, Seen.GONE, Seen.STAYS)


@dataclass(frozen=True)
class Row:
    statement: str
    change: str
    old: str
    new: str
    seen: Seen
    by_restart: bool = False  # keepalived is started anew, not told to read its file again
    directors: str = DIRECTORS
    by_chance: bool = False  # it hangs on when the master advertises whether they stay

    @property
    def name(self) -> str:
        return f"{self.statement}: {self.change}{', by restart' if self.by_restart else ''}"


def v(name: str = "v", **statements: str | None) -> str:
    """An instance; None leaves a usual statement out."""
    usual: dict[str, str | None] = {"vip": A, "interface": "eth0", "router_id": "51", "priority": "lb1 150, lb2 100",
                                    "advert": FAST}
    words = [f"{word.replace('_', '-')} {value}".strip()
             for word, value in (usual | statements).items() if value is not None]
    return f"vrrp {name} {{ {'; '.join(words)} }}\n"


def w(**statements: str) -> str:
    return v("w", vip="10.0.1.200/24", interface="eth1", router_id="52", **statements)


WAYS = {  # of speaking, and three VIPs of the family
    "version 2": ({"advert": None}, A, B, C),
    "version 2, unicast": ({"advert": None, "unicast": ""}, A, B, C),
    "version 3": ({}, A, B, C),
    "version 3, unicast": ({"unicast": ""}, A, B, C),
    "IPv6": ({}, A6, B6, C6),
    "IPv6, unicast": ({"unicast": ""}, A6, B6, C6),
}


def vip_rows() -> Iterable[Row]:
    for way, (more, first, second, third) in WAYS.items():
        def site(*vips: str) -> str:
            return v(vip=", ".join(vips), **more)

        for restart in (False, True):
            yield Row("vip", f"add, {way}", site(first), site(first, second), Seen.STAYS, restart)
        yield Row("vip", f"take away, {way}", site(first, second), site(first), Seen.STAYS)
        yield Row("vip", f"another order of those behind the first, {way}", site(first, second, third),
                  site(first, third, second), Seen.STAYS)
        yield Row("vip", f"another first, {way}", site(first, second), site(second, first), Seen.BOTH)


SCRIPT = 'script "/bin/true"'
ROWS = [
    *vip_rows(),
    Row("vip", "the first replaced", v(vip=f"{A}, {B}"), v(vip=f"{C}, {B}"), Seen.BOTH),
    Row("vip", "length of the first", v(), v(vip="10.0.0.100/25"), Seen.GONE),
    Row("vip", "length of the second", v(vip=f"{A}, {B}"), v(vip=f"{A}, 10.0.0.101/25"), Seen.GONE),
    Row("vip", "dev of the first", v(), v(vip=f"{A} dev eth1"), Seen.GONE),
    Row("vip", "dev of the second", v(vip=f"{A}, {B}"), v(vip=f"{A}, {B} dev eth1"), Seen.GONE),
    Row("vip", "add one of the other family", v(), v(vip=f"{A}, {A6}"), Seen.STAYS),
    Row("vip", "another family first", v(vip=f"{A}, {A6}"), v(vip=f"{A6}, {A}"), Seen.BOTH),
    Row("vip", "to another instance", v(vip=f"{A}, {B}") + v("w", vip=C, router_id="52"),
        v(vip=A) + v("w", vip=f"{C}, {B}", router_id="52"), Seen.GONE),
    Row("vip", "to an instance that is new", v(vip=f"{A}, {B}"), v(vip=A) + v("w", vip=B, router_id="52"), Seen.BOTH),
    Row("vip", "from an instance that ends", v(vip=A) + v("w", vip=B, router_id="52"), v(vip=f"{A}, {B}"), Seen.BOTH),
    Row("vip", "from an instance that ends to one that is new", v(vip=A) + v("w", vip=B, router_id="52"),
        v(vip=A) + v("y", vip=B, router_id="53"), Seen.BOTH),
    Row("interface", "change", v(), v(interface="eth1"), Seen.BOTH),
    Row("router-id", "change", v(), v(router_id="61"), Seen.BOTH),
    Row("priority", "the backup's, still lower", v(), v(priority="lb1 150, lb2 120"), Seen.STAYS),
    Row("priority", "the master's, still higher", v(), v(priority="lb1 120, lb2 100"), Seen.STAYS),
    Row("priority", "another highest", v(), v(priority="lb1 100, lb2 150"), Seen.MOVES),
    Row("priority", "another highest, nopreempt", v(nopreempt=""), v(nopreempt="", priority="lb1 100, lb2 150"),
        Seen.STAYS),
    Row("priority", "both raised", v(priority="lb1 100, lb2 90"), v(priority="lb1 200, lb2 190"), Seen.DETOUR),
    Row("priority", "both lowered", v(priority="lb1 200, lb2 190"), v(priority="lb1 100, lb2 90"), Seen.DETOUR),
    Row("priority", "the backup leaves", v(), v(priority="lb1 150"), Seen.STAYS),
    Row("priority", "a backup joins", v(priority="lb1 150"), v(), Seen.STAYS),
    Row("priority", "the master leaves", v(), v(priority="lb2 100"), Seen.MOVES),
    Row("priority", "a master joins", v(priority="lb2 100"), v(), Seen.MOVES),
    Row("advert", "longer, version 2", v(advert=None), v(advert="2s"), Seen.BOTH),
    Row("advert", "shorter, version 2", v(advert="2s"), v(advert="1s"), Seen.BOTH),
    Row("advert", "what is usual, version 2", v(advert=None), v(advert="1s"), Seen.STAYS),
    Row("advert", "take away, version 2", v(advert="2s"), v(advert=None), Seen.BOTH),
    Row("advert", "version 2 to 3", v(advert=None), v(), Seen.BOTH),
    Row("advert", "version 3 to 2", v(), v(advert=None), Seen.BOTH),
    Row("advert", "longer, version 3", v(), v(advert="700ms"), Seen.STAYS),
    Row("advert", "shorter, version 3", v(advert="700ms"), v(), Seen.STAYS),
    Row("advert", "to less than a third, version 3", v(advert="1200ms"), v(), Seen.DETOUR, by_chance=True),
    Row("advert", "longer, IPv6", v(vip=A6), v(vip=A6, advert="700ms"), Seen.STAYS),
    Row("nopreempt", "add", v(), v(nopreempt=""), Seen.STAYS),
    Row("nopreempt", "take away", v(nopreempt=""), v(), Seen.STAYS),
    Row("preempt-delay", "add", v(), v(preempt_delay="1s"), Seen.STAYS),
    Row("preempt-delay", "change", v(preempt_delay="1s"), v(preempt_delay="2s"), Seen.STAYS),
    Row("preempt-delay", "take away", v(preempt_delay="1s"), v(), Seen.STAYS),
    Row("unicast", "add", v(), v(unicast=""), Seen.BOTH),
    Row("unicast", "take away", v(unicast=""), v(), Seen.BOTH),
    Row("unicast", "add, IPv6", v(vip=A6), v(vip=A6, unicast=""), Seen.BOTH),
    Row("unicast", "another address", v(unicast=""), v(unicast="lb1 10.0.1.1"), Seen.BOTH, directors=FOUR_ADDRESSES),
    Row("unicast", "a backup joins", v(unicast="", priority="lb1 150"), v(unicast=""), Seen.BOTH),
    Row("unicast", "the backup leaves", v(unicast=""), v(unicast="", priority="lb1 150"), Seen.BOTH),
    Row("auth", "add", v(advert=None), v(advert=None, auth='"one"'), Seen.BOTH),
    Row("auth", "change", v(advert=None, auth='"one"'), v(advert=None, auth='"two"'), Seen.BOTH),
    Row("auth", "take away", v(advert=None, auth='"one"'), v(advert=None), Seen.BOTH),
    Row("virtual-mac", "add", v(), v(virtual_mac=""), Seen.RESTARTS),
    Row("virtual-mac", "take away", v(virtual_mac=""), v(), Seen.RESTARTS),
    Row("virtual-mac", "add, unicast", v(unicast=""), v(unicast="", virtual_mac=""), Seen.STAYS),
    Row("virtual-mac", "take away, unicast", v(unicast="", virtual_mac=""), v(unicast=""), Seen.LOST),
    Row("track", "interface: add", v(), v(track="interface eth1"), Seen.STAYS),
    Row("track", "interface: take away", v(track="interface eth1"), v(), Seen.STAYS),
    Row("track", "script: add", v(), v(track=SCRIPT), Seen.STAYS),
    Row("track", "script: change", v(track=SCRIPT), v(track='script "/bin/true again"'), Seen.STAYS),
    Row("track", "script: every", v(track=SCRIPT), v(track=SCRIPT + " every 2s"), Seen.STAYS),
    Row("track", "script: take away", v(track=SCRIPT), v(), Seen.STAYS),
    Row("track", "script: add with a weight", v(), v(track=SCRIPT + " weight 10"), Seen.STAYS),
    Row("track", "script: add with a weight below 0", v(), v(track=SCRIPT + " weight -10"), Seen.STAYS),
    Row("track", "script: another weight", v(track=SCRIPT + " weight 10"), v(track=SCRIPT + " weight 20"), Seen.STAYS),
    Row("track", "script: add with a weight above the difference", v(), v(track=SCRIPT + " weight 60"), Seen.DETOUR),
    Row("track", "script: take away a weight above the difference", v(track=SCRIPT + " weight 60"), v(track=SCRIPT),
        Seen.DETOUR),
    Row("notify", "add", v(), v(notify='"/bin/true"'), Seen.STAYS),
    Row("notify", "change", v(notify='"/bin/true"'), v(notify='"/bin/true again"'), Seen.STAYS),
    Row("notify", "take away", v(notify='"/bin/true"'), v(), Seen.STAYS),
    Row("group", "add", v() + w(), v(group="g") + w(group="g"), Seen.STAYS),
    Row("group", "change", v(group="f") + w(group="f"), v(group="g") + w(group="g"), Seen.STAYS),
    Row("group", "take away", v(group="g") + w(group="g"), v() + w(), Seen.STAYS),
    Row("vrrp", "another name", v(), v("x"), Seen.STAYS),
    Row("vrrp", "add an instance", v(), v() + w(), Seen.STAYS),
    Row("vrrp", "take away an instance", v() + w(), v(), Seen.STAYS),
]
CHOSEN = [row for row in ROWS if re.search(ONLY, row.name)]
# Tried with daemons: one row of each statement and outcome, and a share of the others.
SHARE = CHOSEN[::EVERY] + [row for row in {(row.statement, row.seen): row for row in CHOSEN}.values()
                           if row not in CHOSEN[::EVERY]]


def vips(site: str) -> set[str]:
    return {address for words in re.findall(r" vip ([^;]*)", site)
            for address in re.findall(r"([0-9a-f.:]+)/\d+", words)}


def longest_advert(*sites: str) -> float:
    found = [int(number) / (1000 if unit == "ms" else 1) for number, unit in re.findall(r"advert (\d+)(ms|s)",
                                                                                        "".join(sites))]
    return max([*found, *(1.0 for site in sites if site.count("vrrp ") != site.count("advert "))])


class Sites:
    """Both sites of a change as files, and what lbc makes of them."""

    def __init__(self, folder: Path, old: str, new: str, directors: str = DIRECTORS):
        self.folder = folder
        for name, text in (("old", old), ("new", new)):
            (folder / f"{name}.lb").write_text(directors + text, encoding="utf-8")

    def text(self, side: str, director: str) -> str:
        return compiled(str(self.folder / f"{side}.lb"), "--emit", "keepalived", "-d", director)

    def diff(self) -> dict:
        done = keepalived.lbc("diff", str(self.folder / "old.lb"), str(self.folder / "new.lb"), "--format", "json")
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)


def scratch() -> Path:
    return Path(tempfile.mkdtemp(dir=keepalived.SCRATCH))


def said_of(difference: dict) -> Seen:
    lines = [change for change in difference["changes"] if change["subject"].startswith("vrrp ")]
    found = {seen for line in lines for words, seen in SAID.items() if words in line["text"]}
    # A VIP that goes is no other VIP's matter.
    disruptive = any(line["disruptive"] for line in lines
                     if not line["text"].startswith(("VIPs: ", "instance removed: ")))
    if disruptive != bool(found):
        raise AssertionError(f"disruptive without a word why, or the reverse: {lines}")
    return next((seen for seen in WORST_FIRST if seen in found), Seen.STAYS)


def roll_out(row: Row, sites: Sites, order: tuple[str, ...]) -> Seen:
    """Both boxes are changed, one after the other."""
    pair = Pair(scratch(), vips(row.old) & vips(row.new), longest_advert(row.old, row.new))
    boxes = {one.name: one for one in pair.boxes}
    try:
        for one in pair.boxes:
            one.change(sites.text("old", one.name))
        first = holders = pair.settle()
        found = {Seen.STAYS}
        for name in order:
            since = pair.now()
            boxes[name].change(sites.text("new", name), row.by_restart)
            before, holders = holders, pair.settle()
            steps = pair.moves(since)
            (master,) = first
            if len(holders) > 1:
                found.add(Seen.BOTH)
            elif not holders:
                found.add(Seen.LOST)
            elif holders != before and len(before) == 1:
                found.add(Seen.MOVES)
            elif before == holders == {master} and f"{master}-" in steps:
                found.add(Seen.GONE if all(step.startswith(master) for step in steps) else Seen.RESTARTS)
        if Seen.MOVES in found and holders == first:
            found = found - {Seen.MOVES} | {Seen.DETOUR}
        if row.by_restart:  # which moves them
            found -= {Seen.DETOUR, Seen.RESTARTS}
        return next(seen for seen in WORST_FIRST if seen in found)
    finally:
        pair.close()


def roll_out_with_the_backup_stopped(row: Row, sites: Sites) -> list[set[str]]:
    """As `lbc diff` says it: the holders after each step."""
    pair = Pair(scratch(), vips(row.old) & vips(row.new), longest_advert(row.old, row.new))
    master, backup = pair.boxes
    try:
        for one in pair.boxes:
            one.change(sites.text("old", one.name))
        holders = [pair.settle()]
        backup.stop()
        master.change(sites.text("new", master.name))
        holders.append(pair.settle())
        backup.start(sites.text("new", backup.name))
        return [*holders, pair.settle()]
    finally:
        pair.close()


class Changes(unittest.TestCase):
    maxDiff = None

    def for_each(self, rows: list[Row], check) -> None:
        """Calls `check` for rows side by side."""
        def attempt(row: Row) -> BaseException | None:
            try:
                check(row, Sites(scratch(), row.old, row.new, row.directors))
            except Exception as error:  # noqa: BLE001: the subtest raises it
                return error
            return None

        with ThreadPoolExecutor(WORKERS) as workers:
            for row, error in zip(rows, workers.map(attempt, rows), strict=True):
                with self.subTest(row.name):
                    if error is not None:
                        raise error

    def test_every_statement_has_rows(self) -> None:
        source = (ROOT / "compiler/site/read_vrrp.cpp").read_text(encoding="utf-8")
        statements = set(re.findall(r'StatementRule<VrrpDraft>\{\s*"([\w-]+)"', source))
        self.assertIn("router-id", statements)
        self.assertEqual(statements - {row.statement for row in ROWS}, set())

    def test_diff_says_what_is_in_the_table(self) -> None:
        self.for_each(CHOSEN, lambda row, sites: self.assertEqual(said_of(sites.diff()), row.seen, sites.diff()))

    def test_two_keepaliveds_do_what_is_in_the_table(self) -> None:
        def check(row: Row, sites: Sites) -> None:
            seen = [roll_out(row, sites, order) for order in (NAMES, NAMES[::-1])]
            worst = next(one for one in WORST_FIRST if one in seen)
            self.assertIn(worst, {row.seen, Seen.STAYS} if row.by_chance else {row.seen}, seen)

        self.for_each(SHARE, check)

    def test_the_way_that_diff_names_has_one_master(self) -> None:
        def check(row: Row, sites: Sites) -> None:
            steps = sites.diff()["rollout"]["vrrp"]
            if any("they do not hear each other" in change["text"] for change in sites.diff()["changes"]):
                self.assertIn("stop keepalived on lb2, change all directors, and start it there again", steps[0])
                self.assertEqual(roll_out_with_the_backup_stopped(row, sites), [{"lb1"}] * 3)
            elif row.seen == Seen.DETOUR:
                order = re.findall(r"change (\w+) before (\w+)", steps[0])[0]
                self.assertEqual(roll_out(row, sites, order), Seen.STAYS)
            elif "two directors may hold it" in str(sites.diff()["changes"]):
                if steps[0].partition(": ")[2].startswith("stop keepalived on lb2, change all directors, and start it"):
                    self.assertEqual(roll_out_with_the_backup_stopped(row, sites), [{"lb1"}] * 3)
                else:
                    order = re.findall(r"change (\w+) before (\w+)", steps[0])[0]
                    self.assertNotEqual(roll_out(row, sites, order), Seen.BOTH)
            elif row.statement == "virtual-mac":
                self.assertIn("stop keepalived on each director before it is changed, and start it behind", steps[0])
                for order in (NAMES, NAMES[::-1]):
                    self.assertEqual(roll_out(replace(row, by_restart=True), sites, order), Seen.STAYS)
            else:
                when = re.findall("(?:start|stop) keepalived on lb2 (when all|before) others", steps[0])[0]
                self.assertNotEqual(roll_out(row, sites, NAMES if when == "when all" else NAMES[::-1]), Seen.BOTH)

        self.for_each([row for row in SHARE if row.seen in (Seen.BOTH, Seen.DETOUR, Seen.LOST)], check)


def as_before(text: str) -> str:
    """The text of a release that had all VIPs in advertisements."""
    return re.sub(r"\s*\}\n\s*virtual_ipaddress_excluded \{\n", "\n", text)


@unittest.skipIf(ONLY, "a few rows are chosen")
class OldTexts(unittest.TestCase):
    """A box that still has all VIPs in its advertisements, beside one that has the first alone."""

    def change(self, site: str) -> list[set[str]]:
        sites = Sites(scratch(), site, site)
        pair = Pair(scratch(), vips(site), longest_advert(site))
        try:
            for one in pair.boxes:
                one.start(as_before(sites.text("old", one.name)))
            seen = [pair.settle()]
            for one in pair.boxes:
                one.reload(sites.text("new", one.name))
                seen.append(pair.settle())
            return seen
        finally:
            pair.close()

    def test_with_one_vip_nothing_happens(self) -> None:
        self.assertEqual(self.change(v()), [{"lb1"}] * 3)

    def test_with_two_both_are_master_until_both_have_it(self) -> None:
        self.assertEqual(self.change(v(vip=f"{A}, {B}")), [{"lb1"}, {"lb1", "lb2"}, {"lb1"}])

    def test_with_the_backup_stopped_there_is_one_master(self) -> None:
        site = v(vip=f"{A}, {B}")
        sites = Sites(scratch(), site, site)
        sites.text = lambda side, director: (  # type: ignore[method-assign]
            as_before(Sites.text(sites, side, director)) if side == "old" else Sites.text(sites, side, director))
        row = Row("vip", "text of an earlier release", site, site, Seen.BOTH)
        self.assertEqual(roll_out_with_the_backup_stopped(row, sites), [{"lb1"}] * 3)


if __name__ == "__main__":
    keepalived.enter()
    result = unittest.main(verbosity=2, exit=False).result
    if not result.wasSuccessful():
        raise SystemExit(1)
    if result.skipped:
        net.skip("; ".join(reason for _, reason in result.skipped))
