#!/usr/bin/python3
"""Every system call on the tables fails once, or is the last of a killed run: the tables then are the old or the new
ones as the exit status says, and the next apply finishes the work. strace does the injecting."""

from __future__ import annotations

import re
import shutil
import subprocess
import unittest

from lbctest import harness, net
from lbctest.fixtures import known_site, small_site

MARKS = ("--only", "marks", "-d", "lb1")
BY_NFT = harness.BACKEND == "nft"
# A call that changes tables. Of nftables: a batch of messages.
WRITE = "nlmsg_type=(0x10 |NFNL_MSG_BATCH_BEGIN)" if BY_NFT else "_SO_SET_REPLACE"
WRITING = ("sendmsg", "sendto") if BY_NFT else ("setsockopt",)
READING = ("recvmsg", "recvfrom") if BY_NFT else ("getsockopt",)
# Of nftables in each process that libnftables runs in.
FAILURES = [(call, error) for call in WRITING for error in ("ENOMEM", "EAGAIN")[BY_NFT:]]
FAILURES += [(call, error) for call in READING for error in ("ENOMEM", "EINVAL")[BY_NFT:]]
FAILURES += [("socket", "EMFILE"), ("flock", "EIO")]
MOST_CALLS = 200  # more than one apply makes of any kind
# libnftables asks much that lbc does not act on: one of so many of its calls is hit.
STEP = 3 if BY_NFT else 1
TRACE = harness.SCRATCH / "trace"


def tables(counters: bool = False) -> dict[str, list[str]]:
    if BY_NFT:
        return {"nft": harness.listed("ruleset")}
    return {program: harness.saved(program, counters) for program in harness.FAMILIES}


