#!/usr/bin/python3
"""Random pairs of sites in a real kernel: against a kernel that has the old site, `lbc diff NEW` says what `lbc diff
OLD NEW` says; `lbc apply` does just that; and packets get other marks just where it is listed.

    PYTHONPATH=tests/support LBC=build/dev/lbc applied.py [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import json
import unittest
from collections import Counter
from random import Random

import reading
import sides
from lbctest import edits, harness, net
from lbctest.draw import ETHERNET, TUNNEL, Draw, Packets
from lbctest.model import Packet

PAIRS = 10
PER_SERVICE = 20
MARKS = ("--only", "marks")


class Applied(unittest.TestCase):
    lab: net.Lab
    counts: Counter

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = net.Lab(ETHERNET, TUNNEL)
        cls.addClassCleanup(cls.lab.close)
        cls.counts = Counter()

    def packets(self, rng: Random, old: sides.Side, new: sides.Side, name: str, classes: list[dict]) -> tuple[
            list[Packet], list[Packet]]:
        """Packets without a mark that the devices can carry, entering and the director's own."""
        found: list[Packet] = []
        for side in (old, new):
            drawn = Packets(rng, side.meaning(name), self.lab.devices)
            macs = [drawn.clients[0], *drawn.special]
            for service in side.site.services:
                for to, protocol, port in drawn.targets(service, PER_SERVICE):
                    found.append(Packet(rng.choice(self.lab.devices), rng.choice(macs), to, protocol, port))
                    found.append(Packet(None, None, to, protocol, port))
            for one in rng.sample(classes, min(10, len(classes))):
                found += reading.packets_of(rng, one, macs, self.lab.devices)
        entering = []
        for packet in found:
            if packet.device in self.lab.devices:
                tunnel = packet.device == self.lab.tunnel
                entering.append(Packet(packet.device, None if tunnel else packet.mac or macs[0], packet.to,
                                       packet.protocol, packet.port))
        return entering, [packet for packet in found if packet.device is None]

    def check(self, rng: Random, old: sides.Side, new: sides.Side, name: str) -> None:
        harness.clear()
        here = ("-d", name)
        said = sides.diff(old, new, *here)
        classes = reading.traffic_of(said, name)
        entering, leaving = self.packets(rng, old, new, name, classes)
        harness.lbc_ok("apply", old.file, *MARKS, *here)
        before = self.measure(entering, leaving)
        seen = json.loads(harness.lbc_ok("diff", new.file, *MARKS, "--format", "json", *here))
        self.assertEqual(seen["traffic"], said["traffic"])
        lines = self.marks_of(said)
        self.assertEqual(self.marks_of(seen), lines)
        self.assertIsNone(seen["rollout"])
        if seen["traffic"]:
            self.assertTrue(seen["changes"], "traffic that no change tells")
        planned = json.loads(harness.lbc_ok("apply", new.file, *MARKS, "--dry-run", "--format", "json", *here))
        self.assertEqual([table for table in planned.get("marks", []) if table["removed"] or table["added"]], lines)
        harness.lbc_ok("apply", new.file, *MARKS, *here)
        done = harness.lbc("diff", new.file, *MARKS, "--exit-code", "--format", "json", *here)
        self.assertEqual(done.returncode, 0, done.stdout)
        after = json.loads(done.stdout)
        self.assertEqual([after[part] for part in ("changes", "traffic", "writes")], [[], [], []])
        for packet, *marks in zip(entering + leaving, before, self.measure(entering, leaving), strict=True):
            told = reading.marks_said(classes, packet)
            self.counts["packets"] += 1
            self.counts["changed packets"] += marks[0] != marks[1]
            self.assertEqual(told, (marks[0], marks[1]) if marks[0] != marks[1] else None, f"{packet}: {marks}")
        self.counts["directors"] += 1
        self.counts["lines"] += sum(len(table["removed"]) + len(table["added"]) for table in lines)

    def measure(self, entering: list[Packet], leaving: list[Packet]) -> list[int | None]:
        inward, outward = self.lab.measure(entering, leaving)
        return [*inward, *outward]

    @staticmethod
    def marks_of(said: dict) -> list[dict]:
        return [table for entry in said["writes"] for table in entry["marks"]]

    def test_marks_of_services_that_the_file_lacks(self) -> None:
        """With IPVS left alone, nobody asks it what these marks lead to; they are told of all the same."""
        dns = "service dns { vip 192.0.2.2; port udp 53; mark 5; real 10.2.0.2 }\n"
        site = "director lb1 { }\nservice web { vip 192.0.2.1; port tcp 80; mark 3; real 10.2.0.1 }\n"
        harness.clear()
        harness.lbc_ok("apply", sides.write(site + dns, "old.lb"), *MARKS, "-d", "lb1")
        for new, kind in ((site, "not-balanced"), (site + dns.replace("mark 5", "mark 6"), "moved")):
            file = sides.write(new, "new.lb")
            said = json.loads(harness.lbc_ok("diff", file, *MARKS, "-d", "lb1", "--format", "json"))
            self.assertEqual([change["kind"] for change in said["changes"]], [kind])
            self.assertEqual(said["changes"][0]["connections"], "established connections go on")

    def test_what_is_listed_is_what_happens(self) -> None:
        for seed in range(PAIRS):
            rng = Random(f"applied {seed}")
            draw = Draw(rng)
            site = draw.site()
            other, done = edits.Editor(rng, draw).edited(site, rng.choice((1, 2, 4)), edits.MARKS)
            old, new = sides.side_of(site, "old.lb"), sides.side_of(other, "new.lb")
            if not old or not new or not done:
                continue
            for name in sorted(set(old.names()) & set(new.names())):
                with self.subTest(seed=seed, edits=done, director=name):
                    try:
                        self.check(rng, old, new, name)
                    except AssertionError as error:
                        raise AssertionError(sides.fail_with(old, new, seed, f"{name}: {error}")) from None
        print(dict(self.counts), flush=True)
        self.assertGreater(self.counts["directors"], PAIRS)
        self.assertGreater(self.counts["packets"], PAIRS * 200)
        self.assertGreater(self.counts["changed packets"], PAIRS * 5)
        self.assertGreater(self.counts["lines"], PAIRS)


if __name__ == "__main__":
    harness.main()
