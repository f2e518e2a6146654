"""The share of each folder's branches that each fuzzer reaches, as a table in Markdown, of what libFuzzer prints with
-print_coverage: `reached.py FOLDER` of NAME.reached. A fuzzer has no number for a folder that nothing of it is linked
with."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

FUNCTION = re.compile(r"^(?:UN)?COVERED_FUNC: hits: \d+ edges: (\d+)/(\d+) .* (\S+?)(?::\d+)+$")
LBC = re.compile(r"(?:^|/)((?:grammar|compiler|backends|cli)(?:/[a-z0-9]+)*)/[a-z0-9_]+\.cpp$")


def reached(report: Path) -> tuple[Counter, Counter]:
    """Edges that are reached, and all, by folder."""
    covered, all_edges = Counter(), Counter()
    for line in report.read_text(encoding="utf-8", errors="replace").splitlines():
        if (function := FUNCTION.match(line)) and (place := LBC.search(function[3])):
            covered[place[1]] += int(function[1])
            all_edges[place[1]] += int(function[2])
    return covered, all_edges


def main() -> None:
    by_name = {report.stem: reached(report) for report in sorted(Path(sys.argv[1]).glob("*.reached"))}
    print("| folder | " + " | ".join(by_name) + " |\n| --- |" + " ---: |" * len(by_name))
    for folder in sorted({folder for _, edges in by_name.values() for folder in edges}):
        cells = (f"{100 * covered[folder] // edges[folder]} %" if covered[folder] else ""
                 for covered, edges in by_name.values())
        print(f"| `{folder}/` | " + " | ".join(cells) + " |")


main()
