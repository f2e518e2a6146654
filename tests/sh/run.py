#!/usr/bin/python3
"""Tests of the script that `lbc compile` emits: its text, and what it does to mangle tables in a network namespace of
this test's own, by iptables-legacy and by iptables-nft, in dash and in busybox. IPVS is played by fake_ipvsadm.py.

    run.py LBC SITE...     LBC is the command, each SITE a further site file whose script is to be right

Exit status 77: something that the tests need is missing here, and nothing was tested without saying so."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from lbctest.project import scratch, skip

HERE = Path(__file__).resolve().parent
KINDS = ("legacy", "nft")
SHELLS = (("dash",), ("busybox", "sh"))
BUILTINS = [f"-P {chain} ACCEPT" for chain in ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")]
LBC = ""
EXAMPLES: list[str] = []
SCRATCH = scratch("sh")


def run(*command, text=None, env=None, cwd=SCRATCH):
    return subprocess.run(
        [str(word) for word in command], input=text, capture_output=True, text=True, timeout=120, cwd=cwd,
        env={**os.environ, **(env or {})},
    )


@functools.cache
def script_of(site, *options) -> Path:
    done = run(LBC, "compile", site, *options)
    assert done.returncode == 0, done.stderr
    path = SCRATCH / f"{Path(site).stem}{'-'.join(options)}.sh"
    path.write_text(done.stdout)
    return path


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def site_with_sets(name: str, services: int) -> Path:
    path = SCRATCH / name
    path.write_text("director lb1 { address 10.0.0.1; mac 02:00:00:00:00:11 }\n" + "".join(
        f"service s{i} {{ vip 192.0.2.{1 + 8 * i}; port tcp 80; mark {3 + i}; real 10.0.0.9 }}\n"
        for i in range(services)))
    return path


SETS = site_with_sets("sets.lb", 6)
MORE_SETS = site_with_sets("more-sets.lb", 7)


class Case(unittest.TestCase):
    """A clean namespace's tables and an empty fake IPVS for each test."""

    maxDiff = None

    def setUp(self):
        self.state = SCRATCH / "ipvs.json"
        self.state.unlink(missing_ok=True)
        for kind in KINDS:
            for tool in ("iptables", "ip6tables"):
                for command in ("-F", "-X"):
                    run(f"{tool}-{kind}", "-t", "mangle", command)
        run("ipset", "destroy")

    def go(self, script, *arguments, kind="legacy", shell=("dash",), status=0, **env):
        """Runs a script; its output and messages."""
        done = run(*shell, script, *arguments, env={
            "IPTABLES": f"iptables-{kind}", "IP6TABLES": f"ip6tables-{kind}", "FAKE_IPVS": str(self.state),
            "IPVSADM": str(HERE / "fake_ipvsadm.py"), **env})
        what = f"{script.name} with {kind} in {shell[0]}"
        self.assertEqual(done.returncode, status, f"{what}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def table(self, kind="legacy", tool="iptables", *options) -> list[str]:
        done = run(f"{tool}-{kind}", "-t", "mangle", *options, "-S")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def ipvs(self) -> dict:
        return json.loads(self.state.read_text())

    def log(self) -> list[str]:
        """What -R was given since the last call."""
        state = self.ipvs()
        lines, state["log"] = state["log"], []
        self.state.write_text(json.dumps(state))
        return lines


class Text(Case):
    def test_every_script_is_clean(self):
        for site in (HERE / "site.lb", HERE / "later.lb", HERE / "keepalived.lb", *EXAMPLES):
            script = script_of(site)
            for checker in (("shellcheck", "-s", "sh"), ("dash", "-n"), ("busybox", "sh", "-n")):
                with self.subTest(site=str(site), checker=checker):
                    done = run(*checker, script)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_equal_sites_give_equal_bytes(self):
        first, second = (run(LBC, "compile", HERE / "site.lb").stdout for _ in range(2))
        self.assertTrue(first)
        self.assertEqual(first, second)

    def test_keepalived_has_its_services_to_itself(self):
        script = script_of(HERE / "keepalived.lb")
        self.assertIn("are keepalived's: this script sets the marks", script.read_text())
        self.go(script, "apply", "lb1")
        self.assertFalse(self.state.exists(), "ipvsadm was called")


class Marks(Case):
    def each(self):
        for kind in KINDS:
            for shell in SHELLS:
                self.setUp()
                yield {"kind": kind, "shell": shell}

    def test_twice_is_as_once_and_remove_leaves_no_trace(self):
        for how in self.each():
            how["LBC_ONLY"] = "marks"
            for site in (HERE / "site.lb", *EXAMPLES):
                script = script_of(site)
                name = re.search("^directors='([^ ']*)", script.read_text(), re.MULTILINE)[1]
                self.go(script, "apply", name, **how)
                once = [self.table(how["kind"], tool) for tool in ("iptables", "ip6tables")]
                self.assertIn("-A PREROUTING -j LBC", once[0] + once[1])
                self.go(script, "apply", name, **how)
                self.assertEqual(once, [self.table(how["kind"], tool) for tool in ("iptables", "ip6tables")])
                self.go(script, "remove", **how)
                for tool in ("iptables", "ip6tables"):
                    self.assertEqual(self.table(how["kind"], tool), BUILTINS)

    def test_nothing_of_the_site_is_interpreted(self):
        script = script_of(HERE / "site.lb")
        self.assertIn("touch hacked", script.read_text())
        for how in self.each():
            self.go(script, "apply", "lb1", **how)
            self.assertFalse((SCRATCH / "hacked").exists())

    def test_rules_are_those_of_iptables_restore(self):
        script = script_of(HERE / "site.lb")
        for how in self.each():
            how["LBC_ONLY"] = "marks"
            self.go(script, "apply", "box2", status=2, **how)
            self.go(script, "apply", "lb-2.x", **how)
            wanted = [line for line in script.read_text().split("'lb-2.x/ipv4'")[1].split("\nEND")[0].splitlines()
                      if line.startswith("-A LBC")]
            self.assertTrue(wanted)
            self.assertEqual([line for line in self.table(how["kind"]) if line.startswith("-A LBC")], wanted)

    def test_stale_chains_go_and_foreign_rules_stay(self):
        foreign = ":PREROUTING ACCEPT [7:700]\n:LBCX - [0:0]\n[5:500] -A PREROUTING -s 192.0.2.9/32 -j LBCX\n"
        stale = (":LBC - [0:0]\n:LBC-OLD - [0:0]\n:LBC-OLDER - [0:0]\n-A LBC-OLD -g LBC-OLDER\n-A LBC -j LBC-OLD\n"
                 "-A PREROUTING -j LBC\n-A PREROUTING -j LBC\n"
                 "-A INPUT -m comment --comment \"an old jump\" -j LBC-OLD\n")
        behind = "[6:600] -A PREROUTING -p tcp -m comment --comment \"to LBC\" -j MARK --set-xmark 0x9/0xffffffff\n"
        script = script_of(HERE / "site.lb")
        for how in self.each():
            how["LBC_ONLY"] = "marks"
            rules = f"*mangle\n{foreign}{stale}{behind}COMMIT\n"
            done = run(f"iptables-{how['kind']}-restore", "--counters", text=rules)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.go(script, "apply", "lb1", **how)
            table = self.table(how["kind"], "iptables", "-v")
            text = "\n".join(table)
            self.assertNotIn("OLD", text)
            self.assertEqual([line for line in table if line.startswith("-A PREROUTING")], [
                "-A PREROUTING -s 192.0.2.9/32 -c 5 500 -j LBCX",
                "-A PREROUTING -c 0 0 -j LBC",
                "-A PREROUTING -p tcp -m comment --comment \"to LBC\" -c 6 600 -j MARK --set-xmark 0x9/0xffffffff"])
            self.assertEqual([line for line in table if line.startswith("-A INPUT")], [])
            self.go(script, "remove", **how)
            self.assertEqual(self.table(how["kind"])[5:], [
                "-N LBCX", "-A PREROUTING -s 192.0.2.9/32 -j LBCX",
                "-A PREROUTING -p tcp -m comment --comment \"to LBC\" -j MARK --set-xmark 0x9/0xffffffff"])

    def test_a_family_without_rules_loses_its_old_ones(self):
        for how in self.each():
            how["LBC_ONLY"] = "marks"
            self.go(script_of(HERE / "site.lb"), "apply", "lb1", **how)
            self.assertIn("-N LBC", self.table(how["kind"], "ip6tables"))
            self.go(script_of(HERE / "later.lb"), "apply", "lb1", **how)
            self.assertEqual(self.table(how["kind"], "ip6tables"), BUILTINS)

    def test_a_restore_that_fails_leaves_the_old_table(self):
        for how in self.each():
            self.go(script_of(HERE / "later.lb"), "apply", "lb1", **how)
            before = self.table(how["kind"], "iptables")
            self.log()
            real = f"ip6tables-{how['kind']}"
            bad = program(SCRATCH / "bad" / "ip6tables", f'exec {real} "$@"\n')
            program(SCRATCH / "bad" / "ip6tables-restore", 'echo "table is full" >&2; exit 4\n')
            said = self.go(script_of(HERE / "site.lb"), "apply", "lb1", status=3, IP6TABLES=str(bad), **how)
            self.assertIn("table is full", said)
            self.assertIn("nothing was changed", said)
            self.assertEqual(self.table(how["kind"], "iptables"), before)
            self.assertEqual(self.log(), [])
            program(SCRATCH / "bad" / "ip6tables-restore",
                    f'case "$*" in *--test*) exec {real}-restore "$@" ;; esac\necho "table is full" >&2\nexit 4\n')
            said = self.go(script_of(HERE / "site.lb"), "apply", "lb1", status=1, IP6TABLES=str(bad), **how)
            self.assertIn("its mangle table is as it was", said)
            self.assertEqual(self.table(how["kind"], "ip6tables"), BUILTINS)
            self.assertFalse([line for line in self.log() if line.startswith(("-d", "-D"))], "removed too early")

    def test_without_ip6tables(self):
        for how in self.each():
            how["LBC_ONLY"] = "marks"
            how["IP6TABLES"] = "/nonexistent/ip6tables"
            self.go(script_of(HERE / "later.lb"), "apply", "lb1", **how)
            said = self.go(script_of(HERE / "site.lb"), "apply", "lb1", status=3, **how)
            self.assertIn("the rules for ipv6 need /nonexistent/ip6tables", said)

    def test_sets(self):
        script = script_of(SETS, "--layout", "ipset")
        for how in self.each():
            how["LBC_ONLY"] = "marks"
            run("ipset", "create", "others", "hash:ip")
            self.go(script, "apply", "lb1", **how)
            once = run("ipset", "save").stdout
            name = re.search("^create (LBC-4-[^ ]*)", once, re.MULTILINE)[1]
            self.assertIn(f"add {name} 192.0.2.1,tcp:80 skbmark 0x3\n", once)
            self.assertIn(f"-A LBC-IN -j SET --map-set {name} dst,dst --map-mark", self.table(how["kind"]))
            self.go(script, "apply", "lb1", **how)
            self.assertEqual(run("ipset", "save").stdout, once)
            self.assertIn(name, self.go(script, "show", **how))
            run("ipset", "del", name, "192.0.2.1,tcp:80")
            self.go(script, "apply", "lb1", **how)
            self.assertIn(f"add {name} 192.0.2.1,tcp:80 skbmark 0x3\n", run("ipset", "save").stdout)
            before = self.table(how["kind"])
            said = self.go(script_of(MORE_SETS, "--layout", "ipset"), "apply", "lb1", status=3, IPSET="/none", **how)
            self.assertIn("need /none", said)
            self.go(script_of(MORE_SETS, "--layout", "ipset"), "apply", "lb1", **how)
            self.assertNotEqual(self.table(how["kind"]), before)
            self.assertNotIn(name, run("ipset", "list", "-n").stdout)
            self.go(script, "remove", **how)
            self.assertEqual(run("ipset", "list", "-n").stdout, "others\n")
            self.assertEqual(self.table(how["kind"]), BUILTINS)

    def test_another_awk(self):
        program(SCRATCH / "awk" / "awk", 'exec busybox awk "$@"\n')
        path = f"{SCRATCH / 'awk'}:{os.environ['PATH']}"
        self.go(script_of(HERE / "site.lb"), "apply", "lb1", PATH=path)
        table, services = self.table(), self.ipvs()
        self.setUp()
        self.go(script_of(HERE / "site.lb"), "apply", "lb1")
        self.assertEqual((table, services), (self.table(), self.ipvs()))

    def test_show(self):
        self.go(script_of(HERE / "site.lb"), "apply", "lb1")
        run("iptables-legacy", "-t", "mangle", "-A", "INPUT", "-j", "ACCEPT")
        said = self.go(script_of(HERE / "site.lb"), "show")
        self.assertIn("-A PREROUTING -c 0 0 -j LBC\n", said)
        self.assertIn("-A LBC -i lo -c 0 0 -j RETURN\n", said)
        self.assertIn("FWM  3 sh\n", said)
        self.assertNotIn("ACCEPT", said)


class Director(Case):
    def found(self, *arguments, status=0):
        return self.go(script_of(HERE / "site.lb"), "apply", *arguments, status=status, LBC_ONLY="ipvs")

    def test_by_name(self):
        self.found("lb-2.x")
        self.assertIn("4", self.ipvs()["services"])
        self.assertIn("has no director 'lb2'; it has: lb1 lb-2.x", self.found("lb2", status=2))
        self.found("lb*", status=2)
        self.found("", status=2)

    def test_by_host_name(self):
        for name, mark in (("lb1", "3"), ("box2", "4"), ("box2.example.net", "4")):
            self.setUp()
            self.assertEqual(run("hostname", name).returncode, 0)
            self.found()
            self.assertIn(mark, self.ipvs()["services"])

    def test_by_mac(self):
        run("hostname", "elsewhere")
        self.assertIn("name one of: lb1 lb-2.x", self.found(status=2))
        made = run("ip", "link", "add", "t0", "address", "02:00:00:00:00:11", "type", "veth", "peer", "name", "t1")
        self.assertEqual(made.returncode, 0, made.stderr)
        try:
            self.found()
        finally:
            run("ip", "link", "del", "t0")
        self.assertIn("3", self.ipvs()["services"])

    def test_usage(self):
        script = script_of(HERE / "site.lb")
        self.assertIn("directors: lb1 lb-2.x", self.go(script, "--help"))
        for arguments in (("restart",), ("apply", "lb1", "lb-2.x"), ("lb1",)):
            self.assertIn("usage:", self.go(script, *arguments, status=2))
        self.go(script, "apply", "lb1", status=2, LBC_ONLY="rules")

    def test_a_script_for_one(self):
        script = script_of(HERE / "site.lb", "-d", "lb1")
        self.go(script, "apply", "lb-2.x", status=2)
        self.go(script, "apply", "lb1")


class Services(Case):
    def apply(self, site="site.lb", *arguments, **more):
        return self.go(script_of(HERE / site), *(arguments or ("apply", "lb1")), LBC_ONLY="ipvs", **more)

    def foreign(self):
        """Foreign services, and own ones from an earlier site: only those in `marks` are own."""
        full = {"line": "-s rr", "reals": {"10.9.9.9:0": ["-g -w 1", 0, 0]}}
        empty = {"line": "-s rr", "reals": {}}
        foreign, stale = {"7": full, "4096": empty}, {"4": full, "256 -6": empty}
        self.state.write_text(json.dumps({"services": {**foreign, **stale}, "daemons": {}, "log": []}))
        return foreign

    def test_add_then_nothing_then_edit_then_remove(self):
        foreign = self.foreign()
        self.apply()
        first = self.log()
        self.assertEqual(first[-2:], ["-D -f 4", "-D -f 256 -6"])
        self.assertIn("-A -f 3 -6 -s sh -b sh-port", first)
        self.assertIn("-a -f 3 -r 10.0.0.3:0 -g -w 2 -x 1000 -y 100", first)
        self.assertIn("-A -f 2147483649 -s rr -o", first)
        self.apply()
        self.assertEqual(self.log(), [], "a second run writes nothing")
        shell_mark = next(line.split()[2] for line in first if "-p 60" in line)
        self.apply("later.lb")
        self.assertEqual(sorted(self.log()), sorted([
            "-E -f 3 -s wrr", "-e -f 3 -r 10.0.0.1:0 -g -w 5", "-e -f 3 -r 10.0.0.3:0 -g -w 2",
            "--start-daemon master", "--start-daemon backup",
            "-d -f 3 -r 10.0.0.2:0", f"-D -f {shell_mark}", "-D -f 3 -6"]))
        self.apply("later.lb")
        self.assertEqual(self.log(), [])
        self.apply("later.lb", "remove")
        self.assertEqual(self.ipvs()["services"], foreign)
        self.assertEqual(self.ipvs()["daemons"], {})

    def test_a_sync_daemon_with_other_parameters_starts_anew(self):
        self.apply("later.lb")
        state = self.ipvs()
        state["daemons"]["backup"] = state["daemons"]["backup"].replace("syncid=7", "syncid=8")
        state["log"] = []
        self.state.write_text(json.dumps(state))
        self.apply("later.lb")
        self.assertEqual(self.log(), ["--stop-daemon backup", "--start-daemon backup"])

    def test_a_line_that_is_refused_stops_before_the_marks(self):
        site = SCRATCH / "unknown-scheduler.lb"
        site.write_text((HERE / "site.lb").read_text().replace("sh sh-port", "nosuch"))
        said = self.go(script_of(site), "apply", "lb1", status=1)
        self.assertIn("Scheduler or persistence engine not found", said)
        self.assertIn("did not do: -A -f 3 -s nosuch\n", said)
        self.assertNotIn("-A -f 2147483649", said)
        self.assertEqual(self.table(), BUILTINS)

    def test_without_ipvsadm(self):
        said = self.go(script_of(HERE / "site.lb"), "apply", "lb1", status=3, IPVSADM="/nonexistent/ipvsadm")
        self.assertIn("there is no /nonexistent/ipvsadm; nothing was changed", said)
        self.assertEqual(self.table(), BUILTINS)
        self.go(script_of(HERE / "site.lb"), "apply", "lb1", IPVSADM="/nonexistent/ipvsadm", LBC_ONLY="marks")
        self.go(script_of(HERE / "site.lb"), "remove", IPVSADM="/nonexistent/ipvsadm")
        self.assertEqual(self.table(), BUILTINS)

    def test_show_has_the_sites_services_alone(self):
        self.foreign()
        self.apply()
        said = self.apply("site.lb", "show")
        self.assertIn("FWM  -2147483647 rr\n", said)
        self.assertNotIn("FWM  7 ", said)
        self.assertNotIn("10.9.9.9", said)


def enter() -> None:
    """Starts this program again in namespaces of its own: network, host name, and mounts for the network's /sys."""
    if os.environ.get("LBC_SH_TEST") == "inside":
        return
    missing = [tool for tool in ("unshare", "hostname", "ip", "dash", "busybox", "shellcheck", "awk",
                                 *(f"{tool}-{kind}" for tool in ("iptables", "ip6tables") for kind in KINDS))
               if not shutil.which(tool)]
    if missing or run("unshare", "-n", "-u", "-m", "true").returncode != 0:
        skip(f"missing here: {' '.join(missing)}" if missing else "no right to make namespaces")
    os.environ["LBC_SH_TEST"] = "inside"
    os.environ["XTABLES_LOCKFILE"] = str(SCRATCH / "xtables.lock")
    mount_and_go = 'mount -t sysfs sysfs /sys && exec "$@"'
    inside = [sys.executable, "-B", *sys.argv]
    done = subprocess.run(["unshare", "-n", "-u", "-m", "sh", "-c", mount_and_go, "sh", *inside])
    sys.exit(done.returncode)


def main() -> None:
    global LBC
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LBC = str(Path(sys.argv[1]).resolve())
    EXAMPLES.extend(str(Path(site).resolve()) for site in sys.argv[2:])
    for kind in KINDS:
        if run(f"iptables-{kind}", "-t", "mangle", "-S").returncode != 0:
            skip(f"no mangle table by iptables-{kind}")
    result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False).result
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    enter()
    main()
