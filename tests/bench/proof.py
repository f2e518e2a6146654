#!/usr/bin/python3
"""Measures proofs: `lbc verify` of one director's rules and `lbc check` of its site, beside `lbc compile`, which reads
and checks the same site. Prints a part of docs/benchmarks.md.

proof.py PATH-OF-LBC [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = """director lb1 { mac 02:00:00:00:00:01, 02:00:00:00:00:11; address 10.0.0.1; interface eth0 }
director lb2 { mac 02:00:00:00:00:02, 02:00:00:00:00:22; address 10.0.0.2; interface eth0 }
marks 0x100000-0x1fffff
"""


def service(number: int, vip: str, port: int) -> str:
    return f"service s{number} {{ vip {vip}; port tcp {port}; mark {number + 1}; real lb1; real lb2; real 10.1.0.1 }}\n"


SHAPES = {
    "a VIP for each": lambda n: "".join(service(i, f"10.{64 + i // 65536}.{i // 256 % 256}.{i % 256}", 80)
                                        for i in range(n)),
    "all on one VIP": lambda n: "".join(service(i, "10.64.0.1", 1000 + i) for i in range(n)),
}


def measure(argv: list[str]) -> tuple[float, float]:
    """Milliseconds of one core, and MiB at the most; the command must end with status 0."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.execv(argv[0], argv)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"bench: {' '.join(argv)} ended with {status}")
    return (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def main() -> None:
    lbc = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print("\n## Proofs\n\nMade by `./dev bench`, too. Time of one core and memory of a whole process. Two directors that "
          "are real servers of\nevery service, with two MACs each; `verify` reads the site and the rules of one director, "
          "and proves them; a guard\nand their MACs keep the directors from looping, so `check` has no packet to follow.\n")
    print("| services | method | median ms | lowest to highest | MiB | times compile |\n"
          "| --- | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        site, rules = Path(folder, "site.lb"), Path(folder, "rules")
        for shape, text in SHAPES.items():
            for count in (1000, 10000):
                site.write_text(HEAD + text(count))
                compile_ = [lbc, "compile", str(site), "-d", "lb1", "--emit", "iptables"]
                with rules.open("w", encoding="utf-8") as output:
                    subprocess.run(compile_, check=True, stdout=output)
                methods = {"`lbc compile`": compile_, "`lbc check`": [lbc, "check", str(site)],
                           "`lbc verify`": [lbc, "verify", str(site), "-d", "lb1", "--against", str(rules)]}
                times = {name: [] for name in methods}
                for _ in range(rounds):
                    for name, argv in methods.items():
                        times[name].append(measure(argv))
                for name, measured in times.items():
                    ms = [one[0] for one in measured]
                    ratio = statistics.median(a[0] / b[0] for a, b in zip(measured, times["`lbc compile`"]))
                    print(f"| {count:,}, {shape} | {name} | {statistics.median(ms):.0f} | {min(ms):.0f} to {max(ms):.0f} "
                          f"| {max(one[1] for one in measured):.0f} | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
