"""A real server and its neighbour, each in a network namespace of its own, all that can be seen of the server, and the
scripts that lbc makes for it."""

import functools
import os
import shutil
import time
from pathlib import Path

from lbctest.hosts import Host
from lbctest.project import ROOT, compiled, scratch, skip

HERE = ROOT / "tests" / "realserver"
SCRATCH = scratch("realserver")
SCRATCH.chmod(0o755)
# Addresses that others have on lo: nothing of the site's.
FOREIGN = ("addr add 203.0.113.7/32 dev lo", "addr add 203.0.113.8/32 dev lo label lo:8", "addr add fd77::7/128 dev lo")


def need(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if os.geteuid() != 0 or missing:
        skip(f"missing here: {' '.join(missing)}" if missing else "not root")
    try:
        Host("probe", 1)
    except OSError as error:
        skip(f"no network namespace: {error}")


@functools.cache
def script_of(name) -> Path:
    path = SCRATCH / f"{Path(name).stem}.sh"
    path.write_text(compiled(HERE / name, "--emit", "realserver"))
    return path


class Box:
    """A host of the site by its number, on one wire with another machine."""

    def __init__(self, number=1, foreign=True):
        self.host, self.peer = Host("host", number), Host("peer", 99)
        self.state = SCRATCH / "record"
        self.state.unlink(missing_ok=True)
        for host in (self.host, self.peer):
            host.sysctl("ipv6/conf/default/accept_dad", 0)
            host.ip("link set lo up")
        self.host.ip(f"link add eth0 address {self.host.mac} type veth peer name eth0 address {self.peer.mac} "
                     f"netns /proc/{os.getpid()}/fd/{self.peer.namespace}")
        for host in (self.host, self.peer):
            host.ip("link set eth0 up", f"addr add {host.address}/24 dev eth0", f"addr add {host.address6}/64 dev eth0")
        for host in (self.host, self.peer):
            while not self.is_settled(host):
                time.sleep(0.02)
        if foreign:
            self.host.ip(*FOREIGN)
            while not self.is_settled(self.host):
                time.sleep(0.02)

    @staticmethod
    def is_settled(host):
        """What the kernel adds by itself when a link comes up is there."""
        about = host.run("ip", "address", "show", "dev", "eth0").stdout
        addresses = host.run("ip", "-6", "-o", "address").stdout.splitlines()
        routes = host.run("ip", "-6", "route", "show", "table", "local").stdout
        # It makes an address's route a little later than the address.
        return ("state UP" in about and "fe80::" in about and "tentative" not in about and
                all(f"local {line.split()[3].split('/')[0]} dev" in routes for line in addresses))

    def run(self, script, *arguments, shell=("dash",), before=(), **env):
        words = [*before, "env", f"LBC_STATE={self.state}", *(f"{k}={v}" for k, v in env.items()), *shell, str(script)]
        return self.host.run(*words, *arguments, check=False)

    def see(self, *words):
        return self.host.run(*words).stdout

    def seen(self):
        """Everything that a run of the script could change."""
        return [line.replace(" tentative", "").strip() for words in (
            ("ip", "-o", "-d", "address"), ("ip", "-o", "-d", "link"), ("ip", "-4", "route", "show", "table", "all"),
            ("ip", "-6", "route", "show", "table", "all"),
            ("grep", "-r", ".", *(f"/proc/sys/net/ipv4/conf/{name}" for name in ("all", "lo", "eth0"))),
        ) for line in self.see(*words).splitlines()]

    def sysctl(self, name, interface="all"):
        return int(self.see("cat", f"/proc/sys/net/ipv4/conf/{interface}/{name}"))

    def addresses(self, device="lo"):
        return {line.split()[3] for line in self.see("ip", "-o", "address", "show", "dev", device).splitlines()}

    def local_routes(self):
        text = self.see("ip", "-4", "route", "show", "table", "local") + self.see("ip", "-6", "route", "show", "table", "local")
        return {line.split()[1] for line in text.splitlines() if "/" in line.split()[1] and line.startswith("local")}


def ip_program(name, text):
    """A program in place of `ip`. Its words that change something have `write` set to yes."""
    path = SCRATCH / name
    path.write_text("#!/bin/sh\nwrite=no\nfor word; do case $word in add | delete | del | set) write=yes ;; esac; done\n"
                    f"{text}\nexec ip \"$@\"\n")
    path.chmod(0o755)
    return path
