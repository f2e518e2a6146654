#!/usr/bin/python3
"""Changes of a site that carries traffic: nothing is lost, and nothing is balanced twice. And the script of the same
site makes the same of the kernel as `lbc apply` does."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import termios
import time
import unittest
from pathlib import Path

import jsonschema

from lbctest.hosts import APPLY, Host
from lbctest.lone_director import BY_NFT, nft_rules, rules
from lbctest.namespaces import Inside
from lbctest.project import BACKEND, LBC
from lbctest.traffic import Traffic
from lbctest.world import World, apply_all, site, write_site

VIP = "10.0.0.100"
# lb1, which has the VIP, neither serves nor listens: a packet that gets no mark there is refused.
REALS = "real lb2; real 10.0.0.31"
TOP = Path(__file__).resolve().parents[2]
EXAMPLES, SCHEMAS = TOP / "examples", TOP / "docs" / "schema"
EIGHT = 8


def web(more: str = REALS, mark: str = "0x3") -> str:
    return f"service web {{ vip {VIP}; port tcp 80; mark {mark}; scheduler rr; {more} }}\n"


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "lb1"})
        cls.world.stop_listening(cls.world["lb1"])

    def setUp(self):
        self.apply(web())
        self.world.copies()

    def apply(self, text: str) -> None:
        apply_all(self.world, site(self.world, text))

    def rules(self) -> list[str]:
        return rules(self.world["lb1"], "iptables") + nft_rules(self.world["lb1"])

    def open(self) -> tuple[dict[int, socket.socket], dict[int, str]]:
        """Connections that stay, and who has answered them."""
        flows = self.world.open_flows(VIP, 80, self.world.ports(EIGHT), socket.SOCK_STREAM)
        before = self.world.ask(flows, b"before")
        self.assertEqual(len(before), EIGHT)
        return flows, before

    @staticmethod
    def close(flows: dict[int, socket.socket]) -> None:
        for flow in flows.values():
            flow.close()

    def check_wire(self, traffic: Traffic) -> None:
        self.assertEqual(traffic.lost, [])
        self.assertLessEqual(self.world.copies().most(), 2)

    def under_traffic(self, *texts: str) -> None:
        """Applies each site on both directors while connections come one after another and eight go on."""
        flows, before = self.open()
        with Traffic(self.world, VIP) as traffic:
            for text in texts:
                self.apply(text)
                traffic.wait_for()
                self.assertEqual(self.world.ask(flows, b"after"), before)
        self.close(flows)
        self.check_wire(traffic)

    def drain(self, text: str, leaving: str) -> None:
        """Applies a site that takes something away, and asks eight connections while it waits for them to end. It ends
        when they do."""
        flows, before = self.open()
        self.assertIn(leaving, before.values())
        host = self.world["lb1"]
        with Traffic(self.world, VIP) as traffic:
            with Inside(host.namespace):
                applying = subprocess.Popen([*APPLY, write_site(site(self.world, text)), "-d", "lb1", "--drain", "600s"],
                                            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            self.assertIn("waiting for connections to end", applying.stderr.readline())
            for question in (b"one", b"two"):
                self.assertEqual(self.world.ask(flows, question), before)
                traffic.wait_for()
            self.assertIsNone(applying.poll())
            self.close(flows)
            self.assertEqual(applying.wait(120), 0, applying.stderr.read())
            applying.stderr.close()
            traffic.wait_for()
        self.apply(text)
        self.check_wire(traffic)

    def test_a_service_added_and_a_weight_changed(self):
        other = "service other { vip 10.0.0.101; port tcp 81; scheduler rr; real lb1; real lb2 }\n"
        self.under_traffic(web() + other, web("real lb2 weight 3; real 10.0.0.31"), web())

    def test_rules_of_another_shape(self):
        """Other guards, ports and interfaces, and so other chains and other rules for the same service."""
        wide = web().replace("tcp 80", "tcp 79-81; port udp 80")
        anywhere = site(self.world, "guard drop\n" + wide).replace("; interface eth0", "")
        self.assertNotIn("interface", anywhere)
        flows, before = self.open()
        with Traffic(self.world, VIP) as traffic:
            for text in (site(self.world, "guard drop\n" + web()), site(self.world, wide), anywhere,
                         site(self.world, "guard off\n" + web()), site(self.world, web())):
                old = self.rules()
                apply_all(self.world, text)
                self.assertNotEqual(self.rules(), old)
                traffic.wait_for()
                self.assertEqual(self.world.ask(flows, b"after"), before)
        self.close(flows)
        self.check_wire(traffic)

    def test_marks_that_move_to_another_backend(self):
        """From what marks to the other and back, on one director after the other."""
        path = write_site(site(self.world, web()))
        flows, before = self.open()
        with Traffic(self.world, VIP) as traffic:
            for tool in ("nft", "iptables", "nft", "iptables"):
                for host in self.world.directors:
                    host.lbc("apply", path, "-d", host.name, "--backend", tool, "--migrate")
                    traffic.wait_for()
                self.assertEqual(self.world.ask(flows, b"moved"), before)
        for host in self.world.directors:
            host.lbc("apply", path, "-d", host.name, "--migrate", "--backend", BACKEND)
        self.close(flows)
        self.check_wire(traffic)

    def test_connections_go_on_over_another_scheduler(self):
        """The kernel itself refuses new ones for a moment: it takes the old scheduler off before it binds the new."""
        flows, before = self.open()
        self.apply(web().replace("scheduler rr", "scheduler wlc"))
        self.assertEqual(self.world.ask(flows, b"after"), before)
        self.close(flows)
        self.assertEqual(len(self.world.tcp(VIP, 8)), 8)

    def test_a_real_server_comes_and_goes(self):
        self.under_traffic(web(REALS + "; real 10.0.0.32"))
        self.drain(web(), "rs2")
        self.assertNotIn("10.0.0.32", self.world["lb1"].run("ipvsadm", "-Sn").stdout)

    def test_a_mark_changed(self):
        self.drain(web(mark="0x5"), "rs1")
        for host in self.world.directors:
            self.assertNotIn("-f 3 ", host.run("ipvsadm", "-Sn").stdout)
        # Where the time is over first, connections are not waited for any longer.
        flows, _ = self.open()
        host = self.world["lb1"]
        host.lbc("apply", write_site(site(self.world, web())), "-d", "lb1", "--drain", "1s")
        self.assertNotIn("-f 5 ", host.run("ipvsadm", "-Sn").stdout)
        self.close(flows)


    def diff(self, text: str) -> dict:
        """What `lbc diff` says of a site on lb1, against its kernel."""
        path = write_site(site(self.world, text), "/run/other.lb")
        said = json.loads(self.world["lb1"].lbc("diff", path, "-d", "lb1", "--format", "json").stdout)
        jsonschema.Draft202012Validator(json.loads((SCHEMAS / "diff.schema.json").read_text())).validate(said)
        return said

    def known_of(self, real: str) -> int:
        """Connections that lb1 knows of a real server."""
        listed = self.world["lb1"].run("ipvsadm", "-Ln").stdout
        return sum(map(int, re.search(rf"-> {re.escape(real)}:\S+ .* (\d+) +(\d+) *$", listed, re.M).groups()))

    def test_diff_tells_what_becomes_of_connections(self):
        """And it comes so: those that it says go on do, and those that it says break do."""
        flows, before = self.open()
        on_rs1 = [sport for sport, name in before.items() if name == "rs1"]
        self.assertEqual(len(on_rs1), EIGHT // 2)
        same = self.diff(web())
        self.assertEqual((same["differs"], same["changes"], same["writes"]), (False, [], []))
        told = self.diff(web().replace("scheduler rr", "scheduler wlc"))["changes"]
        self.assertEqual([(c["kind"], c["connections"], c["disruptive"]) for c in told],
                         [("service-changed", "established connections go on", False)])
        self.apply(web().replace("scheduler rr", "scheduler wlc"))
        self.assertEqual(self.world.ask(flows, b"in place"), before)

        most = self.known_of("10.0.0.31")
        told = self.diff(web("real lb2").replace("scheduler rr", "scheduler wlc"))["changes"]
        self.assertEqual([(c["kind"], c["disruptive"]) for c in told], [("real-removed", True)])
        self.assertIn("real server 10.0.0.31 removed", told[0]["text"])
        known = int(re.search(r"its (\d+) connections break", told[0]["connections"])[1])
        # Those of flows that ended a moment ago are among them, until their time is over.
        self.assertGreaterEqual(most, known)
        self.assertGreaterEqual(known, max(self.known_of("10.0.0.31"), len(on_rs1)))
        self.apply(web("real lb2").replace("scheduler rr", "scheduler wlc"))
        left = {sport: name for sport, name in before.items() if sport not in on_rs1}
        self.assertEqual(self.world.ask(flows, b"one server less", len(left)), left)

        told = self.diff(web("real lb2", "0x5"))["changes"]
        self.assertIn(("mark", True), [(c["kind"], c["disruptive"]) for c in told])
        mark = next(c for c in told if c["kind"] == "mark")
        self.assertRegex(mark["connections"], r"its \d+ connections break")
        self.apply(web("real lb2", "0x5"))
        self.assertEqual(self.world.ask(flows, b"another mark", 0), {})
        self.close(flows)
        self.world.errors.clear()  # of the flows that were to break


class Confirm(unittest.TestCase):
    def setUp(self):
        self.world = World(["lb1"], [], {VIP: "lb1"})
        self.host = self.world["lb1"]

    def state(self) -> tuple:
        return self.host.run("ipvsadm", "-Sn").stdout, rules(self.host, "iptables"), nft_rules(self.host)

    def apply(self, text: str, *options: str) -> int:
        path = write_site(site(self.world, text))
        return self.host.lbc("apply", path, "-d", "lb1", *options, check=False).returncode

    @staticmethod
    def processes() -> list[str]:
        """Of lbc, in the whole guest."""
        found = []
        for path in Path("/proc").glob("[0-9]*/comm"):
            try:
                name = path.read_text(encoding="utf-8").strip()
            except OSError:  # it has ended
                continue
            if name == Path(LBC).name[:15]:
                found.append(path.parent.name)
        return found

    def wait(self, what: str, condition) -> None:
        end = time.monotonic() + 60
        while not condition() and time.monotonic() < end:
            time.sleep(0.1)
        self.assertTrue(condition(), what)

    def test_confirmed_and_rolled_back(self):
        old_site, new_site = web("real lb1"), web("real lb1; real 10.0.0.31", "0x7")
        self.assertEqual(self.apply(old_site), 0)
        old = self.state()
        self.assertEqual(self.apply(new_site, "--confirm-within", "600s"), 0)
        new = self.state()
        self.assertNotEqual(new, old)
        self.assertEqual(self.apply(old_site), 3)  # one waits
        self.assertEqual(self.state(), new)
        self.assertEqual(len(self.processes()), 1)
        self.assertEqual(self.host.lbc("rollback").stdout, "the change is rolled back\n")
        self.assertEqual(self.state(), old)
        self.wait("no process is left after a rollback", lambda: self.processes() == [])
        self.assertEqual(self.host.lbc("rollback", check=False).returncode, 3)
        self.assertEqual(self.apply(new_site, "--confirm-within", "600s"), 0)
        self.assertEqual(self.host.lbc("confirm").stdout, "the change is kept\n")
        self.assertEqual(self.state(), new)
        self.wait("no process is left after confirm", lambda: self.processes() == [])
        self.assertEqual(self.host.lbc("confirm", check=False).returncode, 3)

    def test_the_terminal_ends_and_nobody_answers(self):
        self.assertEqual(self.apply(web("real lb1")), 0)
        old = self.state()
        path = write_site(site(self.world, web("real lb1; real 10.0.0.31", "0x7")))
        master, slave = os.openpty()
        with Inside(self.host.namespace):
            # A shell whose terminal this is, as at the other end of an ssh connection that the change cuts off.
            shell = subprocess.Popen(
                ["sh", "-c", f"{' '.join(APPLY)} {path} -d lb1 --confirm-within 8s; echo made $?; exec sleep 600"],
                stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        said = b""
        while b"made" not in said or not said.endswith(b"\n"):
            said += os.read(master, 4096)
        self.assertIn(b"made 0", said)
        os.close(master)
        self.assertEqual(shell.wait(60), -signal.SIGHUP)
        self.assertNotEqual(self.state(), old)
        self.assertEqual(len(self.processes()), 1)
        self.wait("the old state is back", lambda: self.state() == old)
        self.wait("no process is left", lambda: self.processes() == [])
        self.assertEqual(self.host.lbc("confirm", check=False).returncode, 3)


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
        for _ in range(100):  # the kernel adds its counters up every two seconds, one after another
            status = json.loads(host.lbc("status", path, "-d", "lb1", "--format", "json").stdout)
            service = status["services"][0]
            if [sum(one["counters"]["connections"] for one in some) for some in ([service], service["reals"])] == [8, 8]:
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
        self.assertIn(told.returncode, (3, 4))
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
                scripted.lbc("compile", str(path), "-o", "/run/rules.sh", *(["--backend", "nft"] if BY_NFT else []))
                scripted.run("env", "IPTABLES=iptables-legacy", "IP6TABLES=ip6tables-legacy", "sh", "/run/rules.sh",
                             "apply", name)
                for command in (("iptables-legacy-save", "-t", "mangle"), ("ip6tables-legacy-save", "-t", "mangle"),
                                ("ipvsadm", "-Sn"), ("ipvsadm", "-Ln", "--thresholds"), ("ipvsadm", "-Ln", "--daemon")):
                    told = [sorted(re.sub(r"#.*|\[\d+:\d+\]", "", host.run(*command).stdout).splitlines())
                            for host in (applied, scripted)]
                    self.assertEqual(told[0], told[1])
                self.assertEqual(nft_rules(applied), nft_rules(scripted))
                self.assertIn("nothing differs", scripted.lbc("apply", str(path), "-d", name).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
