"""The share of each folder's lines that each fuzzer reaches, as a table in Markdown, of what `llvm-cov export` has
written: `reached.py FOLDER` of NAME.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def folder_of(name: str) -> str | None:
    """"backends/nft" of a source of lbc's own."""
    path = Path(name)
    if not path.is_relative_to(ROOT) or path.relative_to(ROOT).parts[0] not in ("grammar", "compiler", "backends", "cli"):
        return None
    return str(path.relative_to(ROOT).parent)


def reached(report: Path) -> dict[str, tuple[int, int]]:
    """Lines that are reached, and all, by folder."""
    lines: dict[str, tuple[int, int]] = {}
    for file in json.loads(report.read_text(encoding="utf-8"))["data"][0]["files"]:
        if folder := folder_of(file["filename"]):
            covered, count = lines.get(folder, (0, 0))
            summary = file["summary"]["lines"]
            lines[folder] = (covered + summary["covered"], count + summary["count"])
    return lines


def main() -> None:
    by_name = {report.stem: reached(report) for report in sorted(Path(sys.argv[1]).glob("*.json"))
               if not report.stem.startswith("compile_commands")}
    folders = sorted({folder for lines in by_name.values() for folder in lines})
    print("| folder | " + " | ".join(by_name) + " |\n| --- |" + " ---: |" * len(by_name))
    for folder in folders:
        cells = []
        for lines in by_name.values():
            covered, count = lines.get(folder, (0, 0))
            cells.append(f"{100 * covered // count} %" if covered else "")
        print(f"| `{folder}/` | " + " | ".join(cells) + " |")


main()
