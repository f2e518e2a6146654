#!/usr/bin/python3
"""Sites of every shape on a real IPVS: every connection answered, by the servers that the scheduler chose, and no packet
on the wire more often than balancing takes."""

from __future__ import annotations

import collections
import unittest

from lbctest.world import World, apply_all, site, write_site

VIP, VIP2, VIP6 = "10.0.0.100", "10.0.0.101", "fd00::100"


class Balance(unittest.TestCase):
    def spread(self, answers: dict[int, str]) -> dict[str, int]:
        return dict(collections.Counter(answers.values()))

    def test_two_vips_one_active_on_each(self):
        world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "lb1", VIP2: "lb2"})
        reals = "real lb1; real lb2; real 10.0.0.31; real 10.0.0.32"
        apply_all(world, site(world, f"service one {{ vip {VIP}; port tcp 80; scheduler rr; mark lb1 3, lb2 4; {reals} }}\n"
                                     f"service two {{ vip {VIP2}; port tcp 80; scheduler rr; {reals} }}"))
        for vip in (VIP, VIP2):
            self.assertEqual(self.spread(world.tcp(vip, 12)), {"lb1": 3, "lb2": 3, "rs1": 3, "rs2": 3})
        self.assertLessEqual(world.copies().most(), 2)

    def test_three_directors(self):
        world = World(["lb1", "lb2", "lb3"], [], {VIP: "lb2"})
        apply_all(world, site(world, f"service web {{ vip {VIP}; port tcp 80; scheduler rr; real lb1; real lb2; real lb3 }}"))
        for active in ("lb2", "lb3", "lb1"):
            world.move(active, VIP)
            self.assertEqual(self.spread(world.tcp(VIP, 12)), {"lb1": 4, "lb2": 4, "lb3": 4})
        self.assertLessEqual(world.copies().most(), 2)

    def test_ipv6_udp_and_weights(self):
        world = World(["lb1", "lb2"], ["rs1"], {VIP: "lb1", VIP6: "lb1"})
        apply_all(world, site(world, f"service web {{ vip {VIP}, {VIP6}; port tcp 80; port udp 80; scheduler wrr\n"
                                     "real lb1 weight 2; real lb2; real 10.0.0.31; real fd00::1f }"))
        for vip in (VIP, VIP6):
            self.assertEqual(self.spread(world.tcp(vip, 12)), {"lb1": 6, "lb2": 3, "rs1": 3})
            self.assertEqual(self.spread(world.udp(vip, 12)), {"lb1": 6, "lb2": 3, "rs1": 3})
        self.assertLessEqual(world.copies().most(), 2)

    def test_a_port_range_and_what_is_beside_it(self):
        world = World(["lb1", "lb2"], [], {VIP: "lb1"}, ports=(80, 8000, 8009, 8010))
        apply_all(world, site(world, f"service web {{ vip {VIP}; port tcp 8000-8009; scheduler rr; real lb1; real lb2 }}"))
        for port in (8000, 8009):
            self.assertEqual(self.spread(world.tcp(VIP, 4, port)), {"lb1": 2, "lb2": 2})
        for port in (80, 8010):
            self.assertEqual(self.spread(world.tcp(VIP, 4, port)), {"lb1": 4})
        self.assertLessEqual(world.copies().most(), 2)

    def test_nat(self):
        """Out of the box: what forwards the answers is set by `apply`, and taken back by `remove`."""
        world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "lb1", VIP6: "lb1"}, ports=(80, 8080))
        for name in ("rs1", "rs2"):
            world[name].sysctl("ipv6/conf/eth0/accept_redirects", 0)
            world[name].ip(f"route add {world.client.address}/32 via {world['lb1'].address}",
                           f"route add {world.client.address6}/128 via {world['lb1'].address6}")
        forwards = ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding")
        self.assertEqual(world["lb1"].run("cat", *forwards).stdout.split(), ["0", "0"])
        text = site(world, f"service web {{ vip {VIP}, {VIP6}; port tcp 80; scheduler rr; forward nat\n"
                           "real 10.0.0.31:8080; real 10.0.0.32:8080; real [fd00::1f]:8080; real [fd00::20]:8080 }")
        told = world["lb1"].lbc("diff", write_site(text), "-d", "lb1").stdout
        self.assertIn("net.ipv4.ip_forward 0 to 1", told)
        apply_all(world, text)
        self.assertEqual(world["lb1"].run("cat", *forwards).stdout.split(), ["1", "1"])
        # Once as the client sent it and once rewritten, which is another packet.
        for vip in (VIP, VIP6):
            self.assertEqual(self.spread(world.tcp(vip, 8)), {"rs1": 4, "rs2": 4})
        copies = world.copies()
        self.assertEqual(copies.most(), 1)
        self.assertEqual(sum(copies.seen.values()), 2 * sum(copies.sent.values()))
        world["lb1"].lbc("remove")
        self.assertEqual(world["lb1"].run("cat", *forwards).stdout.split(), ["0", "0"])

    def test_tunnels(self):
        world = World(["lb1", "lb2"], ["rs1"], {VIP: "lb1", VIP6: "lb1"})
        for name in ("rs1", "lb2"):
            world[name].ip(*world.tunnel_lines(world[name]))
        apply_all(world, site(world, f"service web {{ vip {VIP}, {VIP6}; port tcp 80; scheduler rr; forward tun\n"
                                     "real 10.0.0.31; real fd00::1f; real lb2; real lb1 }"))
        for vip in (VIP, VIP6):
            self.assertEqual(self.spread(world.tcp(vip, 12)), {"lb1": 4, "lb2": 4, "rs1": 4})
        self.assertLessEqual(world.copies().most(), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
