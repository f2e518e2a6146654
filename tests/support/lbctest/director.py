"""A director in a network namespace and with an xtables lock of the test's own, in which `lbc apply` is at home: its
table and processes, and programs that run with few rights."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from lbctest import net
from lbctest.hostile import LBC, SITE, Case
from lbctest.project import scratch

NOBODY = 65534
PATIENCE = 60  # seconds after which what should happen is taken to never happen
MARKS = ("-d", "lb1", "--only", "marks", "--backend", "nft")
OTHER = SITE.replace("tcp 80", "tcp 81")
CAPABILITIES = {"CHOWN": 0, "DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "FOWNER": 3, "SETGID": 6, "SETUID": 7,
                "NET_ADMIN": 12, "NET_RAW": 13, "SYS_MODULE": 16, "SYS_PTRACE": 19}


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def capabilities(pid: int, which: str) -> set[str]:
    """By name, of those that lbc keeps for some command; any other by its number."""
    value = int(status_of(pid)[which], 16)
    names = {number: name for name, number in CAPABILITIES.items()}
    return {names.get(number, str(number)) for number in range(64) if value >> number & 1}


def wait_for(what: str, condition):
    """What `condition` gives at last."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not seen: {what}")
        time.sleep(0.05)
    return found


def is_in_this_namespace(pid: str) -> bool:
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino
    except OSError:  # it has ended
        return False


def processes(program: str) -> list[int]:
    """Those of a program, in this network namespace."""
    found = []
    for path in Path("/proc").glob("[0-9]*/exe"):
        try:
            if os.readlink(path) == program and is_in_this_namespace(path.parent.name):
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


def table() -> str:
    """lbc's table of nftables."""
    done = subprocess.run(["nft", "list", "table", "inet", "lbc"], capture_output=True, text=True, check=False)
    return done.stdout


def lbc(*words: str | Path, **more) -> subprocess.CompletedProcess:
    return subprocess.run([LBC, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          stdin=subprocess.DEVNULL, **more)


def as_nobody(*words: str, rights: str = "") -> subprocess.CompletedProcess:
    """A program, run by a user who has these rights alone."""
    given = [f"--inh-caps={rights}", f"--ambient-caps={rights}"] if rights else []
    return subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *given, *words],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)


def enter() -> None:
    net.enter()
    if not shutil.which("setpriv"):
        net.skip("no setpriv")
    os.environ["XTABLES_LOCKFILE"] = str(scratch("lock") / "lock")


class Director(Case):
    """With the marks of SITE."""

    def setUp(self) -> None:
        super().setUp()
        self.site, self.other = self.write("site.lb", SITE), self.write("other.lb", OTHER)
        self.folder.chmod(0o755)
        self.apply(self.site)
        self.before = table()
        self.addCleanup(lbc, "remove", "--only", "marks")
        self.addCleanup(self.end_supervisor)

    def apply(self, site: Path, *more: str, status: int = 0) -> subprocess.CompletedProcess:
        done = lbc("apply", site, *MARKS, *more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def change(self, within: str = "600s") -> int:
        """A change that waits for an answer; the process that waits."""
        self.apply(self.other, "--confirm-within", within)
        self.assertNotEqual(table(), self.before)
        (pid,) = processes(os.path.realpath(LBC))
        return pid

    @staticmethod
    def end_supervisor() -> None:
        for pid in processes(os.path.realpath(LBC)):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGTERM)
        wait_for("the end of what waits", lambda: not processes(os.path.realpath(LBC)))
