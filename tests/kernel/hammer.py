#!/usr/bin/python3
"""Another program changes the table at the same time: no update is lost on either side, and every run ends well."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import unittest

from lbctest import harness, net
from lbctest.fixtures import known_site, moved_site, small_site

RUNS = 24
MOST_RULES = 5000
ONE, TWO = harness.SCRATCH / "one.lb", harness.SCRATCH / "two.lb"
AGAIN = 4  # iptables' status when the table changed between its read and its write
BY_NFT = harness.BACKEND == "nft"
HANDLES: dict[int, str] = {}  # of rules that the hammer has added by nft
BUSY = "other programs keep changing it without the xtables lock"  # what lbc says when that happened ten times in a row


def source(number: int) -> str:
    return f"10.9.{number // 250}.{number % 250 + 1}"


def rule(number: int) -> list[str]:
    return ["PREROUTING", "-s", f"{source(number)}/32", "-j", "ACCEPT"]


def change_nft(operation: str, number: int) -> None:
    """One change by nft, in a table of the hammer's own."""
    if operation == "-A":
        said = net.run("nft", "-e", "-a", "add", "rule", "inet", "theirs", "prerouting", "ip", "saddr", source(number), "accept")
        HANDLES[number] = re.search(r"# handle (\d+)", said)[1]
    else:
        net.run("nft", "delete", "rule", "inet", "theirs", "prerouting", "handle", HANDLES[number])


def change(operation: str, number: int) -> None:
    """One change by iptables, tried again when somebody was faster."""
    command = ["iptables-legacy", "-w", "60", "-t", "mangle", operation, *rule(number)]
    for _ in range(200):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            return
        if done.returncode != AGAIN:
            # The rule is in place, or away, where only the second call failed, which gives others their counts back.
            there = subprocess.run([*command[:5], "-C", *rule(number)], capture_output=True, timeout=60).returncode == 0
            if there == (operation == "-A"):
                return
            break
    raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr}")


def hammer(deleting: bool) -> int:
    """Adds rules one by one and, where asked, deletes two of three again, until its input ends. How many it added."""
    make = change_nft if BY_NFT else change
    number = 0
    while number < MOST_RULES and not select.select([sys.stdin], [], [], 0)[0]:
        make("-A", number)
        if deleting and number % 3 != 0:
            make("-D", number)
        number += 1
    return number


def left_by_hammer(added: int, deleting: bool) -> list[str]:
    left = (number for number in range(added) if not deleting or number % 3 == 0)
    return [source(number) if BY_NFT else f"-A {' '.join(rule(number))}" for number in left]


def theirs() -> list[str]:
    if BY_NFT:
        return re.findall(r"ip saddr (\S+) accept", net.run("nft", "list", "table", "inet", "theirs"))
    return [line for line in harness.foreign(harness.saved()) if line.startswith("-A")]


def own() -> list[list[str]]:
    if BY_NFT:
        return [harness.listed("table", "inet", "lbc")]
    return [harness.own(harness.saved(program)) for program in harness.FAMILIES]


class Hammer(unittest.TestCase):
    def tearDown(self) -> None:
        harness.clear()
        if BY_NFT:
            subprocess.run(["nft", "delete", "table", "inet", "theirs"], capture_output=True)

    def apply(self, path: object, trace: bool = False, may_be_refused: bool = False) -> bool:
        """Whether the site is in place. If not, lbc has said why, and has changed nothing."""
        command = [harness.LBC, "apply", str(path), "--only", "marks", "-d", "lb1", "--backend",
                   harness.BACKEND, "--wait", "60s"]
        if trace:
            command = [*harness.STRACE, "-A", "-o", str(harness.SCRATCH / "trace"), "-e", "trace=setsockopt", *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if may_be_refused and done.returncode in (3, 4):
            # The IPv4 table may have been written before the IPv6 one was refused; it is taken back then.
            self.assertIn(BUSY, done.stderr)
            return False
        self.assertEqual(done.returncode, 0, done.stderr)
        return True

    def alternate(self, one: object, two: object, deleting: bool, lockfile: str | None, trace: bool = False) -> None:
        """Applies two sites in turn while the hammer is at work; the first one is in the kernel at the end."""
        harness.write(one, ONE)
        harness.write(two, TWO)
        self.apply(ONE)
        wanted = own()
        if BY_NFT:
            net.run("nft", "add table inet theirs; add chain inet theirs prerouting { type filter hook prerouting priority 0; }")
        environment = {**os.environ, "XTABLES_LOCKFILE": lockfile or os.environ["XTABLES_LOCKFILE"]}
        child = subprocess.Popen([sys.executable, "-B", __file__, "hammer", *(["deleting"] if deleting else [])],
                                 env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            done = sum(self.apply(TWO if run % 2 == 0 else ONE, trace, may_be_refused=lockfile is not None)
                       for run in range(RUNS))
            said, _ = child.communicate(timeout=60)
        finally:
            if child.poll() is None:
                child.kill()
            status = child.wait()
        self.assertEqual(status, 0)
        added = int(said)
        print(f"{done} of {RUNS} runs put the site in place, beside {added} rules", flush=True)
        self.assertGreater(added, 0)
        self.apply(ONE)
        self.assertEqual(own(), wanted)
        self.assertEqual(theirs(), left_by_hammer(added, deleting))

    def test_two_at_once(self) -> None:
        """The second waits for the lock, and the tables of both families are one run's."""
        harness.write(known_site(), ONE)
        harness.write(moved_site(), TWO)
        wanted = []
        for path in (ONE, TWO):
            self.apply(path)
            wanted.append(own())
        for _ in range(20):
            pair = [subprocess.Popen([harness.LBC, "apply", str(path), "--only", "marks", "-d", "lb1", "--backend",
                                      harness.BACKEND, "--wait", "60s"], stdout=subprocess.DEVNULL) for path in (ONE, TWO)]
            self.assertEqual([process.wait(60) for process in pair], [0, 0])
            self.assertIn(own(), wanted)

    def test_with_the_lock(self) -> None:
        self.alternate(known_site(), moved_site(), True, None)

    if not BY_NFT:  # nft has no lock

        def test_a_hammer_that_ignores_the_lock(self) -> None:
            """The kernel refuses a write that was made for a table of another size (EAGAIN); nothing is lost when both
            sides then read again. The hammer only adds and the sites differ in size, so that every change shows. Whether a
            run gets through is the scheduler's matter; that it is whole or nothing is lbc's."""
            trace = shutil.which("strace") is not None
            self.alternate(known_site(), small_site(), False, str(harness.SCRATCH / "other.lock"), trace)
            if trace:
                calls = (harness.SCRATCH / "trace").read_text(encoding="utf-8")
                print(f"{calls.count('EAGAIN')} writes refused with EAGAIN", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["hammer"]:
        print(hammer("deleting" in sys.argv[2:]))
    else:
        harness.main()
