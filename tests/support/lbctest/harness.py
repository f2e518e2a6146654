"""What tests share that hold rules against a kernel: lbc and what it says of a site, the ways to load its rules, the
tables that there are, and what a failure prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from lbctest import net
from lbctest.model import Site
from lbctest.nft_listing import ordered
from lbctest.project import BACKEND, LBC, scratch

FAMILIES = ("iptables", "ip6tables")
SCRATCH = scratch("kernel")
SITE = SCRATCH / "site.lb"
# The leak sanitizer traces, as strace does, and one process has one tracer.
STRACE = ["env", "ASAN_OPTIONS=detect_leaks=0", "strace", "-f"]


def start() -> None:
    """Takes a namespace and an xtables lock of the test's own."""
    net.enter()
    os.environ["XTABLES_LOCKFILE"] = str(SCRATCH / "xtables.lock")
    if subprocess.run(["iptables-legacy", "-t", "mangle", "-S"], capture_output=True).returncode != 0:
        net.skip("no mangle table by iptables-legacy")


def main() -> None:
    """Runs the caller's unittest cases in a namespace of their own."""
    start()
    result = unittest.main(module="__main__", verbosity=2, exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    if net.OMITTED or result.skipped:
        net.skip("; ".join([*net.OMITTED, *(reason for _, reason in result.skipped)]))


def with_backend(arguments: tuple[str, ...]) -> list[str]:
    """`apply` by BACKEND, where the arguments say nothing of it: it does not hang on what this box uses."""
    named = {"--backend", "--migrate"} & set(arguments) or arguments[:1] != ("apply",)
    return [*arguments] if named else [*arguments, "--backend", BACKEND]


def lbc(*arguments: str, timeout: float = 60, text: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([LBC, *with_backend(arguments)], input=text, capture_output=True, text=True, timeout=timeout)


def lbc_ok(*arguments: str) -> str:
    done = lbc(*arguments)
    if done.returncode != 0:
        raise AssertionError(f"lbc {' '.join(arguments)}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def proved(path: str, director: str, *arguments: str) -> dict:
    """What `lbc verify` says of the kernel's rules, on a machine that need not be what the file says."""
    done = lbc("verify", path, "--only", "marks", "-d", director, *arguments, "--format", "json")
    if done.returncode not in (0, 1):
        raise AssertionError(f"lbc verify: status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)["directors"][0]


def write(site: Site | str, path: Path = SITE) -> str:
    path.write_text(site if isinstance(site, str) else site.to_lb(), encoding="utf-8")
    return str(path)


def learn(site: Site) -> tuple[dict[str | None, int], bool]:
    """The marks that lbc chose for services without one, and, under None, for the guard; and whether two services'
    choices collided. Fails unless each is in the range, the same on every director, and nobody else's."""
    done = lbc("compile", write(site), "--emit", "json")
    if done.returncode != 0:
        raise AssertionError(f"lbc compile: status {done.returncode}\n{done.stderr}\n{site.to_lb()}")
    said = json.loads(done.stdout)["site"]
    chosen: dict[str | None, int] = {}
    pinned: set[int] = set()
    for service, text in zip(site.services, said["services"], strict=True):
        marks = {on["mark"] for on in text["on"]}
        if service.marks is None:
            assert len(marks) == 1, f"{service.name} has the marks {marks}\n{site.to_lb()}"
            chosen[service.name] = marks.pop()
        else:
            pinned |= marks
    if "mark" in said["guard"]:
        chosen[None] = said["guard"]["mark"]
    values = list(chosen.values())
    low, high = site.mark_range
    good = len(set(values)) == len(values) and not pinned & set(values) and all(low <= v <= high for v in values)
    assert good, f"chosen marks {chosen} beside {sorted(pinned)} in {low:#x}-{high:#x}\n{site.to_lb()}"
    assert (None in chosen) == (site.guard_mode() in ("local", "drop")), f"guard {said['guard']}\n{site.to_lb()}"
    return chosen, "mark-collision" in done.stderr


LAYOUTS = ("auto", "linear", "tree", "ipset")
layout = LAYOUTS[0]  # of the loaders


def load_apply(director: str) -> None:
    lbc_ok("apply", str(SITE), "--only", "marks", "-d", director, "--layout", layout, "--backend", "iptables")


def load_restore(director: str, variant: str) -> None:
    for program in FAMILIES:
        text = lbc_ok("compile", str(SITE), "-d", director, "--emit", program, "--layout", layout)
        if sets := "".join(line[7:] + "\n" for line in text.splitlines() if line.startswith("#ipset ")):
            net.run("ipset", "restore", "-exist", text=sets)
        net.run(f"{program}-{variant}-restore", "--noflush", text=text)


def load_script(director: str, variant: str) -> None:
    script = SCRATCH / "rules.sh"
    script.write_text(lbc_ok("compile", str(SITE), "--emit", "sh", "--layout", layout), encoding="utf-8")
    environment = {**os.environ, "LBC_ONLY": "marks", "IPTABLES": f"iptables-{variant}",
                   "IP6TABLES": f"ip6tables-{variant}"}
    done = subprocess.run(["sh", str(script), "apply", director], env=environment, capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"rules.sh: status {done.returncode}\n{done.stderr}")


def load_apply_nft(director: str) -> None:
    lbc_ok("apply", str(SITE), "--only", "marks", "-d", director, "--backend", "nft")


def load_nft_script(director: str) -> None:
    script = SCRATCH / "rules.sh"
    script.write_text(lbc_ok("compile", str(SITE), "--emit", "sh", "--backend", "nft"), encoding="utf-8")
    net.run("env", "LBC_ONLY=marks", "sh", str(script), "apply", director)


def load_nft(director: str) -> None:
    net.run("nft", "-f", "-", text=lbc_ok("compile", str(SITE), "-d", director, "--emit", "nft"))


LOADERS = {
    "apply": load_apply,
    "nft": load_nft,
    "sh-backend-nft": load_nft_script,
    "apply-nft": load_apply_nft,
    "restore-legacy": lambda director: load_restore(director, "legacy"),
    "restore-nft": lambda director: load_restore(director, "nft"),
    "sh-legacy": lambda director: load_script(director, "legacy"),
    "sh-nft": lambda director: load_script(director, "nft"),
}


def clear() -> None:
    """Empties the mangle tables of either kind, and takes lbc's own table away."""
    for program in FAMILIES:
        net.run(f"{program}-legacy-restore", text="*mangle\nCOMMIT\n")
    for table in (("ip", "mangle"), ("ip6", "mangle"), ("inet", "lbc")):
        subprocess.run(["nft", "delete", "table", *table], capture_output=True)
    net.run("ipset", "destroy")


def saved(program: str = "iptables", counters: bool = False) -> list[str]:
    """The mangle table as text, without the comments that hold the time."""
    command = [f"{program}-legacy-save", "-t", "mangle", *(["-c"] if counters else [])]
    return [line for line in net.run(*command).splitlines() if not line.startswith("#")]


def listed(*what: str) -> list[str]:
    return ordered(net.run("nft", "-j", "list", *what))


def everything(counters: bool = False) -> dict[str, list[str]]:
    """The mangle tables, and all of nftables."""
    return {"nft": listed("ruleset"), **{program: saved(program, counters) for program in FAMILIES}}


def is_own(line: str) -> bool:
    """Whether a line of `iptables-save` is an own chain or rule."""
    words = line.split()
    names = [words[0][1:]] if line.startswith(":") else [words[i + 1] for i, w in enumerate(words[:-1])
                                                         if w in ("-A", "-j", "-g")]
    return any(name == "LBC" or name.startswith("LBC-") for name in names)


def own(lines: list[str]) -> list[str]:
    return [line for line in lines if is_own(line)]


def foreign(lines: list[str]) -> list[str]:
    return [line for line in lines if not is_own(line)]


def fail_with(site: Site, director: str, seed: object, how: str, differences: list[str]) -> str:
    shown = "\n  ".join(differences[:8])
    return (f"seed {seed}, director {director}, loaded by {how}: {len(differences)} packets differ\n  {shown}\n"
            f"--- site ---\n{site.to_lb()}\n--- command ---\nPYTHONPATH=tests/support {sys.argv[0]} --seed {seed}")
