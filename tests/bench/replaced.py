#!/usr/bin/python3
"""Counts packets that are without a mark while the rules of 10,000 services are replaced, by ways to do it. Prints a
part of docs/benchmarks.md.

replaced.py LBC PATH_PACKETS [--quick]: needs root, iptables-legacy, ipset and nft. Each way has two network namespaces,
with a veth pair between them, as in path.py. Packets are for services at random, each of which is in the rules before
and behind every replacement, so none may be without a mark.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from common import FIRST_PORT, FIRST_VIP, aims, need, run, scratch, stop, table, write_nft_map, write_site
from path import CLIENT, RECEIVER, Lane, new_lane

SERVICES = 10000
COUNTER = """
table ip watch {
    counter seen { }
    counter unmarked { }
    chain behind {
        type filter hook prerouting priority -140; policy accept;
        ip saddr 10.192.0.0/10 counter name seen
        ip saddr 10.192.0.0/10 meta mark 0 counter name unmarked
    }
}
"""
ENDLESS = 1 << 31  # batches: the sender is ended when the replacements are done
BY_LBC = {"`lbc apply --layout tree`": ["--backend", "iptables", "--layout", "tree"],
          "`lbc apply --layout ipset`": ["--backend", "iptables", "--layout", "ipset"],
          "`lbc apply --backend nft`": ["--backend", "nft"]}
RESTORE, FLUSH, ANEW = ("`iptables-legacy-restore` of the whole table", "`iptables-legacy -F`, then `-restore`",
                        "`nft -f`: the table deleted and made anew in one transaction")


class Replaced:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.lbc, self.packets, self.folder = os.path.abspath(arguments.lbc), os.path.abspath(arguments.packets), folder
        self.times = 6 if arguments.quick else 20
        self.sites = [folder / "one.lb", folder / "two.lb"]
        for more, path in enumerate(self.sites):
            write_site(path, SERVICES + more, ("10.0.0.1", "10.0.0.2"))
            write_nft_map(folder / f"{more}.nft", SERVICES + more)
            text = run(self.lbc, "compile", str(path), "-d", "lb1", "--emit", "iptables", "--layout", "tree")
            (folder / f"{more}.rules").write_text(text, encoding="utf-8")
            anew = folder / f"{more}.anew"
            anew.write_text("table ip lbc\ndelete table ip lbc\n" + (folder / f"{more}.nft").read_text(encoding="utf-8"),
                            encoding="utf-8")

    def apply(self, options: list[str]) -> Callable[[int], None]:
        return lambda turn: run(self.lbc, "apply", str(self.sites[turn]), "-d", "lb1", "--only", "marks", *options)

    def restore(self, turn: int) -> None:
        run("iptables-legacy-restore", "--noflush", str(self.folder / f"{turn}.rules"))

    def flush(self, turn: int) -> None:
        run("iptables-legacy", "-t", "mangle", "-F")
        self.restore(turn)

    def anew(self, turn: int) -> None:
        run("nft", "-f", str(self.folder / f"{turn}.anew"))

    def ways(self) -> dict[str, Callable[[int], None]]:
        by_lbc = {name: self.apply(options) for name, options in BY_LBC.items()}
        return by_lbc | {RESTORE: self.restore, FLUSH: self.flush, ANEW: self.anew}

    def counted(self, lane: Lane) -> tuple[int, int]:
        with lane.receiver:
            listed = json.loads(run("nft", "-j", "list", "counters", "table", "ip", "watch"))["nftables"]
        counters = {item["counter"]["name"]: item["counter"]["packets"] for item in listed if "counter" in item}
        return counters["seen"], counters["unmarked"]

    def count(self, name: str, load: Callable[[int], None]) -> list[str]:
        print(name, file=sys.stderr)
        lane = new_lane(name)
        with lane.receiver:
            load(0)
            run("nft", "-f", "-", text=COUNTER)
        command = [self.packets, "out", str(max(os.sched_getaffinity(0))), CLIENT, RECEIVER, str(FIRST_VIP),
                   str(FIRST_PORT), str(SERVICES), "0", str(ENDLESS)]
        with lane.sender:
            sender = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            turns = itertools.islice(itertools.cycle((1, 0)), self.times)
            with lane.receiver:
                for turn in turns:
                    load(turn)
            if sender.poll() is not None:
                stop(f"the sender of packets ended with {sender.returncode}")
        finally:
            sender.kill()
            sender.wait()
        packets, unmarked = self.counted(lane)
        lane.close()
        if packets == 0:
            stop(f"{name}: no packet came through")
        return [name, str(self.times), f"{packets:,}", f"{unmarked:,}"]

    def page(self) -> str:
        rows = [self.count(name, load) for name, load in self.ways().items()]
        aim = [(f"{name}: no packet of a service without a mark", row[3], row[3] == "0")
               for name, row in zip(BY_LBC, rows)]
        return f"""
## Replacements under load

Made by `./dev bench`, too. One CPU sends SYNs for {SERVICES:,} services at random, while the rules of these and those of
one service more take each other's place; every packet is of a service that both have. What is without a mark behind
PREROUTING is counted by nftables.

{table(["way", "replacements", "packets", "without a mark"], rows)}
### Aims of replacements

{aims(aim)}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="packets without a mark while rules are replaced")
    parser.add_argument("lbc")
    parser.add_argument("packets", help="the program of path_packets.cpp")
    parser.add_argument("--quick", action="store_true", help="fewer replacements")
    arguments = parser.parse_args()
    need("ip", "iptables-legacy", "iptables-legacy-restore", "ipset", "nft")
    with scratch() as folder:
        print(Replaced(arguments, Path(folder)).page(), end="")


if __name__ == "__main__":
    main()
