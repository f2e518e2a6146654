#!/usr/bin/python3
"""`lbc apply --backend nft` beside `nft -f` of the same table, and of a rule for each service; prints Markdown."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from common import DIRECTORS, Namespace, aims, digits, middle_ratio, need, run, scratch, service, services, stop, table

SERVICES, ROUNDS = 10_000, 7
HALF = 0.5


def write_site(path: Path, numbers: list[int]) -> Path:
    lines = [f"service s{n} {{ vip {service(n)[0]}; port tcp {service(n)[1]}; mark {service(n)[2]}; real lb1; real lb2 }}\n"
             for n in numbers]
    path.write_text("guard local\nmarks 0x100000-0x1fffff\n" + DIRECTORS + "".join(lines), encoding="utf-8")
    return path


def write_rules(path: Path) -> Path:
    """The recipe by hand, as nft has it."""
    with path.open("w", encoding="utf-8") as file:
        file.write("table inet rules {\nchain prerouting {\ntype filter hook prerouting priority mangle;\n")
        for vip, port, mark in services(SERVICES):
            file.write(f"ip daddr {vip} tcp dport {port} meta mark set {mark} return\n")
        file.write("}\n}\n")
    return path


class Nftables:
    def __init__(self, lbc: str, folder: Path):
        self.lbc = lbc
        everything = list(range(SERVICES))
        # All but one that is neither first nor last, so that the prefix of all VIPs stays.
        self.fewer = write_site(folder / "fewer.lb", everything[:77] + everything[78:])
        self.all = write_site(folder / "all.lb", everything)
        self.rules = write_rules(folder / "rules.nft")
        self.text = folder / "all.nft"
        self.text.write_text(run(lbc, "compile", str(self.all), "-d", "lb1", "--emit", "nft"), encoding="utf-8")
        self.times: dict[str, list[float]] = {}

    def apply(self, site: Path) -> None:
        run(self.lbc, "apply", str(site), "-d", "lb1", "--only", "marks", "--backend", "nft", "--no-prove")

    def measure(self, name: str, use: Callable[[], object]) -> None:
        begin = time.perf_counter()
        use()
        self.times.setdefault(name, []).append(time.perf_counter() - begin)

    def round(self) -> None:
        self.measure("nft -f, the same text", lambda: run("nft", "-f", str(self.text)))
        self.measure("nft -f, again", lambda: run("nft", "-f", str(self.text)))
        wanted = run("nft", "list", "table", "inet", "lbc")
        run("nft", "flush", "ruleset")
        self.measure("nft -f, a rule each", lambda: run("nft", "-f", str(self.rules)))
        run("nft", "flush", "ruleset")
        self.measure("lbc compile --emit nft", lambda: run(self.lbc, "compile", str(self.all), "-d", "lb1", "--emit", "nft"))
        self.measure("lbc apply, new", lambda: self.apply(self.all))
        self.measure("lbc apply, nothing differs", lambda: self.apply(self.all))
        if sorted(run("nft", "list", "table", "inet", "lbc").replace(" }", ",").split()) != \
                sorted(wanted.replace(" }", ",").split()):
            stop("lbc apply and nft -f do not make the same table")
        self.apply(self.fewer)
        self.measure("lbc apply, one more", lambda: self.apply(self.all))
        run("nft", "flush", "ruleset")

    def page(self) -> str:
        for _ in range(ROUNDS):
            with Namespace():
                self.round()
        peer = self.times["nft -f, the same text"]
        found = {name: middle_ratio(times, peer) for name, times in self.times.items()}
        rows = [[name, digits(sorted(times)[ROUNDS // 2] * 1000), digits(found[name])]
                for name, times in self.times.items()]
        aim = [(f"{name}, to `nft -f` of the same text: {HALF}", digits(found[name]), found[name] <= HALF)
               for name in found if name.startswith("lbc apply")]
        return f"""
## nftables

Made by `./dev bench`, too: `PYTHONPATH=tests/support python3 -B tests/bench/nftables.py build/release/lbc`.
{SERVICES:,} services with a guard, which is a map and an interval set of as many elements; whole processes, {ROUNDS} rounds,
median; `one more` is among the others.

{table(["command", "ms", "to nft -f"], rows)}
### Aims of nftables

{aims(aim)}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="apply by nftables beside nft")
    parser.add_argument("lbc")
    arguments = parser.parse_args()
    need("nft")
    with scratch() as folder:
        print(Nftables(arguments.lbc, Path(folder)).page(), end="")


if __name__ == "__main__":
    main()
