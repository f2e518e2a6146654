#!/usr/bin/python3
"""What each stage of a compilation takes in process, as Markdown: functions.py LBC_FUNCTIONS, a program of Google
Benchmark (functions.cpp)."""

from __future__ import annotations

import json
import sys

import common

STAGES = {"count_lines": "counting the lines of the text by memchr", "parse_text": "text to statements",
          "resolve_names": "statements to a site", "check_site": "checks of the site",
          "plan_director": "a director's plan", "lay_out": "rules as a tree", "print_rules": "rules to text",
          "compile_all": "all of it"}
AIM = 40  # times the counting of lines


def times(program: str) -> dict[str, dict[int, float]]:
    """Milliseconds of one core, by stage and number of services."""
    found: dict[str, dict[int, float]] = {stage: {} for stage in STAGES}
    for run in json.loads(common.run(program, "--benchmark_format=json"))["benchmarks"]:
        stage, _, services = run["name"].partition("/")
        if run["time_unit"] != "ms":
            common.stop(f"{run['name']} is not in milliseconds")
        found[stage][int(services)] = run["cpu_time"]
    return found


def main() -> None:
    found = times(sys.argv[1])
    numbers = sorted(found["count_lines"])
    print("\n## Stages\n\nMade by `./dev bench`, too. Milliseconds of one core in a process that has its memory already,\n"
          "by the number of services.\n")
    print("| stage | " + " | ".join(f"{n:,}" for n in numbers) + " |")
    print("| --- |" + " ---: |" * len(numbers))
    for stage, title in STAGES.items():
        print(f"| {title} | " + " | ".join(f"{found[stage][n]:.3g}" for n in numbers) + " |")
    ratio = found["compile_all"][10000] / found["count_lines"][10000]
    print(f"\nThe aim is {AIM} times the counting of lines at 10,000 services, and the figure {ratio:.0f}: "
          f"{'reached' if ratio <= AIM else 'not reached'}.\nThe text is in the processor's caches when its lines are "
          "counted.")


if __name__ == "__main__":
    main()
