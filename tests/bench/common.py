"""What the benchmarks of packets and of many services share: network namespaces, sites, and rows of Markdown."""

from __future__ import annotations

import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

from lbctest.namespaces import Inside, new_namespace

PEER = "08:00:27:46:c7:d4"
FIRST_VIP = IPv4Address("10.64.0.0")
FIRST_PORT = 1000
DIRECTORS = f"""director lb1 {{ mac 08:00:27:9e:ef:a0; address 192.168.23.11 }}
director lb2 {{ mac {PEER}; address 192.168.23.12 }}
"""


def stop(message: str) -> None:
    sys.exit(f"bench: {message}")


def need(*programs: str) -> None:
    if os.geteuid() != 0:
        stop("root is needed")
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        stop(f"{', '.join(missing)} not installed; ./dev setup bench installs it")


def run(*command: str, text: str | None = None) -> str:
    """A program's output; ends the run with what it said when it fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        stop(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def scratch() -> tempfile.TemporaryDirectory:
    """A folder for the run, with a lock of its own in place of the machine's."""
    folder = tempfile.TemporaryDirectory(prefix="lbc-bench-")
    os.environ["XTABLES_LOCKFILE"] = str(Path(folder.name, "xtables.lock"))
    return folder


class Namespace:
    """A new network namespace, which this process is in within `with`; it ends with `close` or with the process."""

    def __init__(self) -> None:
        self.stack: list[Inside] = []
        try:
            self.fd = new_namespace()
        except OSError as error:
            stop(f"no network namespace: {error.strerror}")

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def __enter__(self) -> Namespace:
        inside = Inside(self.fd)
        inside.__enter__()
        self.stack.append(inside)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.pop().__exit__()

    def close(self) -> None:
        os.close(self.fd)


def service(number: int) -> tuple[IPv4Address, int, int]:
    """VIP, port and mark."""
    return FIRST_VIP + number, FIRST_PORT + number, number + 1


def services(count: int) -> Iterator[tuple[IPv4Address, int, int]]:
    return map(service, range(count))


def write_site(path: Path, count: int, reals: Iterable[str], guard: str | None = "off") -> None:
    """Written piece by piece: a process that is started inherits the most memory that this one ever had."""
    behind = " ".join(f"real {real};" for real in reals)
    with path.open("w", encoding="utf-8") as file:
        file.write(f"guard {guard}\n" if guard else "")
        file.write("marks 0x100000-0x1fffff\n" + DIRECTORS)
        for number, (vip, port, mark) in enumerate(services(count)):
            file.write(f"service s{number} {{ vip {vip}; port tcp {port}; mark {mark}; {behind} }}\n")


def write_nft_map(path: Path, count: int) -> None:
    """What the rules of the site do, as one map of nftables."""
    with path.open("w", encoding="utf-8") as file:
        file.write("table ip lbc {\nmap marks {\ntypeof ip daddr . tcp dport : meta mark\nelements = {\n")
        for vip, port, mark in services(count):
            file.write(f"{vip} . {port} : {mark},\n")
        file.write("}\n}\nchain prerouting {\ntype filter hook prerouting priority mangle; policy accept;\n"
                   f"ether saddr {PEER} return\nmeta mark set ip daddr . tcp dport map @marks\n}}\n}}\n")


def ratios(above: list[float], below: list[float]) -> list[float]:
    """Within rounds: what slows the machine down for a while slows both."""
    return [a / b for a, b in zip(above, below)]


def middle_ratio(above: list[float], below: list[float]) -> float:
    return statistics.median(ratios(above, below))


def steadiness(measured: Iterable[list[float]]) -> str:
    """How far the ratios of a method are from each other, typically."""
    spreads = []
    for one in measured:
        low, middle, high = statistics.quantiles(one, n=4, method="inclusive")
        spreads.append((high - low) / middle)
    typical = statistics.median(spreads)
    return f"Typically, the middle half of a method's ratios spreads by {typical:.0%} of their median."


def digits(value: float, count: int = 3) -> str:
    """With as many digits as mean something: 0.0123, 1.23, 12.3, 123, 1,234."""
    if value == 0:
        return "0"
    places = max(0, count - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> str:
    """Columns are to the right but for the first `left` ones."""
    heads = list(heads)
    line = ["---"] * left + ["---:"] * (len(heads) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, line, *rows]) + "\n"


def aims(rows: Iterable[tuple[str, str, bool]]) -> str:
    return table(["aim", "figure", "reached"], [[aim, figure, "yes" if reached else "no"]
                                                for aim, figure, reached in rows], left=3)
