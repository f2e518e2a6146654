#!/usr/bin/python3
"""Measures how lbc grows with the number of services, from the source to rules in the kernel, beside the tools that are
used for the same work, and beside what the kernel itself needs. Prints a part of docs/benchmarks.md.

scale.py LBC REPLACE_TABLE [--quick]: needs root, ferm, keepalived, nft and iptables-legacy. Methods take turns round by
round, each load in a network namespace of its own. All ways to load the same rules must leave the same rules.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from common import (PEER, Namespace, aims, digits, middle_ratio, need, ratios, run, scratch, service, services,
                    steadiness, stop, table, write_nft_map, write_site)

TABLES = ("linear", "tree")  # layouts of lbc that are rules alone
SETS = "ipset"
LAYOUTS = (*TABLES, SETS)
REALS = ("10.0.0.1", "10.0.0.2")
ROUNDS = {1000: 11, 10000: 9, 50000: 5}
QUICK = {1000: 3, 10000: 2}
TRIES = 2  # of a round, whose time is the lower one
PEERS_UP_TO = 10000  # services for ferm and keepalived
COMPILE, CHECK, COMPILE_REALS, CHECK_REALS = "compile", "check", "compile, directors", "check, directors"
FERM, KEEPALIVED, NFT_CHECK, RESTORE_TEST, FLOOR = "ferm", "keepalived", "nft -c", "restore --test", "true"
SOURCE = {COMPILE: "`lbc compile --emit iptables`", CHECK: "`lbc check`",
          COMPILE_REALS: "`lbc compile`, the directors are the real servers",
          CHECK_REALS: "`lbc check`, the directors are the real servers", FERM: "`ferm --noexec --lines`",
          KEEPALIVED: "`keepalived -t`", NFT_CHECK: "`nft -c -f` of a map",
          RESTORE_TEST: "`iptables-legacy-restore --test`, rules made beforehand",
          FLOOR: "`/bin/true`, what starting a process costs"}
APPLY, AGAIN, ONE_MORE, RESTORE, KERNEL, APPEND = "apply", "again", "one more", "restore", "kernel", "-A"
NFT, FERM_LOAD = "nft -f", "ferm, load"
BY_NFT = "by nft"  # in place of a layout
OTHERS = (NFT, FERM_LOAD)  # loads that no layout has a part in
LOAD = {APPLY: "`lbc apply --only marks`, into an empty table", AGAIN: "`lbc apply` again, nothing differs",
        ONE_MORE: "`lbc apply`, one service more", RESTORE: "`iptables-legacy-restore --noflush` of the same rules",
        KERNEL: "the kernel's own time for the same table", APPEND: "`iptables-legacy -A` of one more rule",
        NFT: "`nft -f` of a map", FERM_LOAD: "`ferm` of the same marks"}


@dataclass(frozen=True)
class Figure:
    ms: float
    mib: float


def write_ferm(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("domain ip table mangle {\nchain PREROUTING jump LBC;\nchain LBC {\ninterface lo RETURN;\n"
                   f"mod mac mac-source {PEER} RETURN;\n")
        for vip, port, mark in services(count):
            file.write(f"daddr {vip} proto tcp dport {port} MARK set-mark {mark};\n")
        file.write("}\n}\n")


def write_keepalived(path: Path, count: int) -> None:
    reals = "".join(f"real_server {real} 0 {{\nweight 1\n}}\n" for real in REALS)
    with path.open("w", encoding="utf-8") as file:
        for _, _, mark in services(count):
            file.write(f"virtual_server fwmark {mark} {{\nlb_algo wlc\nlb_kind DR\n{reals}}}\n")


def rules_of(path: Path) -> dict[str, int]:
    """A checksum of the rules of each chain, in their order."""
    chains: dict[str, int] = {}
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"-A "):
                chain = line.split(b" ", 2)[1].decode()
                chains[chain] = zlib.crc32(line, chains.get(chain, 0))
    return chains


class Scale:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.lbc, self.replace_table = os.path.abspath(arguments.lbc), os.path.abspath(arguments.replace_table)
        self.folder = folder
        self.rounds = QUICK if arguments.quick else ROUNDS
        self.figures: dict[tuple[int, str], list[Figure]] = {}
        self.turn: dict[tuple[int, str], Figure] = {}
        self.loaded: dict[tuple[int, str], dict[str, int]] = {}

    def file(self, name: str, count: int) -> str:
        return str(self.folder / f"{count}-{name}")

    def prepare(self, count: int) -> None:
        write_site(Path(self.file("site.lb", count)), count, REALS)
        write_site(Path(self.file("more.lb", count)), count + 1, REALS)
        write_site(Path(self.file("directors.lb", count)), count, ("lb1", "lb2"), guard=None)
        write_nft_map(Path(self.file("map.nft", count)), count)
        write_ferm(Path(self.file("site.ferm", count)), count)
        write_keepalived(Path(self.file("keepalived.conf", count)), count)
        for layout in LAYOUTS:
            run(*self.compiling(count), "--layout", layout, "-o", self.file(f"{layout}.rules", count))
        run(self.lbc, "compile", self.file("site.lb", count), "-d", "lb1", "--emit", "nft", "-o", self.file("site.nft", count))
        with open(self.file(f"{SETS}.rules", count), encoding="ascii") as rules:
            lines = [line.removeprefix("#ipset ") for line in rules if line.startswith("#ipset ")]
        Path(self.file("sets", count)).write_text("".join(lines), encoding="ascii")

    def compiling(self, count: int, site: str = "site.lb") -> list[str]:
        return [self.lbc, "compile", self.file(site, count), "-d", "lb1", "--emit", "iptables"]

    def applying(self, count: int, site: str, layout: str) -> list[str]:
        way = ["nft"] if layout == BY_NFT else ["iptables", "--layout", layout]
        return [self.lbc, "apply", self.file(site, count), "-d", "lb1", "--only", "marks", "--backend", *way]

    def sources(self, count: int) -> dict[str, list[str]]:
        methods = {COMPILE: self.compiling(count), CHECK: [self.lbc, "check", self.file("site.lb", count)]}
        if count <= PEERS_UP_TO:
            methods |= {COMPILE_REALS: self.compiling(count, "directors.lb"),
                        CHECK_REALS: [self.lbc, "check", self.file("directors.lb", count)],
                        FERM: ["ferm", "--noexec", "--lines", self.file("site.ferm", count)],
                        KEEPALIVED: ["keepalived", "-t", "-f", self.file("keepalived.conf", count)]}
        return methods | {NFT_CHECK: ["nft", "-c", "-f", self.file("map.nft", count)],
                          RESTORE_TEST: ["iptables-legacy-restore", "--test", self.file("linear.rules", count)],
                          FLOOR: ["/bin/true"]}

    def measure(self, argv: list[str], output: str = os.devnull) -> Figure:
        """The wall time of the whole process, and its memory at the most."""
        with open(output, "wb") as out, open(self.folder / "errors", "w+b") as errors:
            begin = time.perf_counter()
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            passed = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                errors.seek(0)
                said = errors.read(2000).decode(errors="replace").strip()
                stop(f"{' '.join(argv)} ended with {process.returncode}: {said}")
        return Figure(passed * 1000, usage.ru_maxrss / 1024)

    def note(self, count: int, method: str, figure: Figure) -> None:
        """Within a round, the lower time and the higher memory of the tries."""
        before = self.turn.get((count, method), figure)
        self.turn[count, method] = Figure(min(figure.ms, before.ms), max(figure.mib, before.mib))

    def note_kernel(self, count: int, layout: str) -> None:
        output = self.folder / "milliseconds"
        self.measure([self.replace_table, "5"], str(output))
        self.note(count, f"{KERNEL} {layout}", Figure(float(output.read_text(encoding="ascii")), 0))

    def keep_rules(self, count: int, way: str) -> None:
        if (count, way) not in self.loaded:
            saved = self.folder / "saved"
            self.measure(["iptables-legacy-save", "-t", "mangle"], str(saved))
            self.loaded[count, way] = rules_of(saved)

    def apply_lane(self, count: int, layout: str) -> None:
        self.note(count, f"{APPLY} {layout}", self.measure(self.applying(count, "site.lb", layout)))
        self.note(count, f"{AGAIN} {layout}", self.measure(self.applying(count, "site.lb", layout)))
        if layout != BY_NFT:
            self.keep_rules(count, f"{APPLY} {layout}")
        self.note(count, f"{ONE_MORE} {layout}", self.measure(self.applying(count, "more.lb", layout)))

    def restore_lane(self, count: int, layout: str) -> None:
        argv = ["iptables-legacy-restore", "--noflush", self.file(f"{layout}.rules", count)]
        if layout == SETS:
            argv = ["sh", "-c", 'ipset restore -exist <"$0" && exec "$@"', self.file("sets", count), *argv]
        self.note(count, f"{RESTORE} {layout}", self.measure(argv))
        self.keep_rules(count, f"{RESTORE} {layout}")
        if layout == SETS:
            return
        self.note_kernel(count, layout)
        vip, port, mark = service(count)
        rule = f"-d {vip} -p tcp --dport {port} -j MARK --set-mark {mark}"
        self.note(count, f"{APPEND} {layout}",
                  self.measure(["iptables-legacy", "-t", "mangle", "-A", "LBC", *rule.split()]))

    def nft_text_lane(self, count: int, layout: str) -> None:
        self.note(count, f"{RESTORE} {layout}", self.measure(["nft", "-f", self.file("site.nft", count)]))

    def nft_lane(self, count: int, _: str) -> None:
        self.note(count, NFT, self.measure(["nft", "-f", self.file("map.nft", count)]))

    def ferm_lane(self, count: int, _: str) -> None:
        if count <= PEERS_UP_TO:
            self.note(count, FERM_LOAD, self.measure(["ferm", self.file("site.ferm", count)]))

    def round(self, count: int, turn: int) -> None:
        self.turn = {}
        for _ in range(TRIES):
            self.measure_all(count, turn)
        for key, figure in self.turn.items():
            self.figures.setdefault(key, []).append(figure)

    def measure_all(self, count: int, turn: int) -> None:
        methods = list(self.sources(count).items())
        with Namespace() as namespace:
            for method, argv in methods[turn % len(methods):] + methods[:turn % len(methods)]:
                self.note(count, method, self.measure(argv))
        namespace.close()
        lanes = [(lane, layout) for layout in LAYOUTS for lane in (self.apply_lane, self.restore_lane)]
        lanes += [(self.apply_lane, BY_NFT), (self.nft_text_lane, BY_NFT), (self.nft_lane, ""), (self.ferm_lane, "")]
        for lane, layout in lanes[turn % len(lanes):] + lanes[:turn % len(lanes)]:
            with Namespace() as namespace:
                lane(count, layout)
            namespace.close()

    def run(self) -> None:
        for count in self.rounds:
            self.prepare(count)
        for turn in range(max(self.rounds.values())):
            for count in (count for count, rounds in self.rounds.items() if turn < rounds):
                print(f"{count} services, round {turn + 1} of {self.rounds[count]}", file=sys.stderr)
                self.round(count, turn)
                self.hold_to_the_same(count)

    def hold_to_the_same(self, count: int) -> None:
        for layout in LAYOUTS:
            one, other = (self.loaded[count, f"{way} {layout}"] for way in (APPLY, RESTORE))
            if not one or one != other:
                odd = sorted(chain for chain in one.keys() | other.keys() if one.get(chain) != other.get(chain))
                stop(f"lbc apply and iptables-legacy-restore of {count} services leave different rules by {layout}, "
                     f"such as in {odd[:4]}")

    def ms(self, count: int, method: str) -> list[float]:
        return [figure.ms for figure in self.figures[count, method]]

    def ratio(self, count: int, method: str, base: str) -> float:
        return middle_ratio(self.ms(count, method), self.ms(count, base))

    def load_ratio(self, count: int, layout: str) -> float:
        """What apply takes over compile, which does the same up to the kernel, to the kernel's own time."""
        figures = (self.ms(count, method) for method in (f"{APPLY} {layout}", COMPILE, f"{KERNEL} {layout}"))
        return statistics.median((whole - source) / kernel for whole, source, kernel in zip(*figures))

    def growth(self, method: str, small: int, large: int) -> float:
        return middle_ratio(self.ms(large, method), self.ms(small, method))

    def row(self, count: int, label: str, method: str, base: str) -> list[str]:
        ms = self.ms(count, method)
        floor = max(figure.mib for figure in self.figures[count, FLOOR])
        mib = max(figure.mib for figure in self.figures[count, method])
        shown = "" if mib == 0 else f"{mib:.0f}" if mib > 1.1 * floor else f"< {1.1 * floor:.0f}"
        ratio = "1" if method == base else digits(self.ratio(count, method, base), 2)
        return [f"{count:,}", label, digits(statistics.median(ms)), f"{digits(min(ms))} to {digits(max(ms))}",
                str(len(ms)), shown, ratio]

    def steadiness(self) -> str:
        measured = []
        for count, method in self.figures:
            layout = next((one for one in (*LAYOUTS, BY_NFT) if method.endswith(f" {one}")), None)
            base = f"{APPLY} {layout}" if layout else COMPILE
            if method != base:
                measured.append(ratios(self.ms(count, method), self.ms(count, base)))
        return steadiness(measured)

    def grown(self, methods: dict[str, str]) -> str:
        pairs = list(zip(self.rounds, list(self.rounds)[1:]))
        rows = [["n log n", *(digits(n_log_n(*pair)) for pair in pairs)]]
        for method, label in methods.items():
            rows.append([label, *(digits(self.growth(method, *pair)) if (pair[1], method) in self.figures else "–"
                                  for pair in pairs)])
        return table(["times as long", *(f"{small:,} to {large:,}" for small, large in pairs)], rows)

    def aims(self) -> list[tuple[str, str, bool]]:
        count, rows = 10000, []
        for peer, part in ((FERM, 50), (KEEPALIVED, 25), (NFT_CHECK, 5)):
            ratio = self.ratio(count, COMPILE, peer)
            shown = f"1/{digits(1 / ratio, 2)}" if ratio < 1 else digits(ratio, 2)
            rows.append((f"compile of 10,000: at most 1/{part} of {SOURCE[peer]}", shown, ratio <= 1 / part))
        for layout in LAYOUTS:
            for method, base, most, words in (
                    (APPLY, RESTORE, 0.5, "apply of 10,000: at most 1/2 of `iptables-legacy-restore` of the same"),
                    (APPLY, FERM_LOAD, 0.05, "apply of 10,000: at most 1/20 of `ferm`"),
                    (APPLY, KERNEL, 1.5, "apply of 10,000: at most 1.5 times the kernel's own time"),
                    (ONE_MORE, APPEND, 0.5, "one service more, 10,000: at most 1/2 of `iptables-legacy -A`"),
                    (AGAIN, APPEND, 0.2, "nothing differs, 10,000: at most 1/5 of `iptables-legacy -A`")):
                if layout == SETS and base == KERNEL:
                    continue
                of = "linear" if layout == SETS and base == APPEND else layout
                ratio = self.ratio(count, f"{method} {layout}", self.named(base, of))
                rows.append((f"{layout}: {words}", digits(ratio, 2), ratio <= most))
        for layout in TABLES:
            ratio = self.load_ratio(count, layout)
            rows.append((f"{layout}: what apply of 10,000 takes over `lbc compile`: at most 1.5 times the kernel's own",
                         digits(ratio, 2), ratio <= 1.5))
        for method, words in ((COMPILE, "compile"), (CHECK, "check"),
                              *((f"{APPLY} {layout}", f"{layout}: apply") for layout in LAYOUTS)):
            for pair in zip(self.rounds, list(self.rounds)[1:]):
                times, most = self.growth(method, *pair), n_log_n(*pair)
                rows.append((f"{words}, {pair[0]:,} to {pair[1]:,}: at most {digits(most)} times as long, as n log n",
                             digits(times), times <= most))
        return rows

    def page(self) -> str:
        head = ["services", "method", "median ms", "lowest to highest", "rounds", "MiB", "times lbc"]
        text = f"""
## Scale

Made by `./dev bench`, too. Wall time of whole processes, and the most memory that one has had; "<" is what the
measuring process has itself, which a new one begins with. Methods take turns, round by round, and the lower time of
{TRIES} tries is that of a round. "Times lbc" and growth are medians of the ratios within a round.
{self.steadiness()}
Each service has one VIP, one port, one mark and {len(REALS)} real servers; two directors.

- lbc checks the site whatever it does. "The directors are the real servers" is a site of which it checks, too, that
  packets between them are told by their MACs and guarded.
- ferm and nft get the marks alone and no real servers; keepalived gets a virtual server by mark for each service, with
  its real servers.
- Each load has a new network namespace. `lbc apply` and `iptables-legacy-restore` are held to the same rules, in the
  same order, else the run fails.
- By `ipset`, the peer is `ipset restore` and `iptables-legacy-restore` of the same, in a shell; one service more is held
  to `iptables-legacy -A` of the linear table.
- The kernel's own time is that of the one `setsockopt` that replaces the table, in a loop that does nothing else. What
  apply takes over compile is to read the table, to write it and to read it back, which is three calls of the kernel.

### From source to rules, by number of services

"""
        methods = list(SOURCE.items())
        text += table(head, [self.row(count, label, method, COMPILE) for count in self.rounds
                             for method, label in methods if (count, method) in self.figures], left=2)
        for layout in (*LAYOUTS, BY_NFT):
            option = "--backend nft" if layout == BY_NFT else f"--layout {layout}"
            text += f"\n### Into the kernel, `{option}`, by number of services\n\n"
            labels = LOAD | ({RESTORE: "`nft -f` of the same table"} if layout == BY_NFT else {})
            text += table(head, [self.row(count, label, self.named(method, layout), f"{APPLY} {layout}")
                                 for count in self.rounds for method, label in labels.items()
                                 if (count, self.named(method, layout)) in self.figures], left=2)
        grown = dict(methods)
        del grown[FLOOR]
        for layout in (*LAYOUTS, BY_NFT):
            grown |= {f"{method} {layout}": f"{layout}: {label}" for method, label in LOAD.items()
                      if method not in OTHERS and (next(iter(self.rounds)), f"{method} {layout}") in self.figures}
        grown |= {method: LOAD[method] for method in OTHERS}
        return text + f"\n### Growth\n\n{self.grown(grown)}\n### Aims of scale\n\n{aims(self.aims())}"

    @staticmethod
    def named(method: str, layout: str) -> str:
        return method if method in OTHERS else f"{method} {layout}"


def n_log_n(small: int, large: int) -> float:
    return large * math.log(large) / (small * math.log(small))


def main() -> None:
    parser = argparse.ArgumentParser(description="how lbc grows with the number of services, beside other tools")
    parser.add_argument("lbc")
    parser.add_argument("replace_table", help="the program of replace_table.cpp")
    parser.add_argument("--quick", action="store_true", help="fewer services and rounds")
    arguments = parser.parse_args()
    need("ferm", "ipset", "keepalived", "nft", "iptables-legacy", "iptables-legacy-restore", "iptables-legacy-save")
    with scratch() as folder:
        scale = Scale(arguments, Path(folder))
        scale.run()
        print(scale.page(), end="")


if __name__ == "__main__":
    main()
