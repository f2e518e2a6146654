#!/usr/bin/env python3
"""Changes of a site that carries traffic: nothing is lost, and nothing is balanced twice. And the script of the same
site makes the same of the kernel as `lbc apply` does."""

from __future__ import annotations

import json
import re
import threading
import time
import unittest
from pathlib import Path

import jsonschema

from world import Host, World, apply_all, site, write_site

VIP = "10.0.0.100"
REALS = "real lb1; real lb2; real 10.0.0.31"
TOP = Path(__file__).resolve().parents[2]
EXAMPLES, SCHEMAS = TOP / "examples", TOP / "docs" / "schema"


def web(more: str = REALS, mark: str = "0x3") -> str:
    return f"service web {{ vip {VIP}; port tcp 80; mark {mark}; scheduler rr; {more} }}\n"


class Live(unittest.TestCase):
    def setUp(self):
        self.world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "lb1"})
        apply_all(self.world, site(self.world, web()))

    def under_traffic(self, *sites: str, drain: str = "") -> None:
        """Applies each site on both directors while connections come one after another and eight go on."""
        world, lost, made = self.world, [], []
        sports = world.ports(8)
        flows = world.open_flows(VIP, 80, sports, 1)
        before = world.ask(flows, b"before")
        self.assertEqual(len(before), 8)
        stop = threading.Event()

        def connect() -> None:
            while not stop.is_set():
                sport = world.ports(1)
                made.append(sport)
                if len(world.tcp(VIP, sports=sport)) != 1:
                    lost.append(sport)

        client = threading.Thread(target=connect)
        client.start()
        try:
            for text in sites:
                path = write_site(site(world, text))
                for host in world.directors:
                    host.lbc("apply", path, "-d", host.name, *(["--drain", drain] if drain else []))
        finally:
            stop.set()
            client.join()
        after = world.ask(flows, b"after") if not drain else before
        for flow in flows.values():
            flow.close()
        self.assertEqual(lost, [], world.errors)
        self.assertGreater(len(made), 10)
        self.assertEqual(after, before)
        self.assertLessEqual(world.copies().most(), 2)

    def test_a_service_added_and_a_weight_changed(self):
        other = "service other { vip 10.0.0.101; port tcp 81; scheduler rr; real lb1; real lb2 }\n"
        self.under_traffic(web() + other, web("real lb1 weight 3; real lb2; real 10.0.0.31"), web())

    def test_connections_go_on_over_another_scheduler(self):
        """The kernel itself refuses new ones for a moment: it takes the old scheduler off before it binds the new."""
        world = self.world
        flows = world.open_flows(VIP, 80, world.ports(8), 1)
        before = world.ask(flows, b"before")
        self.assertEqual(len(before), 8)
        apply_all(world, site(world, web().replace("scheduler rr", "scheduler wlc")))
        self.assertEqual(world.ask(flows, b"after"), before)
        for flow in flows.values():
            flow.close()
        self.assertEqual(len(world.tcp(VIP, 8)), 8)

    def test_a_real_server_comes_and_goes(self):
        self.under_traffic(web(REALS + "; real 10.0.0.32"))
        self.under_traffic(web(REALS), drain="2s")

    def test_a_mark_changed(self):
        self.under_traffic(web(mark="0x5"), drain="3s")
        for host in self.world.directors:
            self.assertNotIn("-f 3 ", host.run("ipvsadm", "-Sn").stdout)


