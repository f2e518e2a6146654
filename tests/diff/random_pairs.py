#!/usr/bin/python3
"""Random pairs of sites: `lbc diff` lists a packet if and only if the language gives it another mark by the new site,
and a virtual service if and only if IPVS gets it otherwise.

    PYTHONPATH=tests/support LBC=build/dev/lbc random_pairs.py [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import unittest
from collections import Counter
from dataclasses import replace
from random import Random

import reading
import sides
from lbctest import edits
from lbctest.draw import ETHERNET, TUNNEL, Draw, Packets
from lbctest.model import Packet, Site

PAIRS = 32  # of which each INDEPENDENT-th is of two sites that have nothing to do with each other
INDEPENDENT = 6
REWRITTEN = 12
PER_SERVICE = 12
PER_CLASS = 16  # classes of a director that packets are drawn from
DEVICES = (*ETHERNET, TUNNEL, "lo", "nowhere7", "eth", "et", "wlan0", "eth123456789abc")


def independent(site: Site) -> Site:
    """Directors of one name, and of others."""
    for director in site.directors[1:]:
        director.name = director.name.replace("_d", "lb").replace("LB-", "lb").replace(".a", "")
    return site


def pair_of(seed: int) -> tuple[sides.Side, sides.Side, list[str]] | None:
    rng = Random(f"pair {seed}")
    draw = Draw(rng)
    old = draw.site()
    if seed % INDEPENDENT == 0:
        new, done = Draw(rng).site(), ["independent"]
    else:
        new, done = edits.Editor(rng, draw).edited(old, rng.choice((1, 1, 2, 4)), edits.ALL)
    before, after = sides.side_of(old, "old.lb"), sides.side_of(new, "new.lb")
    if before and after:
        sides.pair(before, after)
    return (before, after, done) if before and after and done else None


def packets_for(rng: Random, old: sides.Side, new: sides.Side, director: str, classes: list[dict]) -> list[Packet]:
    """What lies around every service of either site, and around every class of the answer."""
    found: list[Packet] = []
    macs: list[str | None] = [None]
    guards = {side.allocated[None] for side in (old, new) if None in side.allocated}
    for side in (old, new):
        meaning = side.meaning(director) or side.meaning(side.names()[0])
        drawn = Packets(rng, meaning, list(DEVICES))
        macs += drawn.special + drawn.clients
        for service in side.site.services:
            for to, protocol, port in drawn.targets(service, PER_SERVICE):
                found += [Packet(rng.choice(DEVICES), rng.choice(macs), to, protocol, port) for _ in range(3)]
                found += [Packet(None, None, to, protocol, port, mark) for mark in (0, *guards)]
    for one in rng.sample(classes, min(PER_CLASS, len(classes))):
        found += reading.packets_of(rng, one, [m for m in macs if m], list(DEVICES))
    return found


class RandomPairs(unittest.TestCase):
    counts: Counter

    @classmethod
    def setUpClass(cls) -> None:
        cls.counts = Counter()

    def check_packets(self, seed: int, old: sides.Side, new: sides.Side, said: dict) -> None:
        rng = Random(f"packets {seed}")
        for director in sides.all_names(old, new):
            classes = reading.traffic_of(said, director)
            before, after = old.meaning(director), new.meaning(director)
            for packet in packets_for(rng, old, new, director, classes):
                marks = sides.model_marks(before, after, packet)
                told = reading.marks_said(classes, packet)
                expected = marks if marks[0] != marks[1] else None
                if packet.mark and told is None and reading.marks_said(classes, replace(packet, mark=0)):
                    continue  # no rule asks for its mark: the answer is that for packets without one
                self.counts["packets"] += 1
                self.counts["changed packets"] += expected is not None
                self.counts["own changed packets"] += expected is not None and packet.device is None
                if told != expected:
                    self.fail(sides.fail_with(old, new, seed, f"{director}: {packet} has the marks {marks}, and lbc "
                                                              f"diff says {told}"))

    def check_whole(self, seed: int, old: sides.Side, new: sides.Side, said: dict) -> None:
        def explain(what: str) -> str:
            return sides.fail_with(old, new, seed, what)
        written = {entry["director"] for entry in said["writes"]}
        for director in sides.all_names(old, new):
            same = old.rules(director) == new.rules(director) and self.ipvs(old, director) == self.ipvs(new, director)
            self.assertEqual(director not in written, same, explain(f"writes of {director}"))
        self.assertEqual(said["differs"], bool(said["changes"] or said["traffic"]))
        self.assertEqual(said["disruptive"], sum(c["disruptive"] for c in said["changes"]))
        self.assertEqual(sides.status(old, new), 1 if said["differs"] else 0)
        told = [change["directors"] for change in said["changes"]]
        for entry in said["traffic"]:
            name = entry["director"]  # a change of no director is one of the site
            self.assertTrue(any(not names or name in names for names in told), explain(f"traffic of {name} is untold"))

    @staticmethod
    def ipvs(side: sides.Side, director: str) -> dict:
        return {key: (sides.parameters(s), sides.reals(s)) for key, s in side.services(director).items()}

    def test_traffic(self) -> None:
        kinds: Counter = Counter()
        for seed in range(PAIRS):
            pair = pair_of(seed)
            if pair is None:
                continue
            old, new, done = pair
            with self.subTest(seed=seed, edits=done):
                said = sides.diff(old, new)
                kinds.update(done)
                self.counts["pairs"] += 1
                self.counts["classes"] += sum(len(entry["packets"]) for entry in said["traffic"])
                self.check_whole(seed, old, new, said)
                self.check_packets(seed, old, new, said)
        print(dict(self.counts), dict(kinds), flush=True)
        self.assertGreater(self.counts["pairs"], PAIRS * 0.6)
        self.assertGreater(self.counts["classes"], PAIRS * 5)
        self.assertGreater(self.counts["packets"], PAIRS * 500)
        self.assertGreater(self.counts["changed packets"], PAIRS * 30)
        self.assertGreater(self.counts["own changed packets"], PAIRS)
        self.assertLessEqual(set(kinds), {*edits.ALL, "independent"})
        self.assertGreater(len(kinds), len(edits.ALL) * 0.8)

    def test_another_way_to_write_a_site_is_no_difference(self) -> None:
        compared = 0
        for seed in range(REWRITTEN):
            rng = Random(f"rewritten {seed}")
            site = Draw(rng).site()
            old = sides.side_of(site, "old.lb")
            if old is None or old.collided:
                continue  # which of two names keeps its mark is by their order
            other = edits.rewritten(rng, site)
            marked = [s for s in other.services if s.marks is not None]
            for service in marked[:1]:
                service.name = f"another-{service.name}"
            new = sides.side_of(other, "new.lb", edits.commented(rng, other.to_lb()))
            with self.subTest(seed=seed):
                self.assertIsNotNone(new, f"refused\n{other.to_lb()}")
                said = sides.diff(old, new)
                self.assertEqual((said["changes"], said["traffic"]), ([], []),
                                 sides.fail_with(old, new, seed, "not the same"))
                for entry in said["writes"]:  # rules in another order, and no other rule
                    for table in entry["marks"]:
                        self.assertEqual(sorted(table["removed"]), sorted(table["added"]))
                    self.assertEqual(entry["services"], [])
                self.counts["reordered"] += bool(said["writes"])
                compared += 1
        print(f"{compared} sites rewritten, {self.counts['reordered']} with rules in another order", flush=True)
        self.assertGreater(compared, REWRITTEN * 0.6)


if __name__ == "__main__":
    unittest.main(verbosity=2)
