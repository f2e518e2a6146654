#!/usr/bin/python3
"""The rules of the source that no other tool looks at: style.py SOURCE-FOLDER. Prints each breach, status 1 if any."""
import re
import sys
from pathlib import Path

FOLDERS = ["grammar", "compiler", "backends", "cli", "tests"]
LONGEST_FILE = 400
WIDEST_LINE = 120

# Third-party headers, and the only places that may include them.
CORNERS = {
    r"boost/container": {"compiler/base/small_vector.hpp"},
    r"boost/(?!container)": {"grammar/grammar.cpp", "grammar/recover.hpp", "grammar/recover.cpp"},
    r"libiptc/|libip6?tc": {"backends/iptables/", "tests/"},
    r"linux/netfilter": {"backends/iptables/", "backends/ipset/", "backends/nft/", "tests/"},
    r"nftables/": {"backends/nft/"},
    r"libnftnl/|libmnl/": {"backends/nft/"},
    r"netlink/": {"backends/netlink/", "backends/ipvs/", "backends/observe/", "backends/ipset/", "tests/"},
    r"CLI/": {"cli/program/options.cpp"},
    r"nlohmann/": {"backends/emit/json/", "backends/nft/", "cli/", "tests/"},
    r"doctest/": {"tests/"},
}

# The rooms, each above all that it may include. The link order of the targets says the same of layers.
ROOMS = [
    "grammar",
    "compiler/base", "compiler/rules", "compiler/site", "compiler/plan", "compiler/analysis", "compiler/layout",
    "compiler/checks", "compiler/diff",
    "backends/os", "backends/netlink", "backends/ipset", "backends/restore", "backends/nft", "backends/emit",
    "backends/iptables", "backends/ipvs", "backends/keepalived", "backends/observe", "backends/apply",
    "cli/program", "cli/input", "cli/report", "cli/output", "cli/commands", "cli",
]


def breaches(path, name):
    lines = path.read_text().splitlines()
    if len(lines) > LONGEST_FILE:
        yield 1, f"the file has {len(lines)} lines, more than {LONGEST_FILE}"
    if name.endswith(".hpp"):
        if not lines or not lines[0].startswith("// "):
            yield 1, "a header begins with a paragraph: what it owns, what it promises"
        if "#pragma once" not in lines:
            yield 1, "a header needs #pragma once"
    for number, line in enumerate(lines, 1):
        if len(line) > WIDEST_LINE:
            yield number, f"the line has {len(line)} characters, more than {WIDEST_LINE}"
        yield from ((number, text) for text in include_breaches(line, name))
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, "unfinished work belongs in no source file"
        if not name.startswith(("cli/", "tests/")) and re.search(r"std::(cerr|cout|exit|abort)\b|catch \(\.\.\.\)", line):
            yield number, "nothing below cli/ prints, exits, or catches everything"
        # ctest takes a `;` for a list and a `[` for an option.
        case = re.search(r'TEST_CASE\("([^"]*)"', line)
        if case and not re.fullmatch(r"[A-Za-z0-9 ,.:/_'-]+", case.group(1)):
            yield number, "the name of a test case has other characters than A-Z a-z 0-9 , . : / _ ' - and space"


def include_breaches(line, name):
    include = re.match(r'#include ([<"])([^>"]+)[>"]', line)
    if not include:
        return
    form, header = include.groups()
    if form == "<":
        for pattern, places in CORNERS.items():
            if re.match(pattern, header) and not name.startswith(tuple(places)):
                yield f"<{header}> may be included only under {', '.join(sorted(places))}"
        return
    here, there = room(name), room(header)
    if here == "tests":
        return
    if here not in ROOMS:
        yield f"{here} is no room of the list"
    elif there not in ROOMS or ROOMS.index(there) > ROOMS.index(here):
        yield f'"{header}" is above {here}, which may include {", ".join(ROOMS[:ROOMS.index(here)])}'


def python_breaches(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.search(r"\bsys[.]path\b", line):
            yield number, "what tests share is in tests/support/lbctest, where PYTHONPATH leads"


def room(path):
    parts = path.split("/")
    return parts[0] if parts[0] in ("grammar", "tests") else "/".join(parts[:-1][:2])


def main():
    root = Path(sys.argv[1]).resolve()
    files = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.[ch]pp"))
    programs = sorted((root / "tests").rglob("*.py"))
    found = 0
    for path in [*files, *programs]:
        name = path.relative_to(root).as_posix()
        for number, text in python_breaches(path) if path.suffix == ".py" else breaches(path, name):
            print(f"{name}:{number}: {text}")
            found += 1
    print(f"{len(files) + len(programs)} files, {found} breaches")
    sys.exit(1 if found or not files else 0)


if __name__ == "__main__":
    main()