class Faults(unittest.TestCase):
    """Each attempt replaces the rules of `known_site`, which have counted packets, by those of `small_site`."""

    def setUp(self) -> None:
        self.site = harness.write(small_site(), harness.SCRATCH / "new.lb")
        harness.lbc_ok("apply", self.site, *MARKS)
        self.new = tables()
        harness.lbc_ok("apply", harness.write(known_site()), *MARKS)
        self.counted = {program: [re.sub(r"^\[\d+:\d+\]", "[12:3456]", line) for line in lines]
                        for program, lines in tables(counters=True).items()}
        self.reset()
        self.old = tables()

    def tearDown(self) -> None:
        harness.clear()

    def reset(self) -> None:
        if BY_NFT:
            harness.lbc_ok("apply", str(harness.SITE), *MARKS)
            return
        for program, lines in self.counted.items():
            net.run(f"{program}-legacy-restore", "-c", text="\n".join(lines) + "\n")

    def traced(self, expression: str) -> subprocess.CompletedProcess:
        # What kills lbc leaves libnftables, which has a process of its own, to its end.
        strace = [word for word in harness.STRACE if word != "-f" or "signal" not in expression or not BY_NFT]
        return subprocess.run([*strace, "-o", str(TRACE), "-e", expression, harness.LBC,
                               *harness.with_backend(("apply", self.site, *MARKS))], capture_output=True, text=True,
                              timeout=60)

    def traced_once(self, expression: str, mark: str) -> subprocess.CompletedProcess | None:
        """None where the run ended before the call that was to be hit."""
        self.reset()
        done = self.traced(expression)
        return done if mark in TRACE.read_text(encoding="utf-8", errors="replace") else None

    def assert_as_the_status_says(self, done: subprocess.CompletedProcess, what: str) -> None:
        said = f"{what}: status {done.returncode}\n{done.stderr}"
        if done.returncode == 0:
            self.assertEqual(tables(), self.new, said)
            return
        if BY_NFT and done.returncode == 5:
            self.assertIn("nftables: table inet lbc, ", done.stderr, said)
            harness.lbc_ok("apply", self.site, *MARKS)
            self.assertEqual(tables(), self.new, said)
            return
        self.assertIn(done.returncode, (3, 4), said)
        self.assertEqual(tables(counters=True), self.counted, said)
        self.assertIn("lbc: ", done.stderr, said)

    def test_one_call_fails(self) -> None:
        statuses = []
        for call, error in FAILURES:
            for number in range(1, MOST_CALLS, STEP):
                what = f"inject={call}:error={error}:when={number}"
                with self.subTest(what):
                    done = self.traced_once(what, "INJECTED")
                    if done is None:
                        break
                    statuses.append(done.returncode)
                    self.assert_as_the_status_says(done, what)
        print(f"statuses: { {s: statuses.count(s) for s in sorted(set(statuses))} }", flush=True)
        self.assertIn(4, statuses)

    def writes(self) -> list[int]:
        """For each call that changes tables, how many there were of its kind by then."""
        self.reset()
        self.assertEqual(self.traced(f"trace={','.join(WRITING)}").returncode, 0)
        counts = dict.fromkeys(WRITING, 0)
        found = []
        for line in TRACE.read_text(encoding="utf-8", errors="replace").splitlines():
            for call in WRITING:
                if f" {call}(" in line:
                    counts[call] += 1
                    if re.search(WRITE, line):
                        found.append(counts[call])
        return found

    def test_a_second_apply_writes_no_table(self) -> None:
        for written in (True, False):
            done = self.traced(f"trace={','.join(WRITING)}")
            self.assertEqual(done.returncode, 0, done.stderr)
            calls = TRACE.read_text(encoding="utf-8")
            self.assertEqual(re.search(WRITE, calls) is not None, written, calls)

    def holds(self, site: str) -> bool:
        return harness.proved(site, "lb1")["holds"]

    def test_killed(self) -> None:
        """Each table is the old one or the new one, or, of nftables, marks as one of them does; the next apply makes
        both new."""
        states = set()
        for call in ("sendto",) if BY_NFT else (*WRITING, *READING):
            for number in range(1, MOST_CALLS):
                what = f"inject={call}:signal=KILL:when={number}"
                with self.subTest(what):
                    if self.traced_once(what, "killed by SIGKILL") is None:
                        break
                    now = tables()
                    if BY_NFT:
                        states.add((self.holds(str(harness.SITE)), self.holds(self.site), now in (self.old, self.new)))
                    else:
                        for program in harness.FAMILIES:
                            self.assertIn(now[program], (self.old[program], self.new[program]))
                        states.add(tuple(now[program] == self.new[program] for program in harness.FAMILIES))
                    harness.lbc_ok("apply", self.site, *MARKS)
                    self.assertEqual(tables(), self.new)
        if BY_NFT:
            old, new = (True, False), (False, True)
            self.assertEqual(states, {(*old, True), (*old, False), (*new, True), (*new, False)})
        else:
            self.assertEqual(states, {(False, False), (True, False), (True, True)})

    if not BY_NFT:

        def test_a_table_that_others_change_all_the_time(self) -> None:
            """EAGAIN once is tried again with success; EAGAIN for ever ends as refused."""
            first = self.writes()[0]
            for when, status in ((f"{first}", 0), (f"{first}+", 3)):
                what = f"inject=setsockopt:error=EAGAIN:when={when}"
                done = self.traced_once(what, "INJECTED")
                self.assertEqual(done.returncode, status, done.stderr)
                self.assert_as_the_status_says(done, what)

        def test_nothing_can_be_taken_back(self) -> None:
            """IPv4 is written; then every further write fails, so that it stays written: status 5, and what is left."""
            statuses = []
            for number in range(1, MOST_CALLS):
                done = self.traced_once(f"inject=setsockopt:error=ENOMEM:when={number}+", "INJECTED")
                if done is None:
                    break
                statuses.append(done.returncode)
                if done.returncode == 5:
                    self.assertIn("LBC", done.stderr)
                    now = tables()
                    for program in harness.FAMILIES:
                        self.assertIn(now[program], (self.old[program], self.new[program]))
                else:
                    self.assert_as_the_status_says(done, f"from call {number} on")
            self.assertIn(5, statuses)


if __name__ == "__main__":
    if not shutil.which("strace"):
        net.skip("no strace")
    harness.main()
