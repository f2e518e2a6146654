#!/usr/bin/python3
"""What goes wrong on a director: IPVS or a scheduler that is not there, rights that are missing, services that others
remove, two that change at once, and ten thousand services."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import unittest
from pathlib import Path

from lbctest.hosts import APPLY
from lbctest.lone_director import (BY_NFT, DIRECTORS, FOREIGN, NEW, OLD, STRACE, TABLE, TABLE_CALL, bare_director,
                                   director, rules, services, state)
from lbctest.namespaces import Inside
from lbctest.project import LBC
from lbctest.world import write_site

SCHEDULERS = "rr wrr lc wlc fo ovf lblc lblcr dh sh mh sed nq".split()


class AbsentIpvs(unittest.TestCase):
    """First by name: nothing uses the modules yet."""

    def test_without_the_module(self):
        host = bare_director()
        host.lbc("apply", write_site(NEW), "-d", "lb1", "--only", "marks")  # the modules that marks need
        host.lbc("remove", "--only", "marks")
        modprobe = "/proc/sys/kernel/modprobe"
        with open(modprobe, encoding="ascii") as file:
            before = file.read()
        subprocess.run(["modprobe", "-r", *(f"ip_vs_{name}" for name in SCHEDULERS), "ip_vs"], check=True)
        try:
            with open(modprobe, "w", encoding="ascii") as file:
                file.write("/bin/false")
            done = host.lbc("apply", write_site(NEW), "-d", "lb1", check=False)
            self.assertEqual(done.returncode, 3)
            self.assertRegex(done.stderr, r"no IPVS.*modprobe ip_vs.*--only marks.*nothing was touched")
            self.assertNotIn("LBC", "".join(rules(host, "iptables")))
            self.assertEqual(host.lbc("apply", write_site(NEW), "-d", "lb1", "--only", "marks").returncode, 0)
            self.assertEqual(host.lbc("remove").returncode, 0)
        finally:
            with open(modprobe, "w", encoding="ascii") as file:
                file.write(before)
        # The module that is there is loaded by lbc itself.
        self.assertEqual(host.lbc("apply", write_site(NEW), "-d", "lb1").returncode, 0)


class Faults(unittest.TestCase):
    def test_nothing_that_differs_nothing_written(self):
        host = director()
        path = write_site(NEW)

        def calls() -> list[str]:
            """What could change the kernel: requests that are no dumps, tables, files."""
            host.run(*STRACE, *(["-f"] if BY_NFT else []), "-s", "256", "-o", "/run/calls", "-e",
                     "trace=sendto,sendmsg,setsockopt,rename,unlink,mkdir,openat", *APPLY, path, "-d", "lb1")
            with open("/run/calls", encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
            return [line for line in lines
                    if re.search(r"IP6?T_SO_SET_REPLACE|SOL_IPV?6?, 0x40|rename|unlink|mkdir", line)
                    or ("nlmsg_type" in line and not re.search(r"NLM_F_DUMP|0x300|nlctrl|GENL_ID_CTRL|NFT_MSG_GETGEN|0xa10 ", line))
                    or ("openat" in line and re.search(r"O_WRONLY|O_RDWR", line) and "xtables.lock" not in line)]

        self.assertGreater(len(calls()), 4)
        self.assertEqual(calls(), [])

    def test_a_scheduler_that_the_kernel_lacks(self):
        host = director()
        host.lbc("apply", write_site(OLD), "-d", "lb1")
        old = state(host)
        text = NEW.replace("scheduler wlc", "scheduler twos")
        done = host.lbc("apply", write_site(text), "-d", "lb1", check=False)
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, r"site\.lb:3:\d+: .*no scheduler `twos` \(module ip_vs_twos\).*rolled back")
        self.assertEqual(state(host), old)

    def test_an_address_that_ipvs_refuses(self):
        host = director()
        text = NEW.replace("real 10.0.0.2 weight 4", "real 10.0.0.255 weight 4")
        before = state(host)
        done = host.lbc("apply", write_site(text), "-d", "lb1", check=False)
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, r"site\.lb:3:\d+: .*10\.0\.0\.255.*broadcast")
        self.assertEqual(state(host), before)

    def test_hundreds_of_refusals(self):
        host = director()
        before = state(host)
        reals = "; ".join(f"real 10.0.{i}.{j}" for i in range(1, 4) for j in range(1, 200))
        text = DIRECTORS + f"service a {{ vip 10.9.0.1; port tcp 80; scheduler twos; {reals} }}\n"
        done = host.lbc("apply", write_site(text), "-d", "lb1", check=False)
        self.assertIn(done.returncode, (3, 4))
        self.assertIn("no scheduler `twos`", done.stderr)
        self.assertEqual(state(host), before)

    def test_without_rights(self):
        host = director()
        before = state(host)
        lock = "/run/nobody.lock"
        with open(lock, "w", encoding="ascii"):
            os.chown(lock, 65534, 65534)
        path = write_site(NEW)
        # The kernel refuses before the lock's file does, which is root's unless it is set.
        for only in (["--only", "ipvs"], []):
            done = host.run("env", f"XTABLES_LOCKFILE={lock}", "setpriv", "--reuid", "65534", "--clear-groups", *APPLY,
                            path, "-d", "lb1", *only, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertRegex(done.stderr, "needs CAP_NET_ADMIN.*nothing was touched")
            self.assertIn("virtual services" if only else "mangle", done.stderr)
            self.assertNotIn("lock", done.stderr)
        rights = "+net_admin,+net_raw"
        done = host.run("setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps", rights, "--ambient-caps", rights,
                        *APPLY, path, "-d", "lb1", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, "xtables.lock.*nothing was touched")
        self.assertEqual(state(host), before)

    def test_two_at_once(self):
        host = director()
        paths = [write_site(OLD, "/run/old.lb"), write_site(NEW, "/run/new.lb")]
        wanted = []
        for path in paths:
            host.lbc("apply", path, "-d", "lb1")
            wanted.append(state(host))
        self.assertNotEqual(*wanted)
        ends = []
        for turn in range(6):
            with Inside(host.namespace):
                pair = [subprocess.Popen([*APPLY, path, "-d", "lb1", "--wait", "60s"], stdout=subprocess.DEVNULL)
                        for path in (paths if turn % 2 else reversed(paths))]
            self.assertEqual([process.wait(120) for process in pair], [0, 0])
            ends.append(state(host))
            self.assertIn(ends[-1], wanted)

    def test_services_removed_during_an_apply(self):
        """lbc stands still where its first table is in place, and all services with and without a mark go."""
        host, other, log = director(), director(), "/run/stopped"
        for one in (host, other):
            one.lbc("apply", write_site(OLD), "-d", "lb1")
        path = write_site(NEW, "/run/new.lb")
        command = [*APPLY, path, "-d", "lb1"]
        trace = [*STRACE, "-o", log, "-e", f"trace={TABLE_CALL}"]
        other.run(*trace, *command)
        wanted = state(other)
        with open(log, encoding="utf-8", errors="replace") as file:
            first = 1 + next(i for i, line in enumerate(file) if re.search(TABLE, line))
        for with_strangers in (True, False):
            with open(log, "w", encoding="ascii"), Inside(host.namespace):
                applying = subprocess.Popen([*trace, "-e", f"inject={TABLE_CALL}:signal=STOP:when={first}", *command],
                                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            pid = self.stopped(log)
            host.run("ipvsadm", "-C")
            if with_strangers:
                host.run("ipvsadm", "-R", text=FOREIGN)
            os.kill(pid, 18)
            said = applying.communicate(timeout=120)[1]
            self.assertIn(applying.returncode, (3, 4, 5), said)
            self.assertIn("IPVS", said)
            if not with_strangers:
                host.run("ipvsadm", "-R", text=FOREIGN)
            host.run(*command)
            self.assertEqual(state(host), wanted)
            host.lbc("apply", write_site(OLD), "-d", "lb1")

    def stopped(self, log: str) -> int:
        """The process that strace has stopped."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with open(log, encoding="utf-8", errors="replace") as file:
                if "--- stopped by SIGSTOP" in file.read():
                    name = os.path.basename(LBC)[:15]
                    return min(int(path.parent.name) for path in Path("/proc").glob("[0-9]*/comm")
                               if path.read_text(encoding="utf-8").strip() == name)
            time.sleep(0.05)
        self.fail("lbc does not stop")

    def test_services_that_others_remove_and_change(self):
        host = director()
        host.lbc("apply", write_site(NEW), "-d", "lb1")
        wanted = state(host)
        host.run("ipvsadm", "-C")
        host.run("ipvsadm", "-R", text=FOREIGN)
        host.lbc("apply", write_site(NEW), "-d", "lb1")
        self.assertEqual(state(host), wanted)
        host.run("ipvsadm", "-R", text="-E -f 17 -s sh -p 60\n-e -f 17 -r 10.0.0.2:0 -g -w 0\n-d -f 19 -r 10.0.0.1:0\n"
                                       "-A -f 300 -s rr\n")
        told = json.loads(host.lbc("apply", write_site(NEW), "-d", "lb1", "--format", "json").stdout)
        self.assertEqual([change["action"] for change in told["services"]],
                         ["edit-service", "edit-real", "add-real", "delete-service"])
        self.assertEqual(state(host), wanted)

    def test_everything_that_a_service_can_have(self):
        host = director()
        text = DIRECTORS + "".join(
            f"service s-{name} {{ vip 10.9.1.{i}; port udp 53; scheduler {name}; real 10.0.0.{i} }}\n"
            for i, name in enumerate(SCHEDULERS, 1))
        text += ("service flags { vip 10.9.2.1; port udp 53; scheduler sh sh-port, sh-fallback; one-packet\n"
                 "real 10.0.0.1 connections 10-20 }\n"
                 "service more { vip 10.9.2.2, fd09::2; port tcp 80; scheduler mh mh-port; persistent 90s netmask 24\n"
                 "real 10.0.0.1 weight 7; real fd00::1 }\n"
                 "service sip { vip 10.9.2.3; port udp 5060; persistent 5m engine sip; real 10.0.0.7 forward nat }\n"
                 "service tunnels { vip 10.9.2.4; port tcp 80; real 10.0.0.2 forward tun\n"
                 "real 10.0.0.3 forward tun gre csum; real 10.0.0.4 forward tun gue port 5555 remcsum\n"
                 "real fd00::5 forward tun }\n"
                 "sync { interface eth0; id 9; maxlen 1400; group 224.0.0.99; port 8850; ttl 3 }\n")
        path = write_site(text)
        host.lbc("apply", path, "-d", "lb1")
        self.assertIn("nothing differs", host.lbc("apply", path, "-d", "lb1").stdout)
        told = host.run("ipvsadm", "-Ln", "--daemon").stdout
        for role in ("master", "backup"):
            self.assertRegex(told, f"{role} sync daemon .mcast=eth0, syncid=9, maxlen=1400, group=224.0.0.99, port=8850, ttl=3")
        # What ipvsadm makes of the same site is no difference.
        lines = host.lbc("compile", path, "-d", "lb1", "--emit", "ipvsadm").stdout
        other = director()
        other.run("ipvsadm", "-C")
        other.run("ipvsadm", "-R", text=lines)
        self.assertNotIn("IPVS changed", other.lbc("apply", path, "-d", "lb1").stdout)
        host.lbc("remove")
        self.assertEqual(set(services(host)), {"-t 10.9.9.9:80", "-f 77"})
        self.assertNotIn("daemon", host.run("ipvsadm", "-Ln", "--daemon").stdout)

    def test_ten_thousand_services(self):
        host = director()
        text = DIRECTORS + "marks 0x10000-0x1ffff\n" + "".join(
            f"service s{i} {{ vip 10.{16 + i // 250}.{i % 250}.1; port tcp 80; mark {0x10000 + i}; real 10.0.0.1; real 10.0.0.2 }}\n"
            for i in range(10000))
        path = write_site(text)
        host.lbc("apply", path, "-d", "lb1")
        self.assertIn("nothing differs", host.lbc("apply", path, "-d", "lb1").stdout)
        self.assertEqual(len(services(host)), 10002)
        host.lbc("remove")
        self.assertEqual(len(services(host)), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
