"""The process that waits for `confirm` is stopped: whoever asks for it ends, and holds no lock meanwhile."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess

from lbctest import director
from lbctest.director import MARKS, Director, lbc, table, wait_for
from lbctest.hostile import LBC, main


class StoppedSupervisor(Director):
    def test_applies_end_and_leave_the_lock(self) -> None:
        waiting = self.change()
        os.kill(waiting, signal.SIGSTOP)
        changed = table()
        for _ in range(20):  # more than the socket has room for
            self.assertIn("an apply waits for", self.apply(self.site, status=3).stderr)
        self.assertEqual(lbc("remove", "--only", "marks").returncode, 3)
        self.assertEqual(table(), changed)
        with open(os.environ["XTABLES_LOCKFILE"], "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(waiting, signal.SIGCONT)
        self.assertEqual(wait_for("an answer", lambda: self.answer("rollback")), "the change is rolled back\n")
        self.assertEqual(table(), self.before)

    @staticmethod
    def answer(word: str) -> str:
        done = lbc(word)
        return done.stdout if done.returncode == 0 else ""

    def test_who_has_given_up_is_not_obeyed(self) -> None:
        waiting = self.change()
        os.kill(waiting, signal.SIGSTOP)
        done = lbc("confirm")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn(f"process {waiting}, does not answer", done.stderr)
        os.kill(waiting, signal.SIGCONT)
        self.assertEqual(lbc("rollback").stdout, "the change is rolled back\n")
        self.assertEqual(table(), self.before)

    def test_a_signal_ends_who_asks(self) -> None:
        os.kill(self.change(), signal.SIGSTOP)
        asking = subprocess.Popen([LBC, "rollback"], stderr=subprocess.PIPE)
        wait_for("its wait", lambda: director.status_of(asking.pid)["State"].startswith("S"))
        asking.terminate()
        self.assertEqual(asking.wait(director.PATIENCE), -signal.SIGTERM)
        asking.stderr.close()

    def test_a_signal_ends_an_apply_that_waits_for_the_lock(self) -> None:
        for more in ([], ["--confirm-within", "600s"]):
            with open(os.environ["XTABLES_LOCKFILE"], "a", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                applying = subprocess.Popen([LBC, "apply", str(self.other), *MARKS, "--wait", "1h", *more])
                count = 1 + bool(more)
                wait_for("its wait", lambda: len(director.processes(os.path.realpath(LBC))) == count and all(
                    director.status_of(pid)["State"].startswith("S")
                    for pid in director.processes(os.path.realpath(LBC))))
                applying.terminate()
                self.assertEqual(applying.wait(director.PATIENCE), -signal.SIGTERM)
                wait_for("the end of the process that would make the change",
                         lambda: not director.processes(os.path.realpath(LBC)))
            self.assertEqual(table(), self.before)


if __name__ == "__main__":
    director.enter()
    main()
