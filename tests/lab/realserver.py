#!/usr/bin/python3
"""The real servers' side as lbc makes it, before a real IPVS: by every way in which packets come, each connection is
answered, and none when it is taken off again."""

from __future__ import annotations

import unittest

from lbctest.hosts import Host
from lbctest.world import World, apply_all, site, write_site

SCRIPT, IFUPDOWN = "/run/realserver.sh", "/run/lbc.interfaces"
REALS = ("10.0.0.31", "fd00::1f")
WAYS = (("dr", "; real ".join(REALS)), ("tun", REALS[0]), ("tun", REALS[1]), ("tun gre", REALS[0]),
        ("tun gre csum", REALS[1]), ("tun gue port 5555", REALS[0]), ("tun gue port 5555 csum", REALS[1]))
LATER = (("tun gre csum", REALS[0]), ("dr", "; real ".join(REALS)), ("tun gue port 6666", REALS[1]))
TUNNELS = (("tun gre csum", REALS[0]), ("tun gue port 6666", REALS[1]))
# Devices that come with a kernel module and stay.
MODULES = ("tunl0", "sit0", "ip6tnl0", "gre0", "gretap0", "erspan0", "ip6gre0")


def vips(number: int) -> tuple[str, str]:
    """Those of one way: tunnels carry both families."""
    return f"10.0.0.{100 + number}", f"fd00::{100 + number}"


ALL = [vip for number in range(len(WAYS)) for vip in vips(number)]


class RealServer(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        """One service for each way, all to one machine."""
        cls.world = World(["lb1"], ["rs1"], dict.fromkeys(ALL, "lb1"), serve_vips=False)
        cls.real = cls.world["rs1"]
        for name in ("all", "eth0", "lo"):
            for switch in ("arp_ignore", "arp_announce"):
                cls.real.sysctl(f"ipv4/conf/{name}/{switch}", 0)
        # As on many a distribution; what comes out of a tunnel must pass all the same.
        cls.real.sysctl("ipv4/conf/all/rp_filter", 1)

    def use(self, ways: tuple[tuple[str, str], ...]) -> str:
        """The path of the site, with the director brought to it."""
        text = site(self.world, "".join(
            f"service s{number} {{ vip {', '.join(vips(number))}; port tcp 80; port udp 80; forward {way}; real {real} }}\n"
            for number, (way, real) in enumerate(ways)))
        apply_all(self.world, text)
        return write_site(text)

    def script(self, *arguments: str) -> None:
        self.real.run("sh", SCRIPT, *arguments)

    def check_answers(self, ways: tuple[tuple[str, str], ...]) -> None:
        for number, way in enumerate(ways):
            for vip in vips(number):
                self.assertEqual([*self.world.tcp(vip, 1).values(), *self.world.udp(vip, 1).values()], ["rs1"] * 2,
                                 f"{vip} by {way}")

    def seen(self, host: Host) -> list[str]:
        text = host.run("sh", "-c", "ip -o -d link; ip -o address; ip fou show 2>/dev/null || true; "
                                    "grep -r . /proc/sys/net/ipv4/conf/all /proc/sys/net/ipv4/conf/eth0").stdout
        return [line for line in text.splitlines() if line and not any(f" {name}@" in line for name in MODULES)]

    def test_script_and_a_changed_site(self):
        path = self.use(WAYS)
        before = self.seen(self.real)
        self.real.lbc("compile", path, "--emit", "realserver", "-o", SCRIPT)
        self.script()
        self.check_answers(WAYS)
        after = self.seen(self.real)
        self.script()
        self.assertEqual(self.seen(self.real), after)
        self.script("show")

        # The same names for other tunnels: GRE with checksums now, other ports, and what is no longer wanted goes.
        self.real.lbc("compile", self.use(LATER), "--emit", "realserver", "-o", SCRIPT)
        self.script()
        self.check_answers(LATER)
        self.script("show")
        now = "\n".join(self.seen(self.real))
        self.assertNotIn("lbc-ip6gre", now)
        self.assertNotIn("port 5555", now)

        self.script("remove")
        self.assertEqual(self.seen(self.real), before)
        self.assertEqual(self.world.udp(vips(1)[0], 2), {})

    def test_ifupdown(self):
        path = self.use(TUNNELS)
        self.real.lbc("compile", path, "--emit", "ifupdown", *(f"--real={name}" for name in REALS), "-o", IFUPDOWN)
        self.real.run("ifup", "-i", IFUPDOWN, "--state-dir", "/run", "lbc")
        self.check_answers(TUNNELS)
        self.real.run("ifdown", "-i", IFUPDOWN, "--state-dir", "/run", "lbc")
        self.assertNotIn("lbc-", "\n".join(self.seen(self.real)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
