#!/usr/bin/python3
"""The VIPs move to another director and back while flows go on from the same client ports. IPVS on the director that
was active remembers them, and forwards what its peer sends it: what each guard makes of that.

The first pass gives the flows to the four servers in turn; the second pass sends them in an order in which each pair of
(server of the first pass, server of the second) comes once. So one flow in sixteen is one that both directors would hand
to each other."""

from __future__ import annotations

import socket
import time
import unittest

from lbctest.wire import Copies
from lbctest.world import World, apply_all, note, site

VIP, VIP6 = "10.0.0.100", "fd00::100"
FLOWS = 16
ROUNDS = [j // 4 + 4 * (j % 4) for j in range(FLOWS)]  # the order of the second pass
REMEMBERED = 9  # seconds; IPVS forgets a TCP connection 10 s after its reset
SERVICE = f"service web {{ vip {VIP}, {VIP6}; port tcp 80; port udp 80; scheduler rr; real lb1; real lb2\n"
DIRECT = SERVICE + "real 10.0.0.31; real 10.0.0.32; real fd00::1f; real fd00::20 }\n"
TUNNELS = SERVICE + ("real 10.0.0.31 forward tun; real 10.0.0.32 forward tun\n"
                     "real fd00::1f forward tun; real fd00::20 forward tun }\n")


def wait(condition) -> bool:
    """Whether something has happened at last."""
    end = time.monotonic() + 30
    while not (done := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return done


class Guards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "lb1", VIP6: "lb1"})
        for host in cls.world.reals:
            host.ip(*cls.world.tunnel_lines(host))
        for host in cls.world.servers:  # the answer to one would loop under `off`, among the packets of a later test
            host.sysctl("ipv4/tcp_synack_retries", 0)

    def apply(self, guard: str, extra: str = "", service: str = DIRECT) -> None:
        apply_all(self.world, site(self.world, service, f"guard {guard}\n{extra}"))

    def passes(self, vip: str, kind: str, answered: tuple[int, int, int], **options) -> tuple[list, list, Copies]:
        """Three passes: the answers of each, what the active director had chosen, the copies of the second and third."""
        world, sports, answers, chosen = self.world, self.world.ports(FLOWS), [], []
        for turn, active in enumerate(("lb1", "lb2", "lb1")):
            if turn:
                world.move(active, vip)
                self.roles(active)
            order = [sports[i] for i in ROUNDS] if turn == 1 else sports
            answers.append(getattr(world, kind)(vip, sports=order, expected=answered[turn], **options))
            remembered = world.remembered(active, vip, kind)
            chosen.append({sport: remembered.get(sport) for sport in answers[-1]})
            if turn == 0:
                self.assertEqual(world.copies().looped(), 0)
        copies = world.copies()
        note(f"{kind}, {vip}, {options}: answered {[len(names) for names in answers]}, looped {copies.looped()}, "
             f"most copies {copies.most()}")
        return answers, chosen, copies

    def switch(self, vip: str, kind: str, answered: tuple[int, int, int], **options) -> tuple[list, list, Copies]:
        """The same, with the first pass as the scheduler has it."""
        self.world.copies()
        for _ in range(3):
            started = time.monotonic()
            done = self.passes(vip, kind, answered, **options)
            if kind == "udp" or time.monotonic() - started < REMEMBERED:
                break
        answers, chosen, _ = done
        first = list(answers[0].values())
        self.assertEqual([first.count(server.name) for server in self.world.servers], [4] * 4)
        self.assertEqual(answers[0], chosen[0])
        return done

    def check(self, vip: str, kind: str, answered: tuple[int, int, int] = (16, 16, 16), forgets_nothing: bool = True,
              **options) -> None:
        """Nothing loops, and who answers is who the active director has chosen: in the third pass, whom it chose in
        the first."""
        with self.subTest(vip=vip, kind=kind, **options):
            answers, chosen, copies = self.switch(vip, kind, answered, **options)
            self.assertEqual(copies.looped(), 0)
            self.assertEqual(tuple(len(names) for names in answers), answered, self.world.errors[-8:])
            self.assertEqual(answers, chosen)
            if forgets_nothing:
                self.assertEqual(answers[2], {sport: answers[0][sport] for sport in answers[2]})

    def check_loops(self, vip: str, kind: str, answered: tuple[int, int, int]) -> None:
        with self.subTest(vip=vip, kind=kind):
            answers, _, copies = self.switch(vip, kind, answered)
            counts = tuple(len(names) for names in answers)
            if kind == "udp":
                self.assertEqual(counts, answered)
                self.assertEqual(copies.looped(), 6)
            else:  # depends on how often a lost packet is sent again before the client gives up
                self.assertEqual(counts[0], FLOWS)
                self.assertLess(max(counts[1:]), FLOWS)
                self.assertGreaterEqual(copies.looped(), 6)
            self.assertGreater(copies.most(), 50)
            self.assertLessEqual(min(copies.lowest_ttl.values()), 1)

    def roles(self, master: str) -> None:
        """What VRRP's scripts do where there are any."""

    def test_local(self):
        self.apply("local")
        for vip in (VIP, VIP6):
            self.check(vip, "udp")
            self.check(vip, "tcp")
            self.check(vip, "udp", size=3000)

    def test_local_with_conntrack_and_rp_filter(self):
        self.apply("local")
        for value in (1, 0):
            for host in self.world.directors:
                host.sysctl("ipv4/vs/conntrack", value)
                for path in ("all", "lo", "eth0"):
                    host.sysctl(f"ipv4/conf/{path}/rp_filter", value)
            if value:
                self.check(VIP, "udp")
                self.check(VIP, "tcp")

    def test_drop(self):
        self.apply("drop")
        for vip in (VIP, VIP6):
            for kind in ("udp", "tcp"):
                self.check(vip, kind, (16, 13, 13))
            # A client that uses another port is not one of those flows.
            self.assertEqual(len(self.world.udp(vip)), 12)

    def test_off_loops(self):
        self.apply("off")
        for vip in (VIP, VIP6):
            self.check_loops(vip, "udp", (16, 15, 15))
            self.check_loops(vip, "tcp", (16, 13, 13))

    def test_tunnels(self):
        for guard, answered in (("local", (16, 14, 14)), ("drop", (16, 13, 13)), ("off", (16, 15, 15))):
            self.apply(guard, service=TUNNELS)
            for vip in (VIP, VIP6):
                if guard == "off":
                    self.check_loops(vip, "udp", answered)
                else:
                    self.check(vip, "udp", answered)

    def test_backup_only(self):
        self.apply("backup-only", "sync { interface eth0; id 7; instance vi1 }\n"
                   f"vrrp vi1 {{ vip {VIP}/24; interface eth0; router-id 51; priority lb1 150, lb2 100 }}")

        def roles(master: str) -> None:
            for host in self.world.directors:
                role, other = ("master", "backup") if host.name == master else ("backup", "master")
                host.run("ipvsadm", "--stop-daemon", other, check=False)
                host.run("ipvsadm", "--start-daemon", role, "--mcast-interface", "eth0", "--syncid", "7")

        def stop() -> None:
            for host in self.world.directors:
                for role in ("master", "backup"):
                    host.run("ipvsadm", "--stop-daemon", role, check=False)

        self.addCleanup(stop)
        self.roles = roles
        roles("lb1")
        for vip in (VIP, VIP6):
            self.check(vip, "udp")
            # The daemons tell each other of closed TCP connections, and one packet is too few for UDP.
            self.check(vip, "tcp", forgets_nothing=False)


class Sync(unittest.TestCase):
    def test_flows_keep_their_servers(self):
        """TCP connections in mid-stream and UDP flows, to the other director and back."""
        world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "lb1", VIP6: "lb1"})
        apply_all(world, site(world, DIRECT, "guard local\nsync { interface eth0; id 7 }"))
        for host in world.directors:
            host.sysctl("ipv4/vs/sync_threshold", "0 1")  # with every packet
        flows = {(vip, kind): world.open_flows(vip, 80, world.ports(8), number)
                 for vip in (VIP, VIP6) for kind, number in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM))}

        def ask(question: bytes) -> list[dict[int, str]]:
            return [world.ask(some, question) for some in flows.values()]

        before = ask(b"one")
        self.assertEqual([len(names) for names in before], [8] * 4)
        for director in ("lb2", "lb1"):
            def known() -> bool:
                return [world.remembered(director, *key) for key in flows] == before

            self.assertTrue(wait(known), [world.remembered(director, *key) for key in flows])
            world.copies()
            world.move(director, VIP, VIP6)
            self.assertEqual(ask(director.encode()), before)
            self.assertEqual(world.copies().looped(), 0)
        for some in flows.values():
            for flow in some.values():
                flow.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
