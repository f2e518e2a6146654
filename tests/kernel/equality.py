#!/usr/bin/python3
"""All ways to mark mark alike: for every example and for random sites, the proof holds for the kernel's rules of each,
and the same packets get the same marks by each."""

from __future__ import annotations

import json
import unittest
from ipaddress import ip_network
from pathlib import Path
from random import Random

from lbctest import harness, net
from lbctest.draw import ETHERNET, MANY, TUNNEL, Draw, Packets
from lbctest.fixtures import CLIENT_MAC
from lbctest.model import Meaning, Packet

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LANES = {name: ["--backend", "iptables", "--layout", name] for name in ("linear", "tree", "ipset")}
LANES["nft"] = ["--backend", "nft"]
SITES = 6
NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132}


def borders(service: dict) -> list[tuple[str, int, int | None]]:
    """Addresses, protocols and ports at the edges of what a service of the JSON claims, and on either side."""
    addresses = sorted({str(address) for vip in map(ip_network, service["vips"]) for address in (vip[0], vip[-1], vip[-1] + 1)})
    found: list[tuple[str, int, int | None]] = []
    for protocol, number in NUMBERS.items():
        ports = {80} | {port for claim in service["ports"] if claim["protocol"] in (protocol, "any")
                        for one in claim["ranges"] for port in (one["first"] - 1, one["first"], one["last"], one["last"] + 1)}
        found += [(to, number, port) for to in addresses for port in sorted(ports) if 0 < port < 65536]
    found += [(to, 47, None) for to in addresses]
    return found


class Equality(unittest.TestCase):
    lab: net.Lab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = net.Lab(ETHERNET, TUNNEL)
        cls.addClassCleanup(cls.lab.close)

    def tearDown(self) -> None:
        harness.clear()

    def check(self, path: str, director: str, entering: list[Packet], leaving: list[Packet]) -> list[int | None]:
        """The marks, which are those of every lane."""
        marks = {}
        for lane, options in LANES.items():
            harness.clear()
            harness.lbc_ok("apply", path, "--only", "marks", "-d", director, *options)
            self.assertTrue(harness.proved(path, director)["holds"], lane)
            marks[lane] = self.lab.measure(entering, leaving)
        for lane, found in marks.items():
            self.assertEqual(found, marks["linear"], lane)
        return [*marks["linear"][0], *marks["linear"][1]]

    def test_examples(self) -> None:
        counted = 0
        for path in (*sorted(EXAMPLES.glob("*.lb")), *sorted(EXAMPLES.glob("*/site.lb"))):
            said = json.loads(harness.lbc_ok("compile", str(path), "--emit", "json"))
            macs = [CLIENT_MAC, *(mac for director in said["site"]["directors"] for mac in director["macs"])]
            packets = [Packet(device, mac, *target) for service in said["site"]["services"]
                       for target in Random(path.name).sample(borders(service), min(12, len(borders(service))))
                       for device in ETHERNET[:2] for mac in macs]
            own = [Packet(None, None, packet.to, packet.protocol, packet.port) for packet in packets[::len(macs) * 2]]
            marked = 0
            for director in said["site"]["directors"]:
                with self.subTest(example=path.name, director=director["name"]):
                    marked += sum(mark not in (0, None) for mark in self.check(str(path), director["name"], packets, own))
            self.assertGreater(marked, 0, path.name)
            counted += len(packets)
        print(f"{counted} packets", flush=True)

    def test_random_sites(self) -> None:
        for seed in range(SITES):
            with self.subTest(seed=seed):
                site = Draw(Random(f"equal {seed}")).site(MANY)
                allocated, _ = harness.learn(site)
                director = Random(seed).choice(site.directors).name
                packets = Packets(Random(seed), Meaning(site, director, allocated), self.lab.devices)
                self.check(str(harness.SITE), director, packets.incoming(30), packets.outgoing())


if __name__ == "__main__":
    harness.main()
