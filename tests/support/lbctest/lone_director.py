"""A director alone in the guest, with things of others on it, and two sites that it may have: for what goes wrong on the
way."""

from __future__ import annotations

import re

from lbctest.hosts import Host
from lbctest.namespaces import Inside
from lbctest.nft_listing import ordered
from lbctest.project import BACKEND

DIRECTORS = ("director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1 }\n"
             "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2 }\n")
OLD = DIRECTORS + ("service a { vip 10.9.0.1, fd09::1; port tcp 80; mark 0x11; scheduler rr; real 10.0.0.1; real 10.0.0.2\n"
                   "real fd00::1 }\n"
                   "service b { vip 10.9.0.2; port tcp 80; mark 0x12; scheduler rr; real 10.0.0.1 }\n")
NEW = DIRECTORS + ("service a { vip 10.9.0.1, fd09::1; port tcp 80; mark 0x11; scheduler wlc; real 10.0.0.2 weight 4\n"
                   "real fd00::2 }\n"
                   "service c { vip 10.9.0.3, fd09::3; port tcp 80; mark 0x13; scheduler rr; real 10.0.0.1; real fd00::1 }\n")
FOREIGN = "-A -t 10.9.9.9:80 -s rr\n-a -t 10.9.9.9:80 -r 10.0.0.9:80 -g -w 5\n-A -f 77 -s rr\n"
BY_NFT = BACKEND == "nft"
# The leak sanitizer traces, as strace does, and one process has one tracer. libnftables has a process of its own,
# whose calls are not lbc's.
STRACE = ("env", "ASAN_OPTIONS=detect_leaks=0", "strace", *([] if BY_NFT else ["-f"]), "-qq")
# A table, or a set of nftables, put in place, as strace shows it, and the call that does so.
TABLE = r"nlmsg_type=(0x10 |NFNL_MSG_BATCH_BEGIN)" if BY_NFT else r"IP6?T_SO_SET_REPLACE|SOL_IPV?6?, 0x40,"
TABLE_CALL = "sendto" if BY_NFT else "setsockopt"


def bare_director() -> Host:
    host = Host("lb1", 1)
    host.ip("link set lo up", "link add eth0 type dummy", "link set eth0 up", "addr add 10.0.0.1/24 dev eth0",
            "addr add fd00::1/64 dev eth0 nodad")
    return host


def director() -> Host:
    """With services and foreign rules."""
    host = bare_director()
    host.run("ipvsadm", "-R", text=FOREIGN)
    host.run("iptables-legacy", "-t", "mangle", "-A", "PREROUTING", "-i", "theirs", "-j", "MARK", "--set-mark", "9")
    return host


def services(host: Host) -> dict[str, list[str]]:
    """Lines of `ipvsadm -Sn` by service."""
    found: dict[str, list[str]] = {}
    for line in host.run("ipvsadm", "-Sn").stdout.splitlines():
        found.setdefault(re.search(r"-[ft] \S+(?: -6)?", line)[0], []).append(line.strip())
    return {key: sorted(lines) for key, lines in found.items()}


def rules(host: Host, program: str) -> list[str]:
    lines = host.run(f"{program}-legacy-save", "-t", "mangle").stdout.splitlines()
    return [re.sub(r"\[\d+:\d+\]", "", line) for line in lines if not line.startswith("#")]


def nft_rules(host: Host) -> list[str]:
    return ordered(host.run("nft", "-j", "list", "ruleset").stdout)


def daemons(host: Host) -> list[str]:
    """The sync daemons and `backup_only`."""
    with Inside(host.namespace), open("/proc/sys/net/ipv4/vs/backup_only", encoding="ascii") as file:
        return [*host.run("ipvsadm", "-Ln", "--daemon").stdout.splitlines(), file.read()]


def state(host: Host) -> tuple:
    return services(host), rules(host, "iptables") + nft_rules(host), rules(host, "ip6tables")
