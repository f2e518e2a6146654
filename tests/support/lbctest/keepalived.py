"""A director's box for keepalived: a namespace with the interfaces of a site, files of the test's own, and what
`keepalived -t` says of a configuration."""

from __future__ import annotations

import json
import shutil
import subprocess

from lbctest import net
from lbctest.project import LBC, compiled, scratch

SCRATCH = scratch("keepalived")
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