class Confirm(unittest.TestCase):
    def test_unconfirmed_confirmed_and_rolled_back(self):
        world = World(["lb1"], [], {VIP: "lb1"})
        host = world["lb1"]

        def state() -> tuple[str, str]:
            return (host.run("ipvsadm", "-Sn").stdout,
                    re.sub(r"#.*\n|\[\d+:\d+\]", "", host.run("iptables-legacy-save", "-t", "mangle").stdout))

        def apply(text: str, *options: str) -> int:
            path = write_site(site(world, text))
            return host.lbc("apply", path, "-d", "lb1", *options, check=False).returncode

        self.assertEqual(apply(web("real lb1")), 0)
        old = state()
        self.assertEqual(apply(web("real lb1; real 10.0.0.31", "0x7"), "--confirm-within", "60s"), 0)
        new = state()
        self.assertNotEqual(new, old)
        self.assertEqual(apply(web("real lb1")), 3)  # one waits
        self.assertEqual(state(), new)
        self.assertEqual(host.lbc("rollback").stdout, "the change is taken back\n")
        self.assertEqual(state(), old)
        self.assertEqual(host.lbc("rollback", check=False).returncode, 3)
        self.assertEqual(apply(web("real lb1; real 10.0.0.31", "0x7"), "--confirm-within", "60s"), 0)
        self.assertEqual(host.lbc("confirm").stdout, "the change is kept\n")
        self.assertEqual(state(), new)
        self.assertEqual(apply(web("real lb1"), "--confirm-within", "1s"), 0)
        for _ in range(100):
            if state() == new:
                break
            time.sleep(0.1)
        self.assertEqual(state(), new)
        self.assertEqual(host.lbc("confirm", check=False).returncode, 3)


class Output(unittest.TestCase):
    def test_json_against_its_schema_and_prometheus(self):
        world = World(["lb1", "lb2"], [], {VIP: "lb1"})
        path = write_site(site(world, web("real lb1; real lb2", "lb1 0x3, lb2 0x4")))
        host = world["lb1"]
        schema = {name: json.loads((SCHEMAS / f"{name}.schema.json").read_text()) for name in ("apply", "status")}
        for arguments in (["--dry-run"], [], [], ["--only", "ipvs"]):
            told = host.lbc("apply", path, "-d", "lb1", "--format", "json", *arguments)
            jsonschema.validate(json.loads(told.stdout), schema["apply"])
        self.assertEqual(len(world.tcp(VIP, 8)), 8)
        for _ in range(100):  # the kernel adds its counters up every two seconds
            status = json.loads(host.lbc("status", path, "-d", "lb1", "--format", "json").stdout)
            if status["services"][0]["counters"]["connections"] == 8:
                break
            time.sleep(0.1)
        jsonschema.validate(status, schema["status"])
        self.assertEqual(status["differences"], 0)
        self.assertEqual([real["counters"]["connections"] for real in status["services"][0]["reals"]], [4, 4])
        lines = host.lbc("status", path, "-d", "lb1", "--format", "prometheus").stdout.splitlines()
        for line in lines:
            self.assertRegex(line, r'^(# (HELP|TYPE) lbc_\w+ .+|lbc_\w+\{(\w+="[^"\\]*",?)+\} \d+)$')
        self.assertEqual(sum(int(line.split()[-1]) for line in lines if "connections_total{" in line), 8)
        refused = write_site(site(world, web("real 10.0.0.255", "0x3")))
        told = host.lbc("apply", refused, "-d", "lb1", "--format", "json", check=False)
        self.assertEqual(told.returncode, 4)
        jsonschema.validate(json.loads(told.stdout), schema["apply"])


class Script(unittest.TestCase):
    def test_the_same_state_as_apply(self):
        for path in sorted(EXAMPLES.glob("*.lb")):
            with self.subTest(example=path.name):
                applied, scripted = Host("applied", 1), Host("scripted", 2)
                for host in (applied, scripted):
                    host.ip("link set lo up", "link add eth0 type dummy", "link set eth0 up")
                name = re.search(r"^director\s+(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)[1]
                applied.lbc("apply", str(path), "-d", name)
                scripted.lbc("compile", str(path), "-o", "/run/rules.sh")
                scripted.run("env", "IPTABLES=iptables-legacy", "IP6TABLES=ip6tables-legacy", "sh", "/run/rules.sh",
                             "apply", name)
                for command in (("iptables-legacy-save", "-t", "mangle"), ("ip6tables-legacy-save", "-t", "mangle"),
                                ("ipvsadm", "-Sn"), ("ipvsadm", "-Ln", "--thresholds"), ("ipvsadm", "-Ln", "--daemon")):
                    told = [sorted(re.sub(r"#.*|\[\d+:\d+\]", "", host.run(*command).stdout).splitlines())
                            for host in (applied, scripted)]
                    self.assertEqual(told[0], told[1])
                self.assertIn("nothing differs", scripted.lbc("apply", str(path), "-d", name).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
