#!/usr/bin/python3
"""Measures what a packet pays on its way through the rules of N services, by ways to arrange them, in nanoseconds over
what it pays without rules. Prints a part of docs/benchmarks.md, and draws it.

path.py LBC PATH_PACKETS [--quick] [--plot FILE]: needs root, iptables-legacy, ipset and nft. Each way has two network
namespaces, with a veth pair between them. Packets are SYNs to an address of the receiving one, where the policy of
INPUT drops them, so a packet's way is the sender's, PREROUTING and the route. Ways take turns round by round. Before
the clock runs, every way must mark as the site says, or the run fails.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import statistics
import struct
import sys
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import plot
from common import (FIRST_PORT, FIRST_VIP, PEER, Namespace, aims, middle_ratio, need, ratios, run, scratch,
                    service, services, steadiness, stop, table, write_nft_map, write_site)

LAYOUTS = ("linear", "tree", "ipset")  # of lbc
NO_RULES, EMPTY = "no rules", "empty table"
CLASSIC, IPSET, NFT = "by hand", "ipset", "nft map"
LBC_NFT = "lbc nft"
METHODS = (NO_RULES, EMPTY, CLASSIC, *(f"lbc {layout}" for layout in LAYOUTS), LBC_NFT, IPSET, NFT)
EVERY_RULE = (CLASSIC, "lbc linear")  # a packet walks all rules
EVERY_RULE_UP_TO = 10000  # services: a packet takes a twentieth of a millisecond there
HOT, RANDOM, OUTSIDE, FROM_PEER = "hot", "random", "outside", "peer"
KINDS = {HOT: "Every packet for one service, the last one", RANDOM: "Each packet for a service at random",
         OUTSIDE: "A destination outside of every VIP", FROM_PEER: "From the peer's MAC, for a service at random"}
CLIENT, RECEIVER = "02:bb:00:00:00:01", "02:aa:00:00:00:01"
ELSEWHERE = IPv4Address("10.100.0.1")  # local, as VIPs are, and none
BATCH = 64  # packets, of path_packets
CHECKED = 256  # services, or all where there are fewer
RECORDER = """
table ip record {
    set seen { typeof ip saddr . meta mark; size 65536; flags dynamic; }
    chain behind {
        type filter hook prerouting priority -140; policy accept;
        ip saddr 10.192.0.0/10 update @seen { ip saddr . meta mark }
    }
}
"""


@dataclass
class Lane:
    """One way, loaded in a receiving namespace of its own, and the namespace that sends to it."""
    method: str
    receiver: Namespace
    sender: Namespace
    times: dict[str, list[float]] = field(default_factory=dict)

    def close(self) -> None:
        self.sender.close()
        self.receiver.close()


def new_lane(method: str) -> Lane:
    lane = Lane(method, Namespace(), Namespace())
    with lane.sender:
        run("ip", "link", "add", "out", "type", "veth", "peer", "name", "in", "address", RECEIVER, "netns",
            lane.receiver.path)
        run("ip", "link", "set", "out", "up")
    with lane.receiver:
        for name in ("net/ipv6/conf/all/disable_ipv6", "net/ipv4/conf/all/rp_filter", "net/ipv4/conf/in/rp_filter"):
            Path("/proc/sys", name).write_text("1" if "ipv6" in name else "0", encoding="ascii")
        run("ip", "link", "set", "lo", "up")
        run("ip", "address", "add", f"{FIRST_VIP + 1}/10", "dev", "lo")
        run("ip", "link", "set", "in", "up")
        run("iptables-legacy", "-P", "INPUT", "DROP")
    return lane


def restore(*rules: str) -> None:
    run("iptables-legacy-restore", text="\n".join(["*mangle", *rules, "COMMIT", ""]))


def by_hand(count: int) -> None:
    restore(*(f"-A PREROUTING -d {vip} -p tcp --dport {port} -m mac ! --mac-source {PEER} -j MARK --set-mark {mark}"
              for vip, port, mark in services(count)))


def by_ipset(count: int) -> None:
    lines = [f"create marks hash:ip,port skbinfo maxelem {max(count, 65536)}"]
    lines += [f"add marks {vip},6:{port} skbmark {mark:#x}" for vip, port, mark in services(count)]
    run("ipset", "restore", text="\n".join(lines) + "\n")
    restore(f"-A PREROUTING -m mac --mac-source {PEER} -j RETURN",
            "-A PREROUTING -j SET --map-set marks dst,dst --map-mark")


def load(lane: Lane, count: int, lbc: str, folder: Path) -> None:
    with lane.receiver:
        if lane.method == EMPTY:
            run("iptables-legacy", "-t", "mangle", "-S")
        elif lane.method == CLASSIC:
            by_hand(count)
        elif lane.method == IPSET:
            by_ipset(count)
        elif lane.method == NFT:
            write_nft_map(folder / "map.nft", count)
            run("nft", "-f", str(folder / "map.nft"))
        elif lane.method != NO_RULES:
            way = ["nft"] if lane.method == LBC_NFT else ["iptables", "--layout", lane.method.removeprefix("lbc ")]
            run(lbc, "apply", str(folder / "site.lb"), "-d", "lb1", "--only", "marks", "--backend", *way)


def frame(mac: str, source: IPv4Address, to: IPv4Address, port: int, protocol: int = 6) -> bytes:
    def address(text: str) -> bytes:
        return bytes.fromhex(text.replace(":", ""))

    body = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 5 << 4, 2, 1024, 0, 0)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0) + source.packed + to.packed
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + head[12:]
    return address(RECEIVER) + address(mac) + b"\x08\x00" + head + body


def packets_to_check(count: int, marking: bool) -> list[tuple[str, bytes, IPv4Address, int]]:
    """What each is, the packet, its source address, and the mark that it must get."""
    spread = sorted({round(i * (count - 1) / (CHECKED - 1)) for i in range(CHECKED)})
    chosen = []
    for vip, port, mark in map(service, spread):
        chosen += [(f"{vip}:{port}", CLIENT, vip, port, 6, mark if marking else 0),
                   (f"{vip}:{port} from the peer", PEER, vip, port, 6, 0),
                   (f"{vip}:{port} by UDP", CLIENT, vip, port, 17, 0),
                   (f"{vip}:{port + 1}, no service", CLIENT, vip, port + 1, 6, 0)]
    for address in (ELSEWHERE, ELSEWHERE + 255, FIRST_VIP + count, FIRST_VIP + 2 ** 17):
        chosen += [(f"{address} from {mac}, no VIP", mac, address, FIRST_PORT, 6, 0) for mac in (CLIENT, PEER)]
    packets = []
    for number, (name, mac, to, port, protocol, mark) in enumerate(chosen):
        source = IPv4Address("10.192.1.0") + number
        packets.append((name, frame(mac, source, to, port, protocol), source, mark))
    return packets


def check(lane: Lane, count: int) -> int:
    """Ends the run where the way gives a packet another mark than the site does; else the number of packets."""
    packets = packets_to_check(count, lane.method not in (NO_RULES, EMPTY))
    with lane.receiver:
        run("nft", "-f", "-", text=RECORDER)
    with lane.sender, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("out", 0))
        for _, data, _, _ in packets:
            sock.send(data)
    with lane.receiver:
        listed = json.loads(run("nft", "-j", "list", "set", "ip", "record", "seen"))["nftables"]
        run("nft", "delete", "table", "ip", "record")
    seen: dict[str, list[int]] = {}
    for element in (one for item in listed for one in item.get("set", {}).get("elem", [])):
        source, mark = element["elem"]["val"]["concat"] if "elem" in element else element["concat"]
        seen.setdefault(source, []).append(mark)
    wrong = [f"{name}: marks {seen.get(str(source), 'unseen')}, not {mark}" for name, _, source, mark in packets
             if seen.get(str(source)) != [mark]]
    if wrong:
        stop(f"{lane.method} with {count} services marks {len(wrong)} packets wrongly:\n  " + "\n  ".join(wrong[:8]))
    return len(packets)


def received(lane: Lane) -> int:
    with lane.receiver:
        heads, values = Path("/proc/thread-self/net/snmp").read_text(encoding="ascii").splitlines()[:2]
        return int(values.split()[heads.split().index("InReceives")])


def send(lane: Lane, program: str, kind: str, count: int, batches: tuple[int, int]) -> float:
    """Nanoseconds a packet."""
    first, port, number = FIRST_VIP, FIRST_PORT, count
    if kind == HOT:
        first, port, number = first + count - 1, port + count - 1, 1
    elif kind == OUTSIDE:
        first, number = ELSEWHERE, 256
    command = [program, "out", str(max(os.sched_getaffinity(0))), PEER if kind == FROM_PEER else CLIENT, RECEIVER,
               str(first), str(port), str(number), *map(str, batches)]
    for _ in range(5):
        before = received(lane)
        with lane.sender:
            ns, sent = run(*command).split()
        if received(lane) - before == int(sent):
            return float(ns)
    stop(f"{lane.method}: packets get lost on their way, so their times mean nothing")
    return math.nan


class Bench:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.lbc, self.packets, self.folder = os.path.abspath(arguments.lbc), os.path.abspath(arguments.packets), folder
        self.rounds = 5 if arguments.quick else 15
        self.counts = (10, 1000, 10000) if arguments.quick else (10, 100, 1000, 10000, 50000)
        self.nanoseconds = (10 if arguments.quick else 40) * 1_000_000
        self.checked = 0
        self.lanes: dict[int, dict[str, Lane]] = {}

    def batches(self, method: str, count: int) -> tuple[int, int]:
        """As many as take the time of a turn, by what a packet costs roughly, never fewer than mean something; and
        before them as many as fill the caches with what is walked."""
        if method in EVERY_RULE:
            timed = max(24, round(self.nanoseconds / BATCH / (800 + 5 * count)))
            return timed // 4, timed
        timed = round(self.nanoseconds / BATCH / 800)
        return max(timed // 4, 2 * count // BATCH), timed

    def prepare(self, count: int) -> None:
        write_site(self.folder / "site.lb", count, ("10.0.0.1", "10.0.0.2"))
        methods = [method for method in METHODS if count <= EVERY_RULE_UP_TO or method not in EVERY_RULE]
        lanes = self.lanes[count] = {method: new_lane(method) for method in methods}
        for lane in lanes.values():
            load(lane, count, self.lbc, self.folder)
            self.checked += check(lane, count)

    def measure(self) -> None:
        for turn in range(self.rounds):
            print(f"round {turn + 1} of {self.rounds}", file=sys.stderr)
            for count, lanes in self.lanes.items():
                methods = list(lanes)
                for kind in KINDS:
                    for method in methods[turn % len(methods):] + methods[:turn % len(methods)]:
                        ns = send(lanes[method], self.packets, kind, count, self.batches(method, count))
                        lanes[method].times.setdefault(kind, []).append(ns)
        for lane in (lane for lanes in self.lanes.values() for lane in lanes.values()):
            lane.close()

    def times(self, count: int, method: str, kind: str) -> list[float]:
        return self.lanes[count][method].times[kind]

    def over(self, count: int, method: str, kind: str, base: str = NO_RULES) -> float:
        """Nanoseconds: differences are parts of what no rules cost in their round, of which the least counts."""
        nothing = self.times(count, NO_RULES, kind)
        times = zip(self.times(count, method, kind), self.times(count, base, kind), nothing)
        return min(nothing) * statistics.median((above - below) / whole for above, below, whole in times)

    def ratio(self, count: int, method: str, kind: str) -> float:
        return middle_ratio(self.times(count, method, kind), self.times(count, NO_RULES, kind))

    def rows(self, kind: str) -> list[list[str]]:
        rows = []
        for count, lanes in self.lanes.items():
            cells = [f"{count:,}", f"{min(self.times(count, NO_RULES, kind)):.0f}"]
            for method in METHODS[1:]:
                cells.append(f"{self.over(count, method, kind):+,.0f} ×{self.ratio(count, method, kind):.2f}"
                             if method in lanes else "–")
            rows.append(cells)
        return rows

    def aims(self) -> list[tuple[str, str, bool]]:
        rows = []
        for method in (f"lbc {layout}" for layout in LAYOUTS if f"lbc {layout}" not in EVERY_RULE):
            for kind, most in ((HOT, 1.25), (RANDOM, 1.40)):
                ratio = self.ratio(10000, method, kind)
                rows.append((f"{method}, 10,000 services, {kind}: at most {most:.2f} times no rules", f"{ratio:.2f}",
                             ratio <= most))
            more = self.over(10000, method, OUTSIDE, EMPTY)
            rows.append((f"{method}, 10,000 services, outside of every VIP: at most 10 ns over an empty table",
                         f"{round(more):+} ns", more <= 10))
        return rows

    def draw(self) -> str:
        lines = {method: [(count, self.over(count, method, RANDOM)) for count in self.lanes
                          if method in self.lanes[count]] for method in METHODS[1:]}
        return plot.log_log("Cost of a packet, each for a service at random", "number of services", "ns over no rules",
                            lines)

    def page(self, name: str) -> str:
        steady = steadiness(ratios(self.times(count, method, kind), self.times(count, NO_RULES, kind))
                            for count, lanes in self.lanes.items() for method in lanes for kind in KINDS
                            if method != NO_RULES)
        text = f"""
