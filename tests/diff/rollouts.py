#!/usr/bin/python3
"""Random pairs of sites: what `lbc diff` says of the time in which some directors have the old site and some the new
one, against every packet that one director forwards to another, by the language's words alone.

    PYTHONPATH=tests/support LBC=build/dev/lbc rollouts.py [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import unittest
from collections import Counter
from ipaddress import ip_address, ip_network
from itertools import permutations
from random import Random

import sides
from lbctest import edits
from lbctest.draw import ETHERNET, TUNNEL, Draw, conflict
from lbctest.model import PROTOCOLS, Meaning, Packet, Service, Site

PAIRS = 30
DIRECTORS = (2, 3)
SERVICES = 4
DEVICES = (*ETHERNET, TUNNEL, "nowhere7", "wlan0")
CLIENT = "02:c1:00:00:00:01"
VERSIONS = ("old", "new")


def site_of(rng: Random, draw: Draw) -> Site:
    """Directors that are real servers of a few services."""
    while True:
        site = draw.site()
        if len(site.directors) not in DIRECTORS:
            continue
        editor = edits.Editor(rng, draw)
        site.services = site.services[:SERVICES]
        for service in site.services:
            service.forward = rng.choice(("dr", "dr", service.forward))
        for _ in range(3):
            editor.director_real(site)
        if edits.is_sound(site) and not any(conflict(site, a, b) for a in site.services for b in site.services
                                            if a is not b):
            return site


def targets_of(service: Service, sites: list[Site]) -> list[tuple[str, int, int | None]]:
    """One target of each piece that the VIPs and ports of all services cut this one's packets into."""
    networks = [ip_network(v) for v in service.vips]
    every = [s for site in sites for s in site.services]
    borders = set()
    for net in (ip_network(v) for s in every for v in s.vips):
        last = int(net.broadcast_address)
        borders |= {(net.version, n) for n in (int(net.network_address) - 1, int(net.network_address), last, last + 1)}
    addresses = [str(ip_address(n) if v == 4 else ip_address(n.to_bytes(16, "big"))) for v, n in sorted(borders)]
    inside = [a for a in addresses if any(ip_address(a) in n for n in networks if n.version == ip_address(a).version)]
    kinds: set[tuple[int, int | None]] = {(p, 1) for p in PROTOCOLS.values()} | {(253, None)}
    for claim in (c for s in every for c in s.claims):
        for first, last in claim.ranges:
            kinds |= {(PROTOCOLS[claim.protocol], n) for n in (first, min(last + 1, 65535))}
    held = [(p, n) for p, n in sorted(kinds, key=str)
            if any(c.holds(Packet(None, None, inside[0], p, n)) for c in service.claims)]
    return [(a, p, n) for a in inside for p, n in held]


class Mixes:
    """Which director takes what another one forwards to it for a client's, by the sites that they have."""

    def __init__(self, old: sides.Side, new: sides.Side):
        self.sides = (old, new)
        self.names = sides.all_names(old, new)
        self.meanings = {(name, v): side.meaning(name) for name in self.names for v, side in enumerate(self.sides)}

    def of_director(self, name: str, field: str, version: int | None = None) -> list[str]:
        """MACs or addresses of one site, or of either."""
        found = [getattr(side.site.director(name), field) for v, side in enumerate(self.sides)
                 if name in side.names() and version in (None, v)]
        return list(dict.fromkeys(item for items in found for item in items))

    def hazards(self, sender: str, of_sender: int, receiver: str, of_receiver: int) -> set[str]:
        """The services whose packets are balanced twice."""
        out, into = self.meanings[sender, of_sender], self.meanings[receiver, of_receiver]
        if out is None or into is None:
            return set()
        known = of_sender if of_sender == of_receiver else None  # on the way, it may have any of its MACs
        strangers = [m for m in self.of_director(sender, "macs", known) if m not in into.peers]
        return {s.name for s in out.services if self.is_hazard(s, out, into, of_sender, receiver, strangers)}

    def is_hazard(self, service: Service, out: Meaning, into: Meaning, of_sender: int, receiver: str,
                  strangers: list[str]) -> bool:
        there = set(self.of_director(receiver, "addresses"))
        ways = {}
        for (mark, family), plan in self.sides[of_sender].services(out.me.name).items():
            if plan["service"] == service.name:
                ways[4 if family == "ipv4" else 6] = {r["forward"]["method"] for r in plan["real_servers"]
                                                      if r["address"] in there}
        for to, protocol, port in targets_of(service, [side.site for side in self.sides]):
            way = ways.get(ip_address(to).version, set())
            macs = (strangers if "dr" in way else []) + ([None] if "tun" in way else [])
            if macs and any(out.incoming(Packet(d, CLIENT, to, protocol, port)) for d in DEVICES) and any(
                    self.is_balanced(into, Packet(d, mac, to, protocol, port)) for mac in macs for d in DEVICES):
                return True
        return False

    @staticmethod
    def is_balanced(meaning: Meaning, packet: Packet) -> bool:
        mark = meaning.incoming(packet)
        return mark != 0 and mark != meaning.allocated.get(None)


