#!/usr/bin/python3
"""What `lbc verify` proves of directors is what a real IPVS does: mistakes planted in their rules are found, and seen on
the wire; and where nothing is found, nothing goes round."""

from __future__ import annotations

import json
import re
import tempfile
import unittest
from pathlib import Path

from lbctest.hosts import Host
from lbctest.world import World, apply_all, note, site, write_site

VIP = "10.0.0.100"
WEB = f"service web {{ vip {VIP}; port tcp 80; port udp 80; mark 0x3; scheduler rr; real lb1; real lb2 }}"
BY_ADDRESS = f"-A -u {VIP}:80 -s rr\n" + "".join(f"-a -u {VIP}:80 -r 10.0.0.{n}:80 -g\n" for n in (11, 12))
FLOWS = 4
# Both directors' turns over flows that were given in turn: each pair of (first choice, second choice) comes once.
SECOND = (0, 2, 1, 3)


class Proof(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(["lb1", "lb2"], [], {VIP: "lb1"})

    def setUp(self):
        self.right = site(self.world, WEB)
        self.apply(self.right)
        self.world.copies()

    def apply(self, text: str) -> None:
        apply_all(self.world, text)
        self.path = write_site(text, "/run/proof.lb")

    # ---- what is said

    def verify(self, host: Host, *options: str, status: int) -> dict:
        done = host.lbc("verify", self.path, *options, "--format", "json", check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def verify_all(self, status: int) -> dict:
        """All directors, by what iptables-save prints on each."""
        with tempfile.TemporaryDirectory() as folder:
            for host in self.world.directors:
                place = Path(folder) / host.name
                place.mkdir()
                for program in ("iptables", "ip6tables"):
                    (place / f"{program}.rules").write_text(host.run(f"{program}-legacy-save").stdout, encoding="utf-8")
            return self.verify(self.world["lb1"], "--site", folder, status=status)

    def loops(self, kind: str, goes_round: bool) -> list[list[str]]:
        """Of what is found: the directors of each path."""
        found = self.verify_all(1)["loops"]
        self.assertEqual({path["kind"] for path in found}, {kind})
        for path in found:
            self.assertEqual((path["service"], path["packet"]["destination"]), ("web", VIP))
            self.assertEqual(path["goes_round"], goes_round)
        note(f"{self.id()}: " + "; ".join(f"{[hop['director'] for hop in path['hops']]}, goes round: "
                                          f"{path['goes_round']}" for path in found))
        return [[hop["director"] for hop in path["hops"]] for path in found]

    # ---- what is seen

    def most_frames(self, answered: int) -> int:
        """How often a client's packet is on the wire: twice, where it is balanced once."""
        self.world.copies()
        answers = self.world.udp(VIP, FLOWS, expected=answered)
        copies = self.world.copies()
        note(f"{self.id()}: {len(answers)} answered, most copies {copies.most()}")
        self.assertEqual(len(answers), answered)
        return copies.most()

    def assert_goes_round(self) -> None:
        """Until the TTL is gone."""
        self.world.copies()
        answers = self.world.udp(VIP, FLOWS)
        copies = self.world.copies()
        note(f"{self.id()}: {len(answers)} answered, most copies {copies.most()}")
        self.assertLess(len(answers), FLOWS)
        self.assertGreater(copies.most(), 50)

    def test_all_is_right(self):
        for host in self.world.directors:
            self.assertTrue(self.verify(host, "-d", host.name, status=0)["holds"])
        self.assertEqual(self.verify_all(0)["loops"], [])
        self.assertEqual(self.most_frames(FLOWS), 2)

    def test_a_mac_is_missing(self):
        """lb2 takes lb1's packets for a client's, and sends every other one back; then so does lb1."""
        wrong = self.right.replace("mac 02:00:00:00:00:0b", "mac 02:00:00:00:00:7b")
        self.assertNotEqual(wrong, self.right)
        self.world["lb2"].lbc("apply", write_site(wrong), "-d", "lb2")
        self.assertEqual(self.loops("balanced-twice", False), [["lb1", "lb2", "lb1"]])
        self.assertEqual(self.most_frames(FLOWS), 3)
        wrong = self.right.replace("mac 02:00:00:00:00:0c", "mac 02:00:00:00:00:7c")
        self.world["lb1"].lbc("apply", write_site(wrong), "-d", "lb1")
        self.assertEqual(sorted(self.loops("balanced-twice", True)), [["lb1", "lb2", "lb1"], ["lb2", "lb1", "lb2"]])
        self.assert_goes_round()

    def swap(self, host: Host) -> None:
        """Gives peers' packets the service's mark."""
        rules = host.run("iptables-legacy-save", "-t", "mangle").stdout
        swapped = re.sub(r"(?m)^(-A LBC-PEER .*--set-xmark )0x\w+", r"\g<1>0x3", rules)
        self.assertNotEqual(swapped, rules)
        host.run("iptables-legacy-restore", text=swapped)

    def test_a_mark_is_swapped(self):
        self.swap(self.world["lb2"])
        self.verify(self.world["lb1"], "-d", "lb1", status=0)
        found = self.verify(self.world["lb2"], "-d", "lb2", status=1)["directors"][0]["families"][0]["faults"]
        self.assertEqual({fault["decision"]["chain"] for fault in found}, {"LBC-PEER"})
        self.assertEqual({fault["witness"]["source_mac"] for fault in found}, {self.world["lb1"].mac})
        self.assertEqual(self.loops("balanced-twice", False), [["lb1", "lb2", "lb1"]])
        self.assertEqual(self.most_frames(FLOWS), 3)
        self.swap(self.world["lb1"])
        self.assertEqual(len(self.loops("balanced-twice", True)), 2)
        self.assert_goes_round()

    def turns(self) -> int:
        """Flows to both directors one after the other; how many of the client's packets went round."""
        sports = self.world.ports(FLOWS)
        first = self.world.udp(VIP, sports=sports)
        self.assertEqual(sorted(first.values()), ["lb1", "lb1", "lb2", "lb2"])
        self.assertEqual(self.world.copies().looped(), 0)
        self.world.move("lb2", VIP)
        self.addCleanup(self.world.move, "lb1", VIP)
        self.world.udp(VIP, sports=[sports[i] for i in SECOND])
        copies = self.world.copies()
        note(f"{self.id()}: looped {copies.looped()}, most copies {copies.most()}")
        return copies.looped()

    def test_without_a_guard_connections_are_remembered(self):
        self.apply(site(self.world, WEB, "guard off"))
        self.assertIn("[stale-loop]", self.world["lb1"].lbc("check", self.path).stderr)
        for host in self.world.directors:
            self.verify(host, "-d", host.name, status=0)
        self.assertEqual(sorted(self.loops("remembered", True)), [["lb1", "lb2", "lb1"], ["lb2", "lb1", "lb2"]])
        self.assertEqual(self.turns(), 1)

    def test_with_a_guard_they_do_no_harm(self):
        self.assertNotIn("[stale-loop]", self.world["lb1"].lbc("check", self.path).stderr)
        self.assertEqual(self.verify_all(0)["loops"], [])
        self.assertEqual(self.turns(), 0)

    def test_a_service_by_address(self):
        """It balances what has no mark, which without a guard is what peers send too."""
        self.apply(site(self.world, WEB, "guard off"))
        host = self.world["lb2"]
        self.verify(host, "-d", "lb2", status=0)
        self.assertEqual(self.most_frames(FLOWS), 2)
        host.run("ipvsadm", "-R", text=BY_ADDRESS)
        self.addCleanup(host.run, "ipvsadm", "-D", "-u", f"{VIP}:80", check=False)
        said = self.verify(host, "-d", "lb2", status=1)["directors"][0]
        self.assertEqual(said["services_by_address"],
                         [{"service": "web", "protocol": 17, "address": VIP, "port": 80}])
        self.verify(host, "-d", "lb2", "--only", "marks", status=0)
        self.assert_goes_round()
        self.apply(self.right)
        self.assertEqual(self.most_frames(FLOWS), 2)  # the guard delivers what IPVS would send back


if __name__ == "__main__":
    unittest.main(verbosity=2)
