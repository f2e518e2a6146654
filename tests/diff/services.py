#!/usr/bin/python3
"""Random pairs of sites: the virtual services of the two differ just where a change says so, and the writes that
`lbc diff` lists lead from the ones to the others.

    PYTHONPATH=tests/support LBC=build/dev/lbc services.py [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import re
import unittest
from collections import Counter
from random import Random

import sides
from lbctest import edits
from lbctest.draw import Draw

PAIRS = 30
OF_IPVS = ("service-added", "service-removed", "service-changed", "real-added", "real-removed", "real-changed")
OF_MARKS = ("mark", "moved", "balanced", "not-balanced")
SETTINGS = re.compile(r": weight (\d+), ([a-z0-9 ]+?)(?:, connections (\d+)-(\d+))?$")


def way_of(forward: dict) -> str:
    """A forwarding method as a site file has it."""
    words = [forward["method"], forward.get("tunnel")]
    if "port" in forward:
        words.append(f"port {forward['port']}")
    if forward.get("checksum") != "none":
        words.append(forward.get("checksum"))
    return " ".join(word for word in words if word)


def state_of(side: sides.Side, director: str) -> dict:
    """A director's services with as much of them as the list of writes tells."""
    state = {}
    for key, service in side.services(director).items():
        reals = {}
        for real in service["real_servers"]:
            limits = real.get("connections") or {}
            most = limits.get("max", 0)
            reals[real["address"], real.get("port", 0)] = (real["weight"], way_of(real["forward"]), most)
        state[key] = (service["scheduler"]["name"], reals)
    return state


def apply(writes: list[dict], state: dict) -> None:
    """Does what a list of writes says; each must be possible where it stands."""
    for write in writes:
        key, action = (write["mark"], write["family"]), write["action"]
        if action == "add-service":
            assert key not in state, write
            state[key] = (write["scheduler"], {})
        elif action == "edit-service":
            state[key] = (write["scheduler"], state[key][1])
        elif action == "delete-service":
            del state[key]
        else:
            reals = state[key][1]
            real = (write["real"]["address"], write["real"]["port"])
            assert (real in reals) == (action != "add-real"), write
            if action == "delete-real":
                del reals[real]
            else:
                weight, way, _, most = SETTINGS.search(write["text"]).groups()
                assert int(weight) == write["real"]["weight"], write
                reals[real] = (int(weight), way, int(most or 0))


def by_name(side: sides.Side, director: str) -> dict[tuple[str, str], dict]:
    return {(s["service"], s["family"]): s for s in side.services(director).values()}


class Services(unittest.TestCase):
    counts: Counter

    @classmethod
    def setUpClass(cls) -> None:
        cls.counts = Counter()

    def check_changes(self, seed: int, old: sides.Side, new: sides.Side, said: dict, director: str) -> None:
        """A service by one name on both sides; what becomes of a renamed one is a golden's."""
        before, after = by_name(old, director), by_name(new, director)
        kept = {s.name for s in old.site.services} | {s.name for s in new.site.services}
        for name in sorted(kept):
            told = {c["kind"] for c in said["changes"] if c["subject"] == f"service {name}"
                    and director in c["directors"]}
            pairs = [(before.get((name, f)), after.get((name, f))) for f in ("ipv4", "ipv6")]
            ipvs = any((a is None) != (b is None) or (a and b and (sides.parameters(a), sides.reals(a)) != (
                sides.parameters(b), sides.reals(b))) for a, b in pairs)
            mark = any(a and b and a["mark"] != b["mark"] for a, b in pairs)
            self.counts["services"] += 1
            self.counts["changed services"] += ipvs or mark
            where = sides.fail_with(old, new, seed, f"{director}: {name}: {sorted(told)}")
            if ipvs:
                self.assertTrue(told & {*OF_IPVS, *OF_MARKS}, where)
            else:
                self.assertFalse(told & {*OF_IPVS}, where)
            if "mark" in told:
                self.assertTrue(mark, where)
            if mark:
                self.assertTrue(told & {*OF_MARKS}, where)

    def check_writes(self, seed: int, old: sides.Side, new: sides.Side, said: dict, director: str) -> None:
        writes = next((w["services"] for w in said["writes"] if w["director"] == director), [])
        self.counts["writes"] += len(writes)
        state = state_of(old, director)
        apply(writes, state)
        self.assertEqual(state, state_of(new, director), sides.fail_with(old, new, seed, f"{director}: {writes}"))
        edited = {(w["mark"], w["family"]) for w in writes if w["action"] == "edit-service"}
        before, after = old.services(director), new.services(director)
        expected = {key for key in before.keys() & after.keys()
                    if sides.parameters(before[key]) != sides.parameters(after[key])}
        self.assertEqual(edited, expected, sides.fail_with(old, new, seed, f"{director}: edits"))
        real_edits = {(w["mark"], w["family"], w["real"]["address"]) for w in writes if w["action"] == "edit-real"}
        expected = {(*key, real[0]) for key in before.keys() & after.keys()
                    for real, settings in sides.reals(before[key]).items()
                    if sides.reals(after[key]).get(real, settings) != settings}
        self.assertEqual(real_edits, expected, sides.fail_with(old, new, seed, f"{director}: edits of real servers"))

    def test_services(self) -> None:
        for seed in range(PAIRS):
            rng = Random(f"services {seed}")
            draw = Draw(rng)
            site = draw.site()
            kinds = tuple(k for k in edits.SERVICES * 3 + edits.MARKS if k != "renamed")
            other, done = edits.Editor(rng, draw).edited(site, 4, kinds)
            old, new = sides.side_of(site, "old.lb"), sides.side_of(other, "new.lb")
            if not old or not new or not done:
                continue
            self.counts["pairs"] += 1
            with self.subTest(seed=seed, edits=done):
                said = sides.diff(old, new)
                for director in sides.all_names(old, new):
                    self.check_changes(seed, old, new, said, director)
                    self.check_writes(seed, old, new, said, director)
        print(dict(self.counts), flush=True)
        self.assertGreater(self.counts["pairs"], PAIRS * 0.6)
        self.assertGreater(self.counts["services"], PAIRS * 4)
        self.assertGreater(self.counts["changed services"], PAIRS)
        self.assertGreater(self.counts["writes"], PAIRS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
