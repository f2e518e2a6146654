"""A director's box for keepalived: a namespace with its interfaces and addresses, and files of the test's own."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "kernel"))
import net  # noqa: E402

LBC = os.path.abspath(os.environ.get("LBC", "lbc"))
SCRATCH = Path(tempfile.mkdtemp(prefix="lbc-keepalived-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
_interfaces: set[str] = set()


def enter() -> None:
    net.enter()
    if not shutil.which("keepalived"):
        net.skip("no keepalived")
    net.run("ip", "link", "set", "lo", "up")


def add_interface(name: str) -> None:
    if name in _interfaces:
        return
    _interfaces.add(name)
    net.run("ip", "link", "add", name, "type", "veth", "peer", "name", f"p{len(_interfaces)}")
    for end in (name, f"p{len(_interfaces)}"):
        net.run("ip", "link", "set", end, "up")


def prepare(site: dict) -> None:
    """Adds the interfaces that a site's VRRP and sync speak of."""
    for vrrp in site["vrrp"]:
        for name in [vrrp["interface"], *vrrp.get("track_interfaces", []),
                     *(vip["device"] for vip in vrrp["vips"] if "device" in vip)]:
            add_interface(name)
    if site.get("sync"):
        add_interface(site["sync"]["interface"])


def lbc(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([LBC, *arguments], capture_output=True, text=True, timeout=60)


def compiled(path: str, *arguments: str) -> str:
    done = lbc("compile", path, *arguments)
    if done.returncode != 0:
        raise AssertionError(f"lbc compile {path} {' '.join(arguments)}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def site_of(path: str) -> dict:
    return json.loads(compiled(path, "--emit", "json"))["site"]


def tested(text: str, config_id: str) -> str:
    """What `keepalived -t` says of a configuration: nothing, where it takes all of it."""
    path = SCRATCH / "keepalived.conf"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(["keepalived", "-t", "-f", str(path), "-i", config_id], capture_output=True, text=True,
                          timeout=60)
    said = (done.stdout + done.stderr).strip()
    return said if done.returncode == 0 else f"status {done.returncode}: {said}"
