"""The share of each folder's functions that each fuzzer reaches, as a table in Markdown, of what libFuzzer prints with
-print_coverage: `reached.py FOLDER` of NAME.reached. Branches say less: most are the sanitizers' and exceptions'."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

FUNCTION = re.compile(r"^(?:UN)?COVERED_FUNC: hits: \d+ edges: (\d+)/\d+ .* (\S+?)(?::\d+)+$")
LBC = re.compile(r"(?:^|/)((?:grammar|compiler|backends|cli)(?:/[a-z0-9]+)*)/[a-z0-9_]+\.cpp$")


def reached(report: Path) -> tuple[Counter, Counter]:
    """Functions that are reached, and all that it is linked with, by folder."""
    covered, functions = Counter(), Counter()
    for line in report.read_text(encoding="utf-8", errors="replace").splitlines():
        if (function := FUNCTION.match(line)) and (place := LBC.search(function[2])):
            covered[place[1]] += int(function[1]) > 0
            functions[place[1]] += 1
    return covered, functions


def main() -> None:
    by_name = {report.stem: reached(report) for report in sorted(Path(sys.argv[1]).glob("*.reached"))}
    print("| folder | " + " | ".join(by_name) + " |\n| --- |" + " ---: |" * len(by_name))
    for folder in sorted({folder for _, functions in by_name.values() for folder in functions}):
        cells = (f"{100 * covered[folder] // functions[folder]} %" if covered[folder] else ""
                 for covered, functions in by_name.values())
        print(f"| `{folder}/` | " + " | ".join(cells) + " |")


main()
