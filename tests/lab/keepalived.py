#!/usr/bin/python3
"""Two directors with real keepalived, from one site file: VRRP moves the VIPs, checks take servers out and in again,
and no packet is balanced twice at any time."""

from __future__ import annotations

import re
import subprocess
import time
import unittest
from random import Random

from lbctest.hosts import Host
from lbctest.keepalived_sites import Draw
from lbctest.namespaces import Inside
from lbctest.traffic import Traffic
from lbctest.world import World, site, write_site

VIP, OTHER = "10.0.0.100", "10.0.0.200"
PATIENCE = 60  # seconds until something must have happened at last
SITE = f"""
ipvs keepalived
vrrp first  {{ vip {VIP}/24; interface eth0; router-id 51; priority lb1 150, lb2 100; advert 200ms; unicast }}
vrrp second {{ vip {OTHER}/24; interface eth0; router-id 52; priority lb1 100, lb2 150; advert 200ms; unicast }}
defaults {{ scheduler rr; check tcp {{ every 500ms; timeout 500ms; retries 1; retry-delay 200ms; warmup 0 }} }}
service web {{ vip {VIP}; port tcp 80; real lb1; real lb2; real 10.0.0.31; real 10.0.0.32 }}
service api {{ vip {OTHER}; port tcp 80; real lb1; real lb2; real 10.0.0.31 }}
"""


