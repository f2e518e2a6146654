#!/usr/bin/python3
"""The script of `lbc compile --emit realserver`, run in network namespaces by dash and by busybox: what it does to a
machine, that it does it once, and that it takes away what it has added and nothing else. Tunnels are tested in the lab.

Exit status 77: something that the tests need is missing here."""

import socket
import subprocess
import threading
import time
import unittest

from lbctest.namespaces import Inside
from lbctest.project import LBC, compiled
from lbctest.realserver import HERE, SCRATCH, Box, ip_program, need, script_of

SHELLS = (("dash",), ("busybox", "sh"))
VIPS = {"192.0.2.1/32", "2001:db8::1/128"}
PREFIXES = {"198.51.100.0/24", "2001:db8:9::/64"}


class Case(unittest.TestCase):
    maxDiff = None

    def go(self, box, script, *arguments, status=0, **more):
        done = box.run(script_of(script), *arguments, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def writes(self, box, script, *arguments, **more):
        """The commands by which a run changes something."""
        log = SCRATCH / "log"
        log.write_text("")
        program = ip_program("logging-ip", f'[ $write = no ] || echo "$*" >>{log}')
        self.go(box, script, *arguments, IP=program, **more)
        return log.read_text().splitlines()


class Script(Case):
    def test_it_is_clean(self):
        for name in ("site.lb", "later.lb", "tunnels.lb"):
            for checker in (("shellcheck", "-s", "sh"), ("dash", "-n"), ("busybox", "sh", "-n")):
                with self.subTest(site=name, checker=checker):
                    done = subprocess.run([*checker, script_of(name)], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stdout)

    def test_once_is_enough_and_remove_leaves_no_trace(self):
        for shell in SHELLS:
            box = Box()
            before, had = box.seen(), box.addresses()
            self.go(box, "site.lb", "show", shell=shell, status=1)
            self.assertEqual(box.seen(), before)
            self.assertTrue(self.writes(box, "site.lb", shell=shell))
            self.assertEqual(box.addresses(), had | VIPS)
            self.assertLessEqual(PREFIXES, box.local_routes())
            self.assertEqual((box.sysctl("arp_ignore"), box.sysctl("arp_announce")), (1, 2))
            after, record = box.seen(), box.state.read_text()
            self.assertEqual(self.writes(box, "site.lb", "apply", shell=shell), [])
            self.go(box, "site.lb", "show", shell=shell)
            self.assertEqual((box.seen(), box.state.read_text()), (after, record))
            self.go(box, "site.lb", "remove", shell=shell)
            self.assertEqual(box.seen(), before)
            self.assertFalse(box.state.exists())
            self.assertEqual(self.writes(box, "site.lb", "remove", shell=shell), [])

    def test_the_sysctls_come_before_the_first_address(self):
        box = Box()
        at = SCRATCH / "at"
        program = ip_program("watching-ip", f"""case "$*" in "link set"*) ;; *)
            [ $write = no ] || cat /proc/sys/net/ipv4/conf/all/arp_ignore >>{at} ;; esac""")
        for command in ("apply", "remove"):
            at.write_text("")
            self.go(box, "site.lb", command, IP=program)
            self.assertEqual(set(at.read_text().split()), {"1"})
        self.assertEqual(box.sysctl("arp_ignore"), 0)

    def test_what_others_have_put_there_stays(self):
        box = Box()
        box.host.ip("addr add 192.0.2.1/32 dev lo", "addr add 2001:db8::1/128 dev eth0", "addr add 192.0.2.1/32 dev eth0",
                    "route add local 198.51.100.0/24 dev lo")
        before = box.seen()
        self.go(box, "site.lb")
        self.assertIn("192.0.2.1/32", box.see("ip", "-o", "address", "show", "dev", "lo", "scope", "global"))
        self.assertIn("2001:db8::1/128", box.addresses() & box.addresses("eth0"))
        said = self.go(box, "site.lb", "show")
        self.assertRegex(said, r"192\.0\.2\.1/32 +on lo eth0\n")
        self.go(box, "site.lb", "remove")
        self.assertEqual(box.seen(), before)

    def test_an_address_that_went_away_comes_back(self):
        box = Box()
        self.go(box, "site.lb")
        after, record = box.seen(), box.state.read_text()
        box.host.ip("addr del 192.0.2.1/32 dev lo")
        self.assertIn("missing on lo", self.go(box, "site.lb", "show", status=1))
        self.assertEqual(self.writes(box, "site.lb"), ["link set dev lo up", "address add 192.0.2.1/32 dev lo scope host"])
        self.assertEqual((sorted(box.seen()), box.state.read_text()), (sorted(after), record))

    def test_a_changed_site(self):
        for number in (1, 2):
            box, fresh = Box(number), Box(number)
            before = box.seen()
            self.go(fresh, "later.lb")
            wanted = sorted(set(fresh.addresses())), fresh.local_routes()
            fresh.state.unlink()
            self.go(box, "site.lb")
            self.go(box, "later.lb")
            self.assertEqual((sorted(set(box.addresses())), box.local_routes()), wanted)
            self.assertEqual(box.sysctl("arp_ignore"), 1 if number == 1 else 0)
            self.assertEqual(self.writes(box, "later.lb"), [])
            self.go(box, "later.lb", "remove")
            self.assertEqual(box.seen(), before)

    def test_a_step_that_fails(self):
        """Any of the commands that change something: another run goes on, and remove takes off what there is."""
        steps = len(self.writes(Box(), "site.lb"))
        count = SCRATCH / "count"
        for number in range(1, steps + 1):
            box = Box()
            before = box.seen()
            program = ip_program("failing-ip", f"""
                if [ $write = yes ]; then
                    echo >>{count}
                    [ "$(wc -l <{count})" -ne {number} ] || exit 2
                fi""")
            count.write_text("")
            self.go(box, "site.lb", IP=program, status=3 if number == 1 else 1)
            if number == 1:
                self.assertEqual((box.seen(), box.state.exists()), (before, False))
            elif number % 2:
                self.go(box, "site.lb")
                self.go(box, "site.lb", "show")
            self.go(box, "site.lb", "remove")
            self.assertEqual(box.seen(), before)

    def test_sysctls(self):
        box = Box()
        box.host.sysctl("ipv4/conf/all/arp_ignore", 2)
        self.go(box, "site.lb")
        self.assertEqual(box.sysctl("arp_ignore"), 2)
        box.host.sysctl("ipv4/conf/all/arp_announce", 1)
        self.assertIn("should be 2", self.go(box, "site.lb", "show", status=1))
        self.go(box, "site.lb", "remove")
        self.assertEqual((box.sysctl("arp_ignore"), box.sysctl("arp_announce")), (2, 1))
        box.host.sysctl("ipv4/conf/eth0/arp_ignore", 3)
        before = box.seen()
        self.assertIn("eth0/arp_ignore:3 may have a VIP on lo announced", self.go(box, "site.lb", status=3))
        self.assertEqual(box.seen(), before)

    def test_without_the_right(self):
        box = Box()
        before = box.seen()
        box.state.parent.mkdir(exist_ok=True)
        for before_words in (("setpriv", "--reuid", "65534", "--clear-groups"),
                             ("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin")):
            said = self.go(box, "site.lb", status=3, before=before_words)
            self.assertIn("nothing was changed", said)
            self.assertEqual((box.seen(), box.state.exists()), (before, False))
        self.assertIn("/nonexistent/ip is not there", self.go(box, "site.lb", status=3, IP="/nonexistent/ip"))

    def test_a_record_of_somebody_else(self):
        box = Box()
        for text in ("address $(touch /tmp/x)\n", "sysctl ip_forward 1 0\n", "tunnel eth0 veth\n"):
            box.state.write_text(text)
            before = box.seen()
            for command in ("apply", "remove"):
                self.assertIn("is not as this script writes it", self.go(box, "site.lb", command, status=3))
            self.assertEqual((box.seen(), box.state.read_text()), (before, text))


class Names(Case):
    def test_by_address(self):
        for number, vips, routes in ((2, VIPS, set()), (3, VIPS, {"2001:db8:9::/64"}), (4, set(), {"198.51.100.0/24"})):
            box = Box(number)
            had, had_routes = box.addresses(), box.local_routes()
            self.go(box, "site.lb")
            self.assertEqual((box.addresses() - had, box.local_routes() - had_routes), (vips, routes))

    def test_no_entry(self):
        for number in (9, 50):  # by nat, and of no site
            box = Box(number)
            before = box.seen()
            self.assertIn("name one of: lb1 lb2 10.0.0.3 fd00::3 10.0.0.4", self.go(box, "site.lb", status=2))
            self.assertEqual(box.seen(), before)
            self.go(box, "site.lb", "remove")

    def test_by_name(self):
        box = Box(50)
        had = box.addresses()
        self.assertIn("no real server 'lb'; it has: lb1 lb2 ", self.go(box, "site.lb", "apply", "lb", status=2))
        for name in ("*", "", "10.0.0.9", "lb1 lb2"):
            self.go(box, "site.lb", "apply", name, status=2)
        self.assertEqual(box.addresses(), had)
        self.go(box, "site.lb", "apply", "fd00::3", "10.0.0.3")
        self.assertEqual(box.addresses(), had | VIPS)
        self.go(box, "site.lb", "apply", "10.0.0.4")
        self.assertEqual(box.addresses(), had)

    def test_usage(self):
        box = Box()
        self.assertIn("names: lb1 lb2", self.go(box, "site.lb", "--help"))
        for arguments in (("restart",), ("lb1",), ("--help", "lb1")):
            self.assertIn("usage:", self.go(box, "site.lb", *arguments, status=2))

    def test_one_of_the_site(self):
        for option in (("-d", "lb2"), ("--real", "lb2")):
            text = compiled(HERE / "site.lb", "--emit", "realserver", *option)
            self.assertIn("\nnames='lb2'\n", text)
        for option in (("-d", "lb3"), ("--real", "10.0.0.9")):
            done = subprocess.run([LBC, "compile", HERE / "site.lb", "--emit", "realserver", *option], capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("it has: lb1, lb2, 10.0.0.3, fd00::3, 10.0.0.4", done.stderr)


class Packets(Case):
    """What the neighbour sees."""

    def is_announced(self, box, vip):
        """Whether an address resolves to a MAC: the kernel of the neighbour asks until it knows or gives up."""
        box.peer.ip(f"route replace {vip} dev eth0")
        box.peer.run("ip", "neigh", "flush", "dev", "eth0", check=False)
        with Inside(box.peer.namespace):
            with socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", (vip, 9))
        while True:
            state = box.peer.run("ip", "neigh", "show", vip, "dev", "eth0").stdout
            if "FAILED" in state or not state:
                return False
            if "lladdr" in state:
                return True
            time.sleep(0.02)

    def answers(self, box, vip, port):
        """Whether a TCP connection that goes to the host by its MAC is made."""
        box.peer.ip(f"route replace {vip} dev eth0", f"neigh replace {vip} lladdr {box.host.mac} dev eth0 nud permanent")
        with Inside(box.peer.namespace):
            client = socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET)
        client.settimeout(10)
        with client:
            client.connect((vip, port))
            return client.recv(10) == b"here"

    def serve(self, box):
        with Inside(box.host.namespace):
            server = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)

        def accept():
            while True:
                with server.accept()[0] as connection:
                    connection.sendall(b"here")
        threading.Thread(target=accept, daemon=True).start()

    def test_nobody_hears_of_a_vip_and_who_knows_the_mac_is_answered(self):
        box = Box()
        self.serve(box)
        self.go(box, "site.lb")
        for vip in ("192.0.2.1", "198.51.100.7", "2001:db8::1", "2001:db8:9::7"):
            self.assertFalse(self.is_announced(box, vip), vip)
            self.assertTrue(self.answers(box, vip, 80), vip)
        # Without the sysctls IPv4 is announced; IPv6 never is.
        box.host.sysctl("ipv4/conf/all/arp_ignore", 0)
        box.peer.ip("neigh del 192.0.2.1 dev eth0")
        self.assertTrue(self.is_announced(box, "192.0.2.1"))

    def test_vrrp_moves_the_vip_to_the_nic_and_away(self):
        box = Box()
        self.go(box, "site.lb")
        vips = ("192.0.2.1", "2001:db8::1")
        box.host.ip("addr add 192.0.2.1/32 dev eth0", "addr add 2001:db8::1/128 dev eth0 nodad")
        for vip in vips:
            self.assertTrue(self.is_announced(box, vip), vip)
        self.assertEqual(self.writes(box, "site.lb"), [])
        box.host.ip("addr del 192.0.2.1/32 dev eth0", "addr del 2001:db8::1/128 dev eth0")
        self.serve(box)
        for vip in vips:
            box.peer.run("ip", "neigh", "flush", "dev", "eth0", check=False)
            self.assertFalse(self.is_announced(box, vip), vip)
            self.assertTrue(self.answers(box, vip, 80), vip)


if __name__ == "__main__":
    need("ip", "dash", "busybox", "shellcheck", "setpriv")
    unittest.main(verbosity=2)
