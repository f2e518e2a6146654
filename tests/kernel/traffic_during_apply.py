#!/usr/bin/python3
"""Packets flow while one site replaces another: no packet of a service in both is ever without a mark of its own, and
none from a peer ever gets a service's."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import unittest
from ipaddress import ip_address

from lbctest import harness, net
from lbctest.fixtures import CLIENT_MAC, PEER_MACS, VIPS, known_site, moved_site, small_site
from lbctest.model import ANY_PORT, Claim, Packet, Real, Service

EVERY = int(os.environ.get("LBC_TEST_EVERY", "2"))  # 1: all turns
TURNS, FEWER_TURNS = 40 // EVERY, 16 // EVERY  # where a load is several transactions
AT_MOST = 3_000_000  # packets
CLIENTS = {4: ip_address("10.200.0.1").packed, 6: ip_address("fd5e::c1").packed}
PEERS = {4: ip_address("10.200.0.2").packed, 6: ip_address("fd5e::bad").packed}


def flood(lab: net.Lab, stop, sent) -> None:
    """Sends packets of clients and of peers in turn until told to stop."""
    while not stop.is_set() and sent.value < AT_MOST:
        for vip in VIPS:
            family = ip_address(vip).version
            lab.send(Packet("eth0", CLIENT_MAC, vip, 6, 80), CLIENTS[family])
            for mac in PEER_MACS:
                lab.send(Packet("eth0", mac, vip, 6, 8042), PEERS[family])
        sent.value += 2 + 2 * len(PEER_MACS)


class TrafficDuringApply(unittest.TestCase):
    lab: net.Lab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = net.Lab(("eth0", "eth1"))
        cls.addClassCleanup(cls.lab.close)

    def setUp(self) -> None:
        self.layouts = itertools.repeat("auto")

    def tearDown(self) -> None:
        harness.clear()

    def apply(self, path: object) -> None:
        harness.layout = next(self.layouts)
        harness.lbc_ok("apply", str(path), "--only", "marks", "-d", "lb1", "--layout", harness.layout, "--backend",
                       "iptables")

    def restore(self, path: object) -> None:
        for program in harness.FAMILIES:
            text = harness.lbc_ok("compile", str(path), "-d", "lb1", "--emit", program)
            net.run(f"{program}-legacy-restore", "--noflush", "-w", text=text)

    def nft(self, path: object) -> None:
        net.run("nft", "-f", "-", text=harness.lbc_ok("compile", str(path), "-d", "lb1", "--emit", "nft"))

    def nft_script(self, path: object) -> None:
        script = harness.SCRATCH / "rules.sh"
        script.write_text(harness.lbc_ok("compile", str(path), "--emit", "sh", "--backend", "nft"), encoding="utf-8")
        net.run("env", "LBC_ONLY=marks", "sh", str(script), "apply", "lb1")

    def apply_nft(self, path: object) -> None:
        harness.lbc_ok("apply", str(path), "--only", "marks", "-d", "lb1", "--backend", "nft")

    def alternate(self, load, one: object, two: object, marks: set[int], guards: set[int]) -> None:
        paths = [harness.SCRATCH / "one.lb", harness.SCRATCH / "two.lb"]
        for path, site in zip(paths, (one, two)):
            harness.write(site, path)
        load(paths[0])
        self.lab.forget()
        stop, sent = multiprocessing.Event(), multiprocessing.Value("l", 0)
        child = multiprocessing.Process(target=flood, args=(self.lab, stop, sent))
        child.start()
        turns = TURNS if load in (self.apply, self.restore, self.nft) else FEWER_TURNS
        try:
            for turn in range(turns):
                load(paths[1 - turn % 2])
        finally:
            stop.set()
            child.join(30)
            if child.is_alive():
                child.kill()
        self.assertEqual(child.exitcode, 0)
        print(f"{sent.value} packets, {turns} loads", flush=True)
        self.assertGreater(sent.value, turns)
        seen = [(source, mark) for name, source, mark in self.lab.noted() if name == "in"]
        for family in (4, 6):
            self.assertLessEqual({mark for source, mark in seen if source == CLIENTS[family]}, marks)
            self.assertLessEqual({mark for source, mark in seen if source == PEERS[family]}, guards)
            self.assertTrue({source for source, _ in seen} >= {CLIENTS[family], PEERS[family]})

    def guards(self, *sites: object) -> set[int]:
        return {harness.learn(site)[0].get(None, 0) for site in sites}

    def each_way(self, one: object, two: object, marks: set[int]) -> None:
        for load in (self.apply, self.nft, self.nft_script, self.apply_nft):
            with self.subTest(load=load.__name__):
                self.alternate(load, one, two, marks, self.guards(one, two))
                harness.clear()

    def test_neighbours_come_and_go(self) -> None:
        self.each_way(known_site(), small_site(), {3})

    def test_sets_come_and_go(self) -> None:
        sites = known_site(), small_site()
        self.layouts = itertools.repeat("ipset")
        self.alternate(self.apply, *sites, {3}, self.guards(*sites))

    def test_the_layout_changes_with_the_site(self) -> None:
        sites = known_site(), moved_site()
        self.layouts = itertools.cycle(harness.LAYOUTS[1:])
        self.alternate(self.apply, *sites, {3, 7}, self.guards(*sites))

    def test_the_mark_itself_changes(self) -> None:
        self.each_way(known_site(), moved_site(), {3, 7})

    def test_elements_in_intervals_stay(self) -> None:
        """A range of ports, every port and every protocol, beside services that come and go in the same maps."""
        for claim in (Claim("tcp", [(79, 81), (8000, 8099)]), Claim("tcp", [ANY_PORT]), Claim("any", [])):
            sites = small_site(), known_site()
            for site in sites:
                site.services[0].claims = [claim]
            sites[1].services += [Service(f"n{n}", [f"10.0.2.{n}"], [claim], [Real("10.50.0.2")], marks=100 + n,
                                          bypass=sites[1].services[0].bypass) for n in range(40)]
            with self.subTest(claim=claim):
                self.alternate(self.nft, *sites, {3}, self.guards(*sites))
                harness.clear()

    def test_elements_that_move(self) -> None:
        """Between a hash and intervals, and with other bypass MACs to other maps: the script and apply lose no packet,
        where one transaction can."""
        ports, everything, by_mac = small_site(), small_site(), small_site()
        ports.services[0].claims = [Claim("tcp", [(79, 81), (8000, 8099)])]
        everything.services[0].claims = [Claim("any", [])]
        by_mac.services[0].bypass = ["02:00:00:00:00:78"]
        for one, two in ((small_site(), ports), (ports, everything), (small_site(), everything),
                         (small_site(), by_mac), (ports, by_mac)):
            for load in (self.nft_script, self.apply_nft):
                with self.subTest(load=load.__name__, one=one.services[0], two=two.services[0]):
                    self.alternate(load, one, two, {3}, self.guards(one, two))
                    harness.clear()

    def test_from_iptables_to_nftables_and_back(self) -> None:
        """And from what a script has left in tables of iptables-nft to either."""
        turns = itertools.cycle(("nft", "iptables", "script"))

        def load(path: object) -> None:
            tool = next(turns)
            if tool == "script":
                harness.write(path.read_text(encoding="utf-8"))
                harness.load_script("lb1", "nft")
                tool = "nft"
            harness.lbc_ok("apply", str(path), "--only", "marks", "-d", "lb1", "--backend", tool, "--migrate")

        for two in (known_site(), moved_site()):
            with self.subTest(two=len(two.services)):
                self.alternate(load, known_site(), two, {3, 7}, self.guards(known_site(), two))

    def test_restore_text(self) -> None:
        sites = known_site(), known_site()
        sites[1].services.reverse()
        self.alternate(self.restore, *sites, {3}, self.guards(*sites))


if __name__ == "__main__":
    harness.main()
