#!/usr/bin/python3
"""The reason lbc exists: directors that are each other's real servers loop, and with lbc they do not."""

from __future__ import annotations

import collections
import unittest

from lbctest.world import World, apply_all, site

VIP = "10.0.0.100"
WEB = f"service web {{ vip {VIP}; port tcp 80; scheduler rr; real lb1; real lb2 }}"


class Loop(unittest.TestCase):
    def test_by_address_it_loops(self):
        world = World(["lb1", "lb2"], [], {VIP: "lb1"})
        for host in world.directors:
            host.run("ipvsadm", "-R", text=f"-A -t {VIP}:80 -s rr\n" + "".join(
                f"-a -t {VIP}:80 -r {real.address}:80 -g\n" for real in world.directors))
        answers = world.tcp(VIP, 10)
        copies = world.copies()
        self.assertLess(len(answers), 10)
        self.assertGreater(copies.most(), 50)
        self.assertLessEqual(min(copies.lowest_ttl.values()), 1)

    def test_by_lbc_every_connection_is_answered(self):
        world = World(["lb1", "lb2"], [], {VIP: "lb1"})
        apply_all(world, site(world, WEB))
        answers = world.tcp(VIP, 12)
        self.assertEqual(collections.Counter(answers.values()), {"lb1": 6, "lb2": 6})
        self.assertLessEqual(world.copies().most(), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
