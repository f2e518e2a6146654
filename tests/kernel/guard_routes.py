#!/usr/bin/python3
"""The guard moves a packet: what carries the guard mark on its way out to a VIP is routed anew, to this box.

IPVS chooses the way of a packet that it forwards before the packet meets mangle OUTPUT. Here a routing rule for the
guard mark stands in for it: such packets would leave by a device, although the VIP is an address of the box.
"""

from __future__ import annotations

import socket
import struct
import unittest
from ipaddress import ip_address

from lbctest import harness, net
from lbctest.fixtures import VIPS, directors, web
from lbctest.model import Claim, Site

PORT = 7


class GuardRoutes(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        net.run("ip", "link", "set", "lo", "up")
        net.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0")
        for device in ("eth0", "far0"):
            net.run("ip", "link", "set", device, "up")
        for vip in VIPS:
            family = "-6" if ":" in vip else "-4"
            net.run("ip", family, "address", "add", f"{vip}/{128 if ':' in vip else 32}", "dev", "lo")
            # The rule for addresses of the box makes room for one before it.
            net.run("ip", family, "rule", "add", "pref", "100", "lookup", "local")
            net.run("ip", family, "rule", "del", "pref", "0")
            net.run("ip", family, "route", "add", "default", "dev", "eth0", "table", "77")

    def tearDown(self) -> None:
        harness.clear()

    def arrives(self, vip: str, mark: int) -> bool:
        """Whether a datagram of the box to the VIP, with a mark, is delivered on the box."""
        family = socket.AF_INET6 if ip_address(vip).version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as server, socket.socket(family, socket.SOCK_DGRAM) as client:
            server.bind((vip, PORT))
            client.bind((vip, 0))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, struct.pack("I", mark))
            try:
                client.sendto(b"x", (vip, PORT))
            except PermissionError:
                return False
            server.setblocking(False)  # loopback has delivered it by now, or it went elsewhere
            try:
                return server.recv(8) == b"x"
            except BlockingIOError:
                return False

    def with_guard(self, mode: str) -> int:
        """Applies a site with a guard, and sends its mark out by the device; returns the mark."""
        service = web()
        service.claims, service.local = [Claim("udp", [(PORT, PORT)])], False
        site = Site(directors(), [service], guard=mode)
        mark = harness.learn(site)[0].get(None, 0xFFF)
        for family in ("-4", "-6"):
            net.run("ip", family, "rule", "add", "pref", "50", "fwmark", f"{mark:#x}", "lookup", "77")
            self.addCleanup(net.run, "ip", family, "rule", "del", "pref", "50")
        harness.load_apply("lb1")
        return mark

    def check(self, mode: str, arrives: bool) -> None:
        mark = self.with_guard(mode)
        for vip in VIPS:
            with self.subTest(vip=vip):
                self.assertTrue(self.arrives(vip, 0))
                self.assertEqual(self.arrives(vip, mark), arrives)

    def test_local(self) -> None:
        self.check("local", True)

    def test_drop(self) -> None:
        self.check("drop", False)

    def test_off(self) -> None:
        self.check("off", False)


if __name__ == "__main__":
    harness.main()
