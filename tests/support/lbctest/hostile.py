"""What the hostile tests share: lbc, run with bounds, a site, and a folder that goes with the test."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from lbctest.project import SKIPPED

LBC = os.environ["LBC"]

DIRECTORS = """director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1; interface eth0 }
director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2; interface eth0 }
"""
SERVICE = "service web { vip 192.0.2.10; port tcp 80; real lb1; real lb2 }\n"
SITE = DIRECTORS + SERVICE


def run(*words: str | Path, text: str | bytes | None = None, cpu: int = 60, memory: int | None = None,
        seconds: int = 240, **more) -> subprocess.CompletedProcess:
    """lbc, run to its end. `cpu` is a limit in seconds of processor time, `memory` one in bytes of address space: a run
    that passes them is killed, or told so by the system. `seconds` is there against a hang alone."""
    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    if isinstance(text, str):
        text = text.encode()
    if text is None:
        more.setdefault("stdin", subprocess.DEVNULL)
    else:
        more["input"] = text
    return subprocess.run([LBC, *map(str, words)], capture_output=True, timeout=seconds, preexec_fn=bound, check=False,
                          **more)


def is_sanitized() -> bool:
    """A sanitizer takes terabytes of addresses, so that no bound of memory can be set."""
    return b"__asan_init" in Path(LBC).read_bytes()


def is_root() -> bool:
    return os.geteuid() == 0


class Case(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="lbc-hostile-")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def assertStatus(self, done: subprocess.CompletedProcess, status: int) -> None:  # noqa: N802
        self.assertEqual(done.returncode, status, done.stdout[-2000:].decode(errors="replace") +
                         done.stderr[-2000:].decode(errors="replace"))


def main() -> None:
    """A run in which everything was skipped is a skipped test."""
    result = unittest.main(exit=False, verbosity=2).result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.testsRun == len(result.skipped) else 0)