class Rollouts(unittest.TestCase):
    def check(self, old: sides.Side, new: sides.Side, said: dict) -> tuple[str, int]:
        mixes = Mixes(old, new)
        rollout, mixed, standing = said["rollout"], set(), set()
        always: dict[tuple[str, str], set[str]] = {}
        for sender, receiver in permutations(mixes.names, 2):
            in_the_end = mixes.hazards(sender, 1, receiver, 1)
            standing |= {(sender, "new", receiver, "new", s) for s in in_the_end}
            always[sender, receiver] = in_the_end | mixes.hazards(sender, 0, receiver, 0)
            for v in (0, 1):
                mixed |= {(sender, VERSIONS[v], receiver, VERSIONS[1 - v], s)
                          for s in mixes.hazards(sender, v, receiver, 1 - v) - always[sender, receiver]}
        self.assertEqual(self.listed(rollout["standing"], "balanced-twice"), standing)
        self.assertEqual(self.listed(rollout["avoided"], "balanced-twice"), mixed)
        self.check_order(rollout, mixed | self.listed(rollout["avoided"], "remembered"))
        return rollout["verdict"], len(mixed) + len(standing)

    @staticmethod
    def listed(hazards: list[dict], kind: str) -> set[tuple[str, ...]]:
        return {(h["from"], h["from_site"], h["to"], h["to_site"], h["service"]) for h in hazards if h["kind"] == kind}

    def check_order(self, rollout: dict, hazards: set[tuple[str, ...]]) -> None:
        involved = sorted({h[0] for h in hazards} | {h[2] for h in hazards})
        safe = [order for order in permutations(involved) if not self.met(order, hazards)]
        if rollout["verdict"] in ("one-director", "any-order"):
            self.assertEqual(hazards, set(), rollout)
        elif rollout["verdict"] == "in-order":
            self.assertTrue(hazards, rollout)
            self.assertLessEqual(set(involved), set(rollout["order"]))
            self.assertEqual(len(set(rollout["order"])), len(rollout["order"]))
            self.assertEqual(self.met(rollout["order"], hazards), set(), rollout)
        else:
            self.assertEqual(safe, [], rollout)
            self.assertTrue(rollout["remedy"], rollout)
            self.assertTrue(rollout["knot"])
            self.assertFalse(set(rollout["knot"]) & set(rollout["order"]))
            head = [*rollout["order"]]
            self.assertEqual({h for h in self.met(head, hazards) if {h[0], h[2]} & set(head)
                              and not {h[0], h[2]} & set(rollout["knot"])}, set(), rollout)

    @staticmethod
    def met(order: list[str] | tuple[str, ...], hazards: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
        """The hazards that come about while directors are changed one behind the other."""
        found = set()
        for count in range(1, len(order)):
            done = set(order[:count])
            found |= {h for h in hazards if (h[0] in done) == (h[1] == "new") and (h[2] in done) == (h[3] == "new")}
        return found

    def test_rollouts(self) -> None:
        verdicts: Counter = Counter()
        hazards = 0
        for seed in range(PAIRS):
            rng = Random(f"rollout {seed}")
            draw = Draw(rng)
            site = site_of(rng, draw)
            other, done = edits.Editor(rng, draw).edited(site, rng.choice((1, 2, 3)), edits.ROLES)
            old, new = sides.side_of(site, "old.lb"), sides.side_of(other, "new.lb")
            if not old or not new or not done:
                continue
            with self.subTest(seed=seed, edits=done):
                try:
                    verdict, count = self.check(old, new, sides.diff(old, new))
                except AssertionError as error:
                    raise AssertionError(sides.fail_with(old, new, seed, str(error))) from None
                verdicts[verdict] += 1
                hazards += count
        print(dict(verdicts), f"{hazards} hazards", flush=True)
        self.assertGreater(sum(verdicts.values()), PAIRS * 0.6)
        self.assertGreater(hazards, PAIRS // 2)
        self.assertLessEqual({"any-order", "in-order", "no-order"}, set(verdicts))


if __name__ == "__main__":
    unittest.main(verbosity=2)
