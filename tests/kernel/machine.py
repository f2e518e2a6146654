#!/usr/bin/python3
"""The file beside the machine, in network namespaces whose devices have chosen names, MACs and addresses; and what rules
of others make of marks that were just loaded."""

from __future__ import annotations

import json
import subprocess
import unittest

from lbctest import harness, net

SITE = """director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1; interface ens18 }
director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2; interface ens18 }
service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }
"""
ANY = SITE.replace("; interface ens18", "")
MARKS = ("--only", "marks", "-d", "lb1")


def device(name: str, mac: str, *addresses: str, kind: str = "veth") -> None:
    net.run("ip", "link", "add", "name", name, "address", mac, "type", kind)  # the other end has a name by chance
    for address in addresses:
        net.run("ip", "address", "add", address, "dev", name)
    net.run("ip", "link", "set", name, "up")


class Machine(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(harness.clear)
        self.addCleanup(self.remove_devices)
        self.path = harness.write(SITE)

    def remove_devices(self) -> None:
        for link in json.loads(net.run("ip", "-j", "link", "show")):
            if link.get("link_type") == "ether" and "master" not in link:
                subprocess.run(["ip", "link", "delete", link["ifname"]], capture_output=True)

    def found(self, path: str | None = None, director: str = "lb1") -> list[str]:
        """The ids of what `verify` finds."""
        said = harness.lbc("verify", path or self.path, "--only", "marks", "-d", director, "--json")
        return [one["id"].removeprefix("machine-") for one in json.loads(said.stdout)["directors"][0]["machine"]]

    def test_a_machine_that_is_as_the_file_says(self) -> None:
        device("ens18", "02:00:00:00:00:01", "10.0.0.1/24")
        done = harness.lbc("apply", self.path, *MARKS)
        self.assertEqual((done.returncode, "machine-" in done.stderr), (0, False), done.stderr)
        self.assertEqual(harness.lbc("verify", self.path, *MARKS).returncode, 0)
        self.assertEqual(self.found(), [])
        # By its MAC it is lb1, in this namespace: /sys shows another one's devices.
        self.assertEqual(harness.lbc("verify", self.path, "--only", "marks").returncode, 0)

    def test_a_network_card_that_was_replaced(self) -> None:
        device("ens18", "02:00:00:00:00:77", "10.0.0.1/24")
        done = harness.lbc("apply", self.path, *MARKS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("does not list: `ens18` has `02:00:00:00:00:77`", done.stderr)
        verified = harness.lbc("verify", self.path, *MARKS)
        self.assertEqual(verified.returncode, 1, verified.stdout)
        self.assertIn("[machine-mac]", verified.stdout)

    def test_the_card_of_another_director(self) -> None:
        device("ens18", "02:00:00:00:00:01", "10.0.0.2/24")
        before = harness.everything()
        done = harness.lbc("apply", self.path, "--only", "marks", "-d", "lb2")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("[machine-peer-mac]", done.stderr)
        self.assertEqual(harness.everything(), before)

    def test_no_such_interface_and_no_such_address(self) -> None:
        device("eth0", "02:00:00:00:00:01")
        done = harness.lbc("apply", self.path, *MARKS)
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("no interface `ens18`", "has the address `10.0.0.1` of `lb1`"):
            self.assertIn(words, done.stderr)
        self.assertEqual(self.found(), ["address", "interface"])

    def test_devices_that_carry_no_packet_of_the_site(self) -> None:
        path = harness.write(ANY)
        device("ens18", "02:00:00:00:00:01", "10.0.0.1/24")
        device("docker0", "02:42:00:00:00:01", "172.17.0.1/16", kind="bridge")
        net.run("ip", "link", "add", "name", "veth1", "address", "02:42:00:00:00:02", "type", "veth", "peer", "name",
                "veth2")
        net.run("ip", "link", "set", "veth1", "master", "docker0", "up")
        self.assertEqual(self.found(path), [])
        device("second", "02:42:00:00:00:03", "10.0.0.9/24")
        self.assertEqual(self.found(path), ["mac"])


class OthersRules(unittest.TestCase):
    """`lbc apply` says when a foreign rule overrides what it has just loaded."""

    def setUp(self) -> None:
        device("ens18", "02:00:00:00:00:01", "10.0.0.1/24")
        self.addCleanup(net.run, "ip", "link", "delete", "ens18")
        self.addCleanup(harness.clear)
        self.path = harness.write(SITE)

    def apply(self, *options: str) -> subprocess.CompletedProcess:
        done = harness.lbc("apply", self.path, *MARKS, "--backend", "iptables", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_a_mark_of_its_own(self) -> None:
        net.run("iptables-legacy", "-t", "mangle", "-A", "POSTROUTING", "-j", "ACCEPT")
        self.assertNotIn("warning", self.apply().stderr)
        net.run("iptables-legacy", "-t", "mangle", "-A", "PREROUTING", "-d", "10.9.9.1", "-p", "tcp", "-j", "MARK",
                "--set-mark", "1")
        for _ in range(2):  # also where nothing is to be changed
            said = self.apply().stderr
            self.assertIn("lb1: warning: the marks of packets are overridden by a foreign rule", said)
            self.assertIn("mangle PREROUTING 2, not lbc's: -d 10.9.9.1/32 -p tcp -j MARK", said)
        self.assertNotIn("warning", self.apply("--no-prove").stderr)
        self.assertNotIn("warning", self.apply("--dry-run").stderr)

    def test_a_walk_that_ends_before_the_jump(self) -> None:
        net.run("iptables-legacy", "-t", "mangle", "-A", "PREROUTING", "-p", "tcp", "-j", "ACCEPT")
        done = self.apply("--json")
        after = json.loads(done.stdout)["marks_after"]
        self.assertFalse(after["holds"])
        self.assertGreater(after["by_others"], 0)
        self.assertRegex(after["first"][0], r"no mark, not mark 0x3 \(web\); decided by mangle PREROUTING 1, not lbc's: "
                                            r"-p tcp -j ACCEPT$")

    def test_a_rule_that_may_decide(self) -> None:
        net.run("iptables-legacy", "-t", "mangle", "-A", "PREROUTING", "-s", "10.7.0.0/16", "-j", "ACCEPT")
        self.assertIn("unknown: foreign rules may override them", self.apply().stderr)

    def test_status_agrees_with_verify(self) -> None:
        self.apply()
        status = harness.lbc_ok("status", self.path, *MARKS)
        self.assertIn("lb1: as the site says", status)
        net.run("iptables-legacy", "-t", "mangle", "-I", "PREROUTING", "-d", "10.9.9.1", "-j", "ACCEPT")
        status = harness.lbc_ok("status", self.path, *MARKS)
        self.assertIn("marks of packets: overridden by a foreign rule, see `lbc verify`", status)
        self.assertIn("1 problem that `lbc apply` does not fix", status)
        self.assertNotIn("as the site says", status)
        self.assertEqual(harness.lbc("verify", self.path, *MARKS).returncode, 1)


if __name__ == "__main__":
    harness.main()
