#!/usr/bin/python3
"""What the user, the system or another program refuses: the exit status, the message, and tables left untouched."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import unittest

from lbctest import harness, net
from lbctest.fixtures import known_site, small_site

NOBODY = 65534
MARKS = ("--only", "marks", "-d", "lb1")


def tables() -> dict[str, list[str]]:
    return harness.everything(counters=True)


class Refusals(unittest.TestCase):
    def setUp(self) -> None:
        harness.lbc_ok("apply", harness.write(known_site()), *MARKS)
        self.before = tables()

    def tearDown(self) -> None:
        harness.clear()

    def refused(self, status: int, *words: str, arguments: tuple[str, ...], **settings) -> str:
        """Runs a command that must end with a status, say some words, and change nothing."""
        settings.setdefault("env", os.environ)
        program = settings.pop("program", (harness.LBC,))
        done = subprocess.run([*program, *harness.with_backend(arguments)], capture_output=True, text=True, timeout=60, **settings)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(tables(), self.before)
        return done.stderr

    def test_mistakes_in_the_site(self) -> None:
        whole = small_site().to_lb()
        for wrong in (whole.replace("tcp 80", "tcp 70000"), whole.replace("service web {", "service web"),
                      whole.replace("mark lb1 0x3", "mark lb1 0"), whole + "nonsense\n", whole + "\0", whole[:-3]):
            path = harness.write(wrong, harness.SCRATCH / "wrong.lb")
            self.refused(2, "wrong.lb:", arguments=("apply", path, *MARKS))

    def test_mistakes_in_the_command(self) -> None:
        path = harness.write(small_site())
        for arguments in (("apply", path, "--only", "marks", "-d", "nobody"), ("apply", path, "--only", "nonsense"),
                          ("apply", "/nowhere/site.lb", *MARKS), ("apply",), ("nonsense", path),
                          ("apply", path, *MARKS, "--wait", "soon")):
            with self.subTest(arguments=arguments):
                self.refused(2, arguments=arguments)

    def test_lock_held_by_another(self) -> None:
        path = harness.write(small_site())
        with open(os.environ["XTABLES_LOCKFILE"], "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in ("apply", "remove"):
                self.refused(3, os.environ["XTABLES_LOCKFILE"], arguments=(command, path, *MARKS, "--wait", "200ms"))
            waiting = subprocess.Popen([harness.LBC, *harness.with_backend(("apply", path, *MARKS, "--wait", "50s"))])
        self.assertEqual(waiting.wait(timeout=60), 0)
        self.assertNotEqual(tables(), self.before)

    def as_nobody(self, lockfile: str, *words: str, rights: str = "") -> None:
        """Runs a copy of the command, which a user without rights can reach, as that user, who gets these."""
        program = harness.SCRATCH / "lbc"
        shutil.copy(shutil.which(harness.LBC), program)
        os.chmod(program, 0o755)
        os.chmod(harness.SCRATCH, 0o755)
        path = harness.write(small_site())
        self.refused(3, *words, arguments=("apply", path, *MARKS),
                     program=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                              *([f"--inh-caps={rights}", f"--ambient-caps={rights}"] if rights else []), str(program)),
                     env={**os.environ, "XTABLES_LOCKFILE": lockfile})

    def test_no_right_to_the_table(self) -> None:
        lock = harness.SCRATCH / "open.lock"
        lock.touch()
        os.chown(lock, NOBODY, NOBODY)
        self.as_nobody(str(lock), "CAP_NET_ADMIN")

    def test_no_right_to_the_lock(self) -> None:
        lock = harness.SCRATCH / "closed.lock"
        lock.touch(0o600)
        self.as_nobody(str(lock), str(lock), "CAP_NET_ADMIN", "root", rights="+net_admin,+net_raw")

    if harness.BACKEND == "iptables":

        def test_a_foreign_rule_leads_into_a_chain_that_must_go(self) -> None:
            for program in harness.FAMILIES:
                with self.subTest(program=program):
                    command = f"{program}-legacy", "-t", "mangle"
                    net.run(*command, "-N", "theirs")
                    net.run(*command, "-A", "theirs", "-j", "LBC-PEER")
                    self.before = tables()
                    path = harness.write(small_site())
                    for arguments in (("apply", path, *MARKS), ("remove", path, *MARKS)):
                        done = harness.lbc(*arguments)
                        self.assertIn(done.returncode, (3, 4), done.stderr)
                        self.assertIn("LBC-PEER", done.stderr)
                        self.assertIn("theirs", done.stderr)
                        self.assertEqual(tables(), self.before)
                    net.run(*command, "-F", "theirs")
                    net.run(*command, "-X", "theirs")


if __name__ == "__main__":
    harness.main()