class Keepalived:
    """The daemon of one host, with files of its own."""

    def __init__(self, host: Host, config: str):
        self.host, self.config = host, config
        self.log = open(f"/run/{host.name}.log", "w+", encoding="utf-8")
        with Inside(host.namespace):
            self.process = subprocess.Popen(
                ["keepalived", "-n", "-l", "-f", config, "-i", host.name, "-p", f"/run/{host.name}.pid", "-r",
                 f"/run/{host.name}-vrrp.pid", "-c", f"/run/{host.name}-checkers.pid"], stdout=self.log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        self.log.close()

    def said(self) -> str:
        with open(self.log.name, encoding="utf-8") as log:
            return log.read()


def real_servers(host: Host) -> dict[str, set[str]]:
    """Addresses by service, as IPVS has them."""
    found: dict[str, set[str]] = {}
    for line in host.run("ipvsadm", "-Sn").stdout.splitlines():
        words = line.split()
        name = " ".join(words[1:3])
        if words[0] == "-A":
            found[name] = set()
        else:
            found[name].add(words[words.index("-r") + 1].rsplit(":", 1)[0])
    return found


class Directors(unittest.TestCase):
    """Two of them, with keepalived on each."""

    SITE = SITE

    def setUp(self) -> None:
        self.world = World(["lb1", "lb2"], ["rs1", "rs2"], {VIP: "", OTHER: ""})
        self.daemons = {}
        for host in self.world.directors:
            self.assertIn("does not run", self.apply(host, self.SITE).stderr)
            self.daemons[host.name] = Keepalived(host, self.config(host))
        self.addCleanup(self.stop)

    @staticmethod
    def config(host: Host) -> str:
        return f"/run/{host.name}.conf"

    def apply(self, host: Host, text: str, check: bool = True) -> subprocess.CompletedProcess:
        path = write_site(site(self.world, text))
        return host.lbc("apply", path, "-d", host.name, "--keepalived-config", self.config(host), check=check)

    def stop(self) -> None:
        for daemon in self.daemons.values():
            daemon.stop()

    def wait(self, what: str, condition) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                said = "\n".join(f"{name}: {daemon.said()[-3000:]}" for name, daemon in self.daemons.items())
                self.fail(f"not seen: {what}\n{said}")
            time.sleep(0.1)

    def wait_until_active(self, director: str, vip: str) -> None:
        self.wait(f"{director} active for {vip}",
                  lambda: f"{vip}/" in self.world[director].run("ip", "addr", "show", "dev", "eth0").stdout)

    def wait_for_reals(self, director: str, expected: int) -> None:
        # Services of checks have one each.
        self.wait(f"{expected} real servers on {director}",
                  lambda: sum(len(reals) for reals in real_servers(self.world[director]).values()
                              if len(reals) > 1) == expected)

    def wait_until_answered(self, vip: str) -> None:
        """Announcements have come to the client."""
        self.wait(f"an answer of {vip}", lambda: len(self.world.tcp(vip, 1)) == 1)

    def wait_until_ready(self) -> None:
        self.wait_until_active("lb1", VIP)
        self.wait_until_active("lb2", OTHER)
        for name in ("lb1", "lb2"):
            self.wait_for_reals(name, 7)
        self.wait_until_answered(VIP)
        self.wait_until_answered(OTHER)
        self.world.copies()

    def check_answers(self, vip: str, names: set[str]) -> None:
        answers = self.world.tcp(vip, 12)
        self.assertEqual(len(answers), 12, self.world.errors)
        self.assertEqual(set(answers.values()), names)
        self.assertLessEqual(self.world.copies().most(), 2)


class Roles(Directors):
    def test_both_active_each_for_its_own(self) -> None:
        self.wait_until_ready()
        self.check_answers(VIP, {"lb1", "lb2", "rs1", "rs2"})
        self.check_answers(OTHER, {"lb1", "lb2", "rs1"})

    def test_a_server_leaves_and_comes_back(self) -> None:
        self.wait_until_ready()
        rs1 = self.world["rs1"]
        self.world.stop_listening(rs1)
        for name in ("lb1", "lb2"):
            self.wait_for_reals(name, 5)
        self.check_answers(VIP, {"lb1", "lb2", "rs2"})
        self.check_answers(OTHER, {"lb1", "lb2"})
        # That is no difference from the site.
        for host in self.world.directors:
            told = self.apply(host, SITE)
            self.assertEqual((told.stdout, told.stderr), (f"{host.name}: nothing differs, nothing written\n", ""))
        self.world.listen(rs1, 80)
        for name in ("lb1", "lb2"):
            self.wait_for_reals(name, 7)
        self.check_answers(VIP, {"lb1", "lb2", "rs1", "rs2"})

    def test_a_director_fails_and_comes_back(self) -> None:
        self.wait_until_ready()
        self.world["lb1"].ip("link set eth0 down")
        self.wait_until_active("lb2", VIP)
        self.wait_for_reals("lb2", 5)
        self.wait_until_answered(VIP)
        self.check_answers(VIP, {"lb2", "rs1", "rs2"})
        self.check_answers(OTHER, {"lb2", "rs1"})
        self.world["lb1"].ip("link set eth0 up")
        self.wait_until_ready()
        self.check_answers(VIP, {"lb1", "lb2", "rs1", "rs2"})
        self.check_answers(OTHER, {"lb1", "lb2", "rs1"})


class Firewall(Directors):
    def test_advertisements_pass(self) -> None:
        self.wait_until_ready()
        path = write_site(site(self.world, SITE))
        for host in self.world.directors:  # what is dropped from now on is what the other director says
            host.run("iptables-legacy", "-A", "INPUT", "-p", "112", "-j", "DROP")
            host.run("iptables-legacy", "-A", "OUTPUT", "-p", "112", "-j", "DROP")
        for vip in (VIP, OTHER):  # both boxes have it
            for director in ("lb1", "lb2"):
                self.wait_until_active(director, vip)
        for host in self.world.directors:
            text = host.lbc("compile", path, "-d", host.name, "--emit", "firewall").stdout
            host.run("iptables-legacy-restore", "--noflush", text=text)
            host.run("iptables-legacy", "-I", "INPUT", "-j", "LBC-FIREWALL")
            host.run("iptables-legacy", "-I", "OUTPUT", "-j", "LBC-FIREWALL-OUT")
        for vip, director in ((VIP, "lb2"), (OTHER, "lb1")):
            self.wait(f"{vip} no more on {director}", lambda: f"{vip}/" not in
                      self.world[director].run("ip", "addr", "show", "dev", "eth0").stdout)
        self.wait_until_ready()


THROUGH = SITE.replace("check tcp {", "check tcp { through-vip; retries 2;").replace("retries 1; ", "")


class ThroughVip(Directors):
    SITE = THROUGH

    def test_a_vip_that_is_missing_on_lo(self) -> None:
        self.wait_until_ready()
        self.check_answers(VIP, {"lb1", "lb2", "rs1", "rs2"})
        for line in (f"addr del {VIP}/32 dev lo", f"addr add {VIP}/32 dev lo"):
            self.world["rs1"].ip(line)
            gone = line.startswith("addr del")
            for name in ("lb1", "lb2"):
                self.wait_for_reals(name, 6 if gone else 7)
            self.check_answers(VIP, {"lb1", "lb2", "rs2"} if gone else {"lb1", "lb2", "rs1", "rs2"})
            self.check_answers(OTHER, {"lb1", "lb2", "rs1"})
        for host in self.world.directors:
            self.assertIn("nothing differs", self.apply(host, THROUGH).stdout)


class Change(Directors):
    """`lbc apply` of another site while keepalived runs."""

    def under_traffic(self, text: str) -> None:
        """Applies it on both directors while connections come one after another."""
        with Traffic(self.world, VIP) as traffic:
            for host in self.world.directors:
                told = self.apply(host, text)
                self.assertEqual(told.stderr, "")
                self.assertIn("for keepalived: lines removed", told.stdout)
            traffic.wait_for()
        self.assertEqual(traffic.lost, [])
        self.assertLessEqual(self.world.copies().most(), 2)

    def test_sites_one_after_another(self) -> None:
        self.wait_until_ready()
        weighed = SITE.replace("real 10.0.0.31; real 10.0.0.32", "real 10.0.0.31 weight 3; real 10.0.0.32")
        marked = weighed.replace("service web {", "service web { mark 0x77;")
        limited = marked.replace("real 10.0.0.32;", "real 10.0.0.32 connections 10-100;").replace(
            "real 10.0.0.32 }", "real 10.0.0.32 connections 10-100 }")
        more = limited + f"service ssh {{ vip {VIP}; port tcp 22; real 10.0.0.31 }}\n"
        for text, services in ((weighed, 2), (marked, 2), (limited, 2), (more, 3), (SITE, 2)):
            self.under_traffic(text)
            for host in self.world.directors:
                self.assertEqual(len(real_servers(host)), services)
                told = self.apply(host, text)
                self.assertEqual((told.stdout, told.stderr), (f"{host.name}: nothing differs, nothing written\n", ""))
                limits = re.findall(r"10.0.0.32:0 +100 +10 ", host.run("ipvsadm", "-Ln", "--thresholds").stdout)
                self.assertEqual(len(limits), text in (limited, more))
        self.assertNotIn("FWM 0x77", self.world["lb1"].run("ipvsadm", "-Ln").stdout)
        self.check_answers(VIP, {"lb1", "lb2", "rs1", "rs2"})

    def test_a_change_is_rolled_back(self) -> None:
        self.wait_until_ready()
        host = self.world["lb1"]
        before = self.state(host)
        path = write_site(site(self.world, SITE.replace("service web {", "service web { mark 0x77;")))
        host.lbc("apply", path, "-d", "lb1", "--keepalived-config", self.config(host), "--confirm-within", "600s")
        self.assertIn("FWM  119", host.run("ipvsadm", "-Ln").stdout)
        self.assertEqual(self.apply(host, SITE, check=False).returncode, 3)
        host.lbc("rollback")
        self.wait("the state before", lambda: self.state(host) == before)
        self.check_answers(VIP, {"lb1", "lb2", "rs1", "rs2"})

    def test_refusals_touch_nothing(self) -> None:
        self.wait_until_ready()
        host = self.world["lb1"]
        before = self.state(host)
        for text, said in ((SITE.replace("interface eth0; router-id 51", "interface eth9; router-id 51"), "eth9"),
                           (SITE.replace("check tcp {", 'check script { command "/no/such"; user nobody }; check tcp {'),
                            None)):
            told = self.apply(host, text, check=False)
            if said is None:  # a user that is not the caller's is no reason
                self.assertEqual(told.returncode, 0, told.stderr)
                self.apply(host, SITE)
                continue
            self.assertEqual(told.returncode, 3, told.stderr)
            self.assertIn(said, told.stderr)
            self.assertIn(self.config(host), told.stderr)
            self.assertEqual(self.state(host), before)
        path = write_site(site(self.world, SITE + "\n# more\nservice x { vip 10.0.0.101; port tcp 1; real lb2 }\n"))
        told = host.lbc("apply", path, "-d", "lb1", "--keepalived-config", "/run/other.conf", check=False)
        self.assertEqual(told.returncode, 3)
        self.assertIn("--keepalived-config", told.stderr)
        self.assertEqual(self.state(host), before)

    def state(self, host: Host) -> tuple[str, ...]:
        with open(self.config(host), encoding="utf-8") as file:
            return (file.read(), *sorted(host.run("ipvsadm", "-Sn").stdout.splitlines()),
                    host.run("iptables-legacy", "-t", "mangle", "-S").stdout)


KINDS = """
service a { vip 10.9.0.1, fd09::1; port tcp 80; mark 0x11; scheduler mh mh-port, mh-fallback; persistent 5m netmask 24
    real 10.0.0.31 weight 3; real 10.0.0.32 weight 2 connections 10-100; real fd00::1f; real fd00::20 weight 70000 }
service b { vip 10.9.0.2; port tcp 80; mark 0x12; scheduler sh sh-port; persistent 60s engine sip; forward nat; real 10.0.0.31 }
service c { vip 10.9.0.3; port udp 53; mark 0x13; one-packet; scheduler rr; forward tun; real 10.0.0.31; real 10.0.0.32 forward tun gre csum
    real 10.0.0.33 forward tun gue port 5555 remcsum }
service d { vip fd09::4; port tcp 80; mark 0x14; scheduler wlc flag-3; forward tun; real 10.0.0.31; real 10.0.0.32 }
service e { vip 10.9.0.5; port tcp 80; mark 0xfffffffe; scheduler sed; forward tun; real fd00::1f; persistent netmask 255.255.0.0 }
service f { vip 10.9.0.6, fd09::6; port any; mark 0x16; scheduler fo; real 10.0.0.31 weight 0; real 10.0.0.32; real fd00::1f }
"""


class Unchecked(Draw):
    """Random sites whose real servers no check takes out."""

    def check(self) -> str:
        return ""

    def some(self, *texts: str) -> str:
        return super().some(*(text for text in texts if text not in ("alpha", "inhibit-on-failure")))


class Same(unittest.TestCase):
    def state(self, host: Host) -> list[str]:
        return sorted(re.findall(r".+", host.run("ipvsadm", "-Sn").stdout +
                                 host.run("ipvsadm", "-Ln", "--thresholds").stdout))

    def check(self, services: str, extra: str) -> bool:
        """Whether keepalived takes the site; then IPVS must be the same by both."""
        host = self.world["lb1"]
        path = write_site(site(self.world, services, extra + "\nipvs keepalived"))
        if host.lbc("check", path, check=False).returncode != 0:
            return False
        host.lbc("compile", path, "--emit", "keepalived", "-d", "lb1", "-o", "/run/same.conf")
        host.lbc("apply", write_site(site(self.world, services, extra)), "-d", "lb1")
        applied = self.state(host)
        host.lbc("remove")
        self.assertNotEqual(applied, self.state(host))
        daemon = Keepalived(host, "/run/same.conf")
        try:
            end = time.monotonic() + PATIENCE
            while self.state(host) != applied and time.monotonic() < end:
                time.sleep(0.2)
            self.assertEqual(self.state(host), applied, services + daemon.said())
        finally:
            daemon.stop()
        return True

    def setUp(self) -> None:
        self.world = World(["lb1"], [], {})

    def test_keepalived_makes_what_lbc_makes(self) -> None:
        self.assertTrue(self.check(KINDS, ""))

    def test_of_random_sites_too(self) -> None:
        taken = 0
        for number in range(8):
            draw = Unchecked(Random(f"same/{number}"))
            services = "\n".join(draw.service(i) for i in range(3)).replace("scheduler twos", "scheduler sed")
            taken += self.check(services, "guard off")
        self.assertGreater(taken, 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
