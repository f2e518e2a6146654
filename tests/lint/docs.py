#!/usr/bin/python3
"""The documentation against the program: docs.py SOURCE-FOLDER PATH-OF-LBC. Prints each breach, status 1 if any.

Links lead somewhere; examples of the language are read without a mistake, and are in its canonical form; the pages made
by the program are what it makes; the manual page and the command's page name every command, option and kind of output;
lbc's examples are clean.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

# What an example may lack because it is a part: names of the rest of the site.
PARTIAL = {"unknown-director", "unknown-pool", "unknown-vrrp", "unknown-let", "include-no-match", "include-empty",
           "cannot-read", "unused", "check-not-run", "no-real-server", "vip-not-carried", "missing-statement"}
TOP = {"include", "let", "marks", "guard", "ipvs", "defaults", "director", "pool", "service", "vrrp", "sync"}
SERVICE = "service example { vip 192.0.2.99; port tcp 80; real 10.0.0.99\n%s\n}\n"


def run(lbc, *arguments, text=None):
    return subprocess.run([lbc, *arguments], input=text, capture_output=True, text=True, timeout=60)


def messages(lbc, path, text=None):
    result = run(lbc, "check", "--message-format", "json", path, text=text)
    return [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")], result


def slug(heading):
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def broken_links(root, page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or not file.is_relative_to(root):
            yield f"{target} leads nowhere"
        elif anchor and anchor not in {slug(h) for h in re.findall(r"^#+ (.*)$", file.read_text(), flags=re.M)}:
            yield f"{target} leads to no heading"


def bad_examples(lbc, page):
    for block in re.findall(r"```lb\n(.*?)```", page.read_text(), flags=re.S):
        first = next(line.split()[0] for line in block.splitlines() if line.strip() and not line.startswith("#"))
        found, _ = messages(lbc, "-", block if first in TOP else SERVICE % block)
        for message in found:
            if message["id"] not in PARTIAL:
                yield f"example `{block.splitlines()[0]}`: {message['message']} [{message['id']}]"
        if run(lbc, "fmt", "-", text=block).stdout != block:
            yield f"example `{block.splitlines()[0]}` is not in the canonical form"


def unclean_examples(root, lbc):
    for site in sorted([*root.glob("examples/*.lb"), *root.glob("examples/*/site.lb")]):
        found, result = messages(lbc, str(site))
        if found or result.returncode != 0:
            yield f"{site.relative_to(root)}: {result.stderr.strip()}"


def helps(lbc):
    """The words of the command line, from its own help: commands, long options, kinds of output."""
    main = run(lbc, "--help").stdout
    commands = re.findall(r"^  ([a-z]+) {2,}", main, flags=re.M)
    words = set(commands)
    for command in commands:
        text = run(lbc, command, "--help").stdout
        words |= set(re.findall(r"--[a-z][a-z-]+", text)) - {"--help"}
        kinds = re.search(r"--emit.*?((?:[a-z0-9]+, )+or [a-z]+|(?:[a-z0-9]+, )+[a-z]+)", text, flags=re.S)
        if kinds:
            words |= set(re.findall(r"[a-z0-9]+", kinds.group(1))) - {"or"}
    return words


def missing_words(root, lbc):
    words = helps(lbc)
    if not {"check", "compile", "apply", "remove", "explain", "--emit", "iptables"} <= words:
        yield f"the help was not understood: {sorted(words)}"
    for page in ("packaging/lbc.8", "docs/cli.md"):
        text = (root / page).read_text().replace("\\-", "-")
        for word in sorted(words):
            if not re.search(rf"(?<![a-z-]){re.escape(word)}(?![a-z])", text):
                yield f"{page} does not name {word}"


def stale_rules(root, lbc):
    """The rules that the README shows are those that its example gives."""
    site = str(root / "examples/two-boxes.lb")
    made = "".join(run(lbc, "compile", site, "-d", "lb1", "--emit", kind).stdout for kind in ("iptables", "ipvsadm"))
    shown = re.findall(r"^ *(-[Aa] .*)$", (root / "README.md").read_text(), flags=re.M)
    for line in shown or ["no rule at all"]:
        if line not in made.splitlines():
            yield f"README.md shows `{line}`, which examples/two-boxes.lb does not give"


def main():
    root, lbc = Path(sys.argv[1]).resolve(), sys.argv[2]
    pages = [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").glob("*.md"))]
    breaches = [f"{page.relative_to(root)}: {text}" for page in pages for text in broken_links(root, page)]
    for page in (root / "README.md", root / "docs/language.md"):
        breaches += [f"{page.relative_to(root)}: {text}" for text in bad_examples(lbc, page)]
    breaches += unclean_examples(root, lbc)
    breaches += [*missing_words(root, lbc), *stale_rules(root, lbc)]
    if (root / "docs/messages.md").read_text() != run(lbc, "explain", "--markdown").stdout:
        breaches.append("docs/messages.md is not what `lbc explain --markdown` prints")
    print("\n".join(breaches) or "nothing found")
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
