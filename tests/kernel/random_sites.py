#!/usr/bin/python3
"""Random sites in a real kernel: every packet's mark is what the language says, whoever loaded the rules.

    PYTHONPATH=tests/support LBC=build/dev/lbc random_sites.py [--seed N] [--sites N] [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import argparse
import sys
import unittest
from random import Random

from lbctest import harness, net
from lbctest.draw import ETHERNET, FEW, MANY, TUNNEL, Draw, Packets
from lbctest.fixtures import known_site
from lbctest.judge import differences
from lbctest.model import Meaning, Site

OPTIONS = argparse.Namespace(seed=1, sites=12)
EVERY_DIRECTOR = ("apply", "nft")  # what writes rules in a way of its own
ONE_DIRECTOR = tuple(loader for loader in harness.LOADERS if loader not in EVERY_DIRECTOR)


class RandomSites(unittest.TestCase):
    lab: net.Lab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = net.Lab(ETHERNET, TUNNEL)
        cls.addClassCleanup(cls.lab.close)

    def tearDown(self) -> None:
        harness.clear()

    def check(self, site: Site, director: str, allocated: dict, seed: object, loader: str) -> None:
        harness.clear()
        harness.LOADERS[loader](director)
        meaning = Meaning(site, director, allocated)
        packets = Packets(Random(f"{seed} {director}"), meaning, self.lab.devices)
        wrong = differences(self.lab, meaning, packets.incoming(), packets.outgoing())
        self.assertFalse(wrong, harness.fail_with(site, director, seed, loader, wrong))

    def test_marks(self) -> None:
        """`lbc apply` and `nft -f` for each director; two of the other loaders for one director each."""
        for number in range(OPTIONS.sites):
            seed = OPTIONS.seed + number
            with self.subTest(seed=seed):
                harness.layout = harness.LAYOUTS[seed % len(harness.LAYOUTS)]
                site = Draw(Random(seed)).site(MANY if harness.layout in ("tree", "ipset") else FEW)
                allocated, _ = harness.learn(site)
                for loader in EVERY_DIRECTOR:
                    for director in site.directors:
                        self.check(site, director.name, allocated, seed, loader)
                for index in (0, 1):
                    loader = ONE_DIRECTOR[(seed + index) % len(ONE_DIRECTOR)]
                    self.check(site, site.directors[index % len(site.directors)].name, allocated, seed, loader)

    def test_known_site_by_every_loader(self) -> None:
        site = known_site()
        allocated, _ = harness.learn(site)
        for loader in harness.LOADERS:
            for director in site.directors:
                for harness.layout in harness.LAYOUTS:
                    with self.subTest(loader=loader, director=director.name, layout=harness.layout):
                        self.check(site, director.name, allocated, "known", loader)

    def test_allocation_is_stable(self) -> None:
        """A service's allocated mark stays when other services come and go."""
        for seed in range(OPTIONS.seed, OPTIONS.seed + OPTIONS.sites):
            site = Draw(Random(seed)).site()
            before, collided = harness.learn(site)
            if collided or len(site.services) < 2:
                continue
            gone = site.services.pop(seed % len(site.services))
            after, _ = harness.learn(site)
            left = {name: mark for name, mark in before.items() if name in after and name is not None}
            with self.subTest(seed=seed):
                self.assertEqual(left, {n: m for n, m in after.items() if n is not None}, f"without {gone.name}")


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--seed", type=int, default=OPTIONS.seed)
    parser.add_argument("--sites", type=int, default=OPTIONS.sites)
    _, rest = parser.parse_known_args(namespace=OPTIONS)
    if "--seed" in " ".join(sys.argv) and "--sites" not in " ".join(sys.argv):
        OPTIONS.sites = 1
    sys.argv[1:] = rest
    harness.main()


if __name__ == "__main__":
    main()
