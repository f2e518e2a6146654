#!/usr/bin/env python3
"""Every system call on the tables fails, or is the last of a killed run, once: the tables then are the old or the new
ones as the exit status says, and the next apply finishes the work. strace does the injecting."""

from __future__ import annotations

import shutil
import subprocess
import unittest

import harness
import net
from fixtures import known_site, small_site

MARKS = ("--only", "marks", "-d", "lb1")
MOST_CALLS = 40  # more than one apply makes of either kind


def tables() -> dict[str, list[str]]:
    return {program: harness.saved(program) for program in harness.FAMILIES}


class Faults(unittest.TestCase):
    def setUp(self) -> None:
        self.site = harness.write(small_site(), harness.SCRATCH / "new.lb")
        harness.lbc_ok("apply", self.site, *MARKS)
        self.new = tables()
        self.reset()
        self.old = tables()

    def tearDown(self) -> None:
        harness.clear()

    def reset(self) -> None:
        harness.lbc_ok("apply", harness.write(known_site()), *MARKS)

    def traced(self, expression: str) -> subprocess.CompletedProcess:
        return subprocess.run(["strace", "-f", "-o", str(harness.SCRATCH / "trace"), "-e", expression,
                               harness.LBC, "apply", self.site, *MARKS], capture_output=True, text=True, timeout=60)

    def injected(self) -> bool:
        return "INJECTED" in (harness.SCRATCH / "trace").read_text(encoding="utf-8", errors="replace")

    def assert_as_the_status_says(self, done: subprocess.CompletedProcess, what: str) -> None:
        said = f"{what}: status {done.returncode}\n{done.stderr}"
        self.assertIn(done.returncode, (0, 3, 4), said)
        self.assertEqual(tables(), self.new if done.returncode == 0 else self.old, said)
        if done.returncode != 0:
            self.assertIn("error", done.stderr, said)

    def test_one_call_fails(self) -> None:
        statuses = []
        for call, error in (("setsockopt", "ENOMEM"), ("getsockopt", "EINVAL"), ("getsockopt", "ENOMEM"),
                            ("socket", "EMFILE"), ("flock", "EIO")):
            for number in range(1, MOST_CALLS):
                what = f"{call}:error={error}:when={number}"
                with self.subTest(what):
                    done = self.traced(f"inject={what}")
                    if not self.injected():
                        break
                    statuses.append(done.returncode)
                    self.assert_as_the_status_says(done, what)
                    self.reset()
        print(f"statuses: { {s: statuses.count(s) for s in sorted(set(statuses))} }", flush=True)
        self.assertIn(4, statuses)

    def test_nothing_can_be_taken_back(self) -> None:
        """IPv4 is written; then every further write fails, so that it stays written: status 5, and what is left."""
        statuses = []
        for number in range(1, MOST_CALLS):
            done = self.traced(f"inject=setsockopt:error=ENOMEM:when={number}+")
            if not self.injected():
                break
            statuses.append(done.returncode)
            if done.returncode == 5:
                self.assertIn("LBC", done.stdout + done.stderr)
                for program in harness.FAMILIES:
                    self.assertIn(tables()[program], (self.old[program], self.new[program]))
            else:
                self.assert_as_the_status_says(done, f"from call {number} on")
            self.reset()
        self.assertIn(5, statuses)

    def test_a_second_apply_makes_no_setsockopt(self) -> None:
        for written in (True, False):
            done = self.traced("trace=setsockopt")
            self.assertEqual(done.returncode, 0, done.stderr)
            calls = (harness.SCRATCH / "trace").read_text(encoding="utf-8")
            self.assertEqual("setsockopt(" in calls, written, calls)

    def test_killed(self) -> None:
        """Each table is the old one or the new one; the next apply makes both new."""
        for call in ("setsockopt", "getsockopt"):
            for number in range(1, MOST_CALLS):
                what = f"{call}:signal=KILL:when={number}"
                with self.subTest(what):
                    self.traced(f"inject={what}")
                    if "killed by SIGKILL" not in (harness.SCRATCH / "trace").read_text(errors="replace"):
                        break
                    for program in harness.FAMILIES:
                        self.assertIn(tables()[program], (self.old[program], self.new[program]))
                    harness.lbc_ok("apply", self.site, *MARKS)
                    self.assertEqual(tables(), self.new)
                    self.reset()


if __name__ == "__main__":
    if not shutil.which("strace"):
        net.skip("no strace")
    harness.main()
