#!/usr/bin/env python3
"""The VIP moves to another director and back while flows go on from the same client ports. IPVS on the director that
was active remembers them, and forwards what its peer sends it: what each guard makes of that.

The first pass gives the flows to the four servers in turn; the second pass sends them in an order in which each pair of
(server of the first pass, server of the second) comes once. So one flow in sixteen is one that both directors would hand
to each other."""

from __future__ import annotations

import time
import unittest

from world import World, apply_all, note, site

VIP, VIP6 = "10.0.0.100", "fd00::100"
FLOWS = 16
ROUNDS = [j // 4 + 4 * (j % 4) for j in range(FLOWS)]  # the order of the second pass


class Guards(unittest.TestCase):
    def world(self, vip: str, guard: str, extra: str = "", forward: str = "dr") -> World:
        world = World(["lb1", "lb2"], ["rs1", "rs2"], {vip: "lb1"})
        reals = "real fd00::1f; real fd00::20" if ":" in vip else "real 10.0.0.31; real 10.0.0.32"
        apply_all(world, site(world, f"service web {{ vip {vip}; port tcp 80; port udp 80; scheduler rr\n"
                                     f"forward {forward}; real lb1; real lb2; {reals} }}", f"guard {guard}\n{extra}"))
        return world

    def switch(self, world: World, vip: str, kind: str, **options) -> tuple[list[dict[int, str]], object]:
        """The answers of the three passes, and the copies of the second and third."""
        send = getattr(world, kind)
        sports = world.ports(FLOWS)
        first = send(vip, sports=sports, **options)
        self.assertEqual(len(first), FLOWS)
        self.assertLessEqual(world.copies().most(), 2 * (options.get("size", 0) > 1400) + 2)
        world.move(vip, "lb2")
        second = send(vip, sports=[sports[i] for i in ROUNDS], **options)
        world.move(vip, "lb1")
        third = send(vip, sports=sports, **options)
        return [first, second, third], world.copies()

    def chosen(self, answers: dict[int, str], sports: list[int]) -> list[str]:
        """For each place in the scheduler's turn, who answered: one name where all went where they were sent."""
        names = []
        for turn in range(4):
            names.append("/".join(sorted({answers.get(sport, "-") for sport in sports[turn::4]})))
        return names

    def check_local(self, world: World, vip: str, kind: str, **options) -> None:
        passes, copies = self.switch(world, vip, kind, **options)
        self.assertEqual(copies.looped(), 0)
        sports = sorted(passes[0])
        self.assertEqual([len(answers) for answers in passes], [FLOWS] * 3)
        turns = self.chosen(passes[1], [sports[i] for i in ROUNDS])
        self.assertEqual(sorted(turns), ["lb1", "lb2", "rs1", "rs2"])
        note(f"guard local, {kind}, {vip}, {options}: {[len(answers) for answers in passes]}")

    def test_local_udp(self):
        self.check_local(self.world(VIP, "local"), VIP, "udp")

    def test_local_tcp_ports_used_again(self):
        self.check_local(self.world(VIP, "local"), VIP, "tcp")

    def test_local_ipv6(self):
        world = self.world(VIP6, "local")
        self.check_local(world, VIP6, "udp")
        self.check_local(world, VIP6, "tcp")

    def test_local_with_conntrack_and_rp_filter(self):
        world = self.world(VIP, "local")
        for host in world.directors:
            host.sysctl("ipv4/vs/conntrack", 1)
            for path in ("all", "lo", "eth0"):
                host.sysctl(f"ipv4/conf/{path}/rp_filter", 1)
        self.check_local(world, VIP, "udp")
        self.check_local(world, VIP, "tcp")

    def test_local_packets_larger_than_the_mtu(self):
        world = self.world(VIP, "local")
        passes, copies = self.switch(world, VIP, "udp", size=3000)
        self.assertEqual([len(answers) for answers in passes], [FLOWS] * 3)
        self.assertEqual(copies.looped(), 0)

    def each_flow(self, guard: str):
        for vip in (VIP, VIP6):
            for kind in ("udp", "tcp"):
                with self.subTest(guard=guard, vip=vip, kind=kind):
                    world = self.world(vip, guard)
                    passes, copies = self.switch(world, vip, kind)
                    note(f"guard {guard}, {kind}, {vip}: answered {[len(answers) for answers in passes]}, "
                         f"looped {copies.looped()}, most copies {copies.most()}")
                    yield world, vip, [FLOWS - len(answers) for answers in passes], copies

    def test_drop(self):
        for world, vip, lost, copies in self.each_flow("drop"):
            self.assertEqual(copies.looped(), 0)
            self.assertGreater(lost[1], 0)
            # A client that uses another port is not one of those flows.
            self.assertEqual(len(world.udp(vip)), 12)

    def test_off_loops(self):
        for _, _, _, copies in self.each_flow("off"):
            self.assertGreater(copies.most(), 50)
            self.assertLessEqual(min(copies.lowest_ttl.values()), 1)

    def test_backup_only(self):
        world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "lb1"})
        apply_all(world, site(world, f"service web {{ vip {VIP}; port tcp 80; port udp 80; scheduler rr\n"
                                     "real lb1; real lb2; real 10.0.0.31; real 10.0.0.32 }",
                              "guard backup-only\nsync { interface eth0; id 7; instance vi1 }\n"
                              f"vrrp vi1 {{ vip {VIP}/24; interface eth0; router-id 51; priority lb1 150, lb2 100 }}"))

        def roles(master: str) -> None:  # what VRRP's instance does
            for host in world.directors:
                for role in ("master", "backup"):
                    host.run("ipvsadm", "--stop-daemon", role, check=False)
                host.run("ipvsadm", "--start-daemon", "master" if host.name == master else "backup",
                         "--mcast-interface", "eth0", "--syncid", "7")

        roles("lb1")
        sports = world.ports(FLOWS)
        self.assertEqual(len(world.udp(VIP, sports=sports)), FLOWS)
        world.move(VIP, "lb2")
        roles("lb2")
        second = world.udp(VIP, sports=[sports[i] for i in ROUNDS])
        copies = world.copies()
        note(f"guard backup-only, udp: answered {len(second)}, looped {copies.looped()}")
        self.assertEqual(copies.looped(), 0)
        self.assertEqual(len(second), FLOWS)

    def test_sync_keeps_connections_at_their_servers(self):
        world = self.world(VIP, "local", "sync { interface eth0; id 7 }")
        for host in world.directors:
            host.sysctl("ipv4/vs/sync_threshold", "0 1")
        sports = world.ports(8)
        flows = world.open_flows(VIP, 80, sports, 1)
        before = world.ask(flows, b"one")
        self.assertEqual(len(before), 8)
        world.copies()
        for _ in range(3):  # what is synchronised goes out within two seconds
            world.ask(flows, b"again")
            world.copies()
        time.sleep(2.5)
        world.move(VIP, "lb2")
        after = world.ask(flows, b"two")
        note(f"guard local with sync: {len(after)} of 8 connections go on")
        for flow in flows.values():
            flow.close()
        self.assertEqual(after, before)
        self.assertEqual(world.copies().looped(), 0)

    def test_tunnels(self):
        for guard in ("local", "drop", "off"):
            with self.subTest(guard=guard):
                world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "lb1"})
                for host in world.reals:
                    host.ip(f"link add tun0 type ipip local {host.address}", "link set tun0 up")
                apply_all(world, site(world, f"service web {{ vip {VIP}; port tcp 80; port udp 80; scheduler rr\n"
                                             "real lb1; real lb2; real 10.0.0.31 forward tun; real 10.0.0.32 forward tun }",
                                      f"guard {guard}"))
                passes, copies = self.switch(world, VIP, "udp")
                note(f"guard {guard}, dr to directors and tunnels to others, udp: "
                     f"answered {[len(answers) for answers in passes]}, looped {copies.looped()}")
                if guard == "off":
                    self.assertGreater(copies.looped(), 0)
                else:
                    self.assertEqual(copies.looped(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
