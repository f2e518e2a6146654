"""What the tests of `lbc fmt` share: running the command, and what a site means, without the places of its statements."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
LBC = os.path.abspath(sys.argv.pop(1))


def lbc(*arguments: str | Path, text: bytes | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([LBC, *arguments], input=text, capture_output=True, timeout=60, check=False)


def fmt(path: Path) -> bytes:
    done = lbc("fmt", path)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"lbc fmt {path}: status {done.returncode}\n{done.stderr.decode()}")
    return done.stdout


def messages(path: Path, command: str = "check") -> list[dict]:
    done = lbc(command, "--message-format", "json", path)
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith(b"{")]


def without(value: object, keys: set[str]) -> object:
    if isinstance(value, dict):
        return {key: without(inner, keys) for key, inner in value.items() if key not in keys}
    return [without(inner, keys) for inner in value] if isinstance(value, list) else value


def meaning(site: Path, *, pinned: bool = False) -> dict[str, object]:
    """What is compiled from a site, by kind, and the messages; `pinned` leaves out whether marks were allocated."""
    places = {"line", "column", "end_line", "end_column"} | ({"allocated"} if pinned else set())
    made = {kind: lbc("compile", site, "--emit", kind) for kind in ("sh", "keepalived", "realserver", "json")}
    texts: dict[str, object] = {kind: (done.returncode, done.stdout) for kind, done in made.items()}
    if made["json"].returncode == 0:
        texts["json"] = without(json.loads(made["json"].stdout), places)
    said = [m for m in messages(site) if not (pinned and m["id"] == "mark-collision")]
    return {**texts, "messages": [(m["id"], m["message"], m["file"]) for m in said]}


def copies(folder: Path) -> list[Path]:
    """The project's site files, in the folders that they stand in, below another folder; of the many pairs of almost
    the same site that `lbc diff` is tested with, none."""
    found = []
    for path in sorted([*ROOT.glob("examples/**/*.lb"), *ROOT.glob("tests/**/*.lb")]):
        if path.is_relative_to(ROOT / "tests/diff"):
            continue
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        found.append(copy)
    return found


def example_sites(folder: Path) -> list[Path]:
    return sorted([*folder.glob("examples/*.lb"), *folder.glob("examples/*/site.lb")])


def read_all(paths: list[Path]) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in paths}
