"""Where the project lies, the command under test, a folder for a test's files, and how a test says that it cannot run
here."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[3]
LBC = os.environ.get("LBC", "lbc")
# What marks packets for `lbc apply` in tests that are about either: iptables (the legacy tables) or nft.
BACKEND = os.environ.get("LBC_TEST_BACKEND", "iptables")
SKIPPED = 77  # the status of a skipped test


def scratch(name: str) -> Path:
    """A folder that goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix=f"lbc-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def compiled(site: str | Path, *arguments: str) -> str:
    """What `lbc compile` prints."""
    done = subprocess.run([LBC, "compile", site, *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"lbc compile {site} {' '.join(arguments)}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def skip(reason: str) -> NoReturn:
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)