## Packets

Made by `./dev bench`, too. What a packet pays on its way, in nanoseconds: a 60-byte SYN goes from one network namespace
to another by a veth pair, all of it on one CPU, through PREROUTING and to a local address, where a policy drops it.
"No rules" is all of that with no table at all, the least of {self.rounds} rounds, in which ways take turns. The others
are what they cost over it, and behind × the ratio of the whole, which is the median of the ratios within a round. What
they cost over it is that ratio's part of the least time, so a slow moment does not stretch it. Each time is the median
of batches of {BATCH} packets. One VIP, one port and one mark for each service, and one peer.
{steady}

- `empty table`: the mangle table, with no rule in it.
- `by hand`: `-d VIP -p tcp --dport PORT -m mac ! --mac-source PEER -j MARK` in PREROUTING, for each service.
- {", ".join(f"`lbc {layout}`" for layout in LAYOUTS)}: what `lbc apply --only marks` loads by this `--layout` of iptables.
- `{LBC_NFT}`: what it loads by `--backend nft`.
- `ipset`: a `hash:ip,port` with each service's mark, and a rule with `SET --map-set` behind one for the peer's MAC.
- `nft map`: a map of `ip daddr . tcp dport`, behind a rule for the peer's MAC.

{self.checked:,} packets had the mark that the site gives them, or none, in every way and with every number of services:
of {CHECKED} services spread over all, from clients and from the peer, by UDP, to other ports, and to what is no VIP.
"""
        if max(self.counts) > EVERY_RULE_UP_TO:
            text += f"Where a packet walks all rules, more than {EVERY_RULE_UP_TO:,} services are left out.\n"
        if name:
            text += f"\n![Cost of a packet against the number of services]({name})\n"
        for kind, title in KINDS.items():
            text += f"\n### {title}\n\n{table(['services', *METHODS], self.rows(kind))}"
        return text + "\n### Aims of packets\n\n" + aims(self.aims())


def main() -> None:
    parser = argparse.ArgumentParser(description="what a packet pays on its way through the rules of N services")
    parser.add_argument("lbc")
    parser.add_argument("packets", help="the program of path_packets.cpp")
    parser.add_argument("--quick", action="store_true", help="fewer services and rounds, in less than a minute")
    parser.add_argument("--plot", metavar="FILE", help="where to draw what a packet costs, as SVG")
    arguments = parser.parse_args()
    need("ip", "iptables-legacy", "iptables-legacy-restore", "ipset", "nft")
    with scratch() as folder:
        bench = Bench(arguments, Path(folder))
        for count in bench.counts:
            bench.prepare(count)
        bench.measure()
    if arguments.plot:
        Path(arguments.plot).write_text(bench.draw(), encoding="utf-8")
    print(bench.page(Path(arguments.plot).name if arguments.plot else ""), end="")


if __name__ == "__main__":
    main()
