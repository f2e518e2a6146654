#!/usr/bin/python3
"""Measures lbc beside the tools that are used for the same work today, and writes docs/benchmarks.md.

bench.py PATH-OF-LBC [ROUNDS]: needs root, ferm and iptables-legacy. Methods take turns round by round, each load in a
network namespace of its own, so that a busy moment of the machine meets all of them; figures are medians of rounds.
"""
import ctypes
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVICES = 1000
SCRIPT_ROUNDS = 3  # one call per rule takes seconds: it runs in the first rounds alone
CLONE_NEWNET = 0x40000000
PEER = "08:00:27:46:c7:d4"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def services():
    for i in range(SERVICES):
        yield f"10.64.{i // 250}.{i % 250 + 1}", 1000 + i, i + 1


def site_text():
    lines = ["guard off", "marks 0x1000-0x1fff",
             "director lb1 { mac 08:00:27:9e:ef:a0; address 192.168.23.11 }",
             f"director lb2 {{ mac {PEER}; address 192.168.23.12 }}"]
    for number, (vip, port, mark) in enumerate(services()):
        lines.append(f"service s{number} {{ vip {vip}; port tcp {port}; mark {mark}; real 192.168.23.21 }}")
    return "\n".join(lines) + "\n"


def ferm_text():
    """The rules that lbc makes of the site, as ferm's language says them."""
    lines = ["domain ip table mangle {", "chain PREROUTING jump LBC;", "chain LBC {", "interface lo RETURN;",
             f"mod mac mac-source {PEER} RETURN;"]
    for vip, port, mark in services():
        lines.append(f"daddr {vip} proto tcp dport {port} MARK set-mark {mark};")
    return "\n".join(lines) + "\n}\n}\n"


def rules_of(text):
    """The rules of a restore text in one spelling: jumps and marks without regard to order of options or defaults."""
    rules = set()
    for line in text.splitlines():
        words = line.replace("/0xffffffff", "").replace("/32", "").replace("--set-xmark", "--set-mark").split()
        if not words or words[0] not in ("-A", "--append"):
            continue
        names = {"--append": "-A", "--jump": "-j", "--goto": "-g", "--protocol": "-p", "--destination": "-d",
                 "--in-interface": "-i", "--match": "-m"}
        words = [names.get(word, word) for word in words]
        while "tcp" in words and "-m" in words and words[words.index("tcp") - 1] == "-m":
            del words[words.index("tcp") - 1:words.index("tcp") + 1]
        mark = words.index("--set-mark") + 1 if "--set-mark" in words else None
        if mark:
            words[mark] = str(int(words[mark], 0))
        joined = " ".join(words)
        for option in (" -m tcp", " -m mac"):
            joined = joined.replace(option, "")
        rules.add(" ".join(sorted(joined.split())))
    return rules


def run(argv):
    begin = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def in_namespace(*commands):
    """Seconds that each command took, one after the other in one new network namespace, and its rules at the end."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0:
                times = [run(argv) for argv in commands]
                saved = subprocess.run(["iptables-legacy-save", "-t", "mangle"], check=True, capture_output=True,
                                       text=True).stdout
                os.write(writer, " ".join(map(str, times + [saved.count("\n-A ")])).encode())
                status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read().split()
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("bench: a command failed in its namespace; root is needed")
    return [float(word) for word in answer[:-1]], int(answer[-1])


class Bench:
    def __init__(self, lbc, folder):
        self.site = folder / "site.lb"
        self.ferm = folder / "site.ferm"
        self.restore = folder / "rules"
        self.script = folder / "rules.sh"
        self.site.write_text(site_text())
        self.ferm.write_text(ferm_text())
        self.compile = [lbc, "compile", str(self.site), "-d", "lb1", "--emit", "iptables", "--layout", "linear"]
        self.apply = [lbc, "apply", str(self.site), "-d", "lb1", "--only", "marks", "--backend", "iptables",
                      "--layout", "linear"]
        self.ferm_lines = ["ferm", "--noexec", "--lines", str(self.ferm)]
        self.times = {}

    def prepare(self):
        text = subprocess.run(self.compile, check=True, capture_output=True, text=True).stdout
        self.restore.write_text(text)
        ferm = subprocess.run(self.ferm_lines, check=True, capture_output=True, text=True).stdout
        self.rules = rules_of(text)
        if self.rules != rules_of(ferm):
            odd = sorted(self.rules ^ rules_of(ferm))
            sys.exit(f"bench: lbc and ferm make different rules, such as: {odd[:4]}")
        calls = ["set -e", "iptables-legacy -t mangle -N LBC"]
        calls += [f"iptables-legacy -t mangle {line}" for line in text.splitlines() if line.startswith("-A")]
        self.script.write_text("\n".join(calls) + "\n")

    def note(self, method, seconds):
        self.times.setdefault(method, []).append(seconds * 1000)

    def load(self, methods, *commands):
        seconds, rules = in_namespace(*commands)
        if rules != len(self.rules):
            sys.exit(f"bench: {methods[0]} left {rules} rules, not {len(self.rules)}")
        for method, value in zip(methods, seconds):
            self.note(method, value)

    def round(self, number):
        self.note("process", run(["/bin/true"]))
        self.note("lbc compile", run(self.compile))
        self.note("ferm", run(self.ferm_lines))
        self.load(["lbc apply", "lbc apply again"], self.apply, self.apply)
        self.load(["restore"], ["iptables-legacy-restore", "--noflush", str(self.restore)])
        if number < SCRIPT_ROUNDS:
            self.load(["script"], ["sh", str(self.script)])

    def row(self, label, method, base):
        times = self.times[method]
        # Ratios within a round: what slows the machine down for a while slows both.
        ratio = statistics.median(a / b for a, b in zip(times, self.times[base]))
        shown = "1" if method == base else f"{ratio:.1f}"
        return (f"| {label} | {statistics.median(times):.1f} | {min(times):.1f} to {max(times):.1f} "
                f"| {len(times)} | {shown} |")


def version(*argv):
    out = subprocess.run(argv, check=True, capture_output=True, text=True)
    return (out.stdout or out.stderr).splitlines()[0].strip()


def machine():
    model = "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release().split('-')[0]}"


def page(bench, lbc):
    head = "| method | median ms | lowest to highest | rounds | times lbc |\n| --- | ---: | ---: | ---: | ---: |"
    compile_rows = [bench.row("`lbc compile --emit iptables`", "lbc compile", "lbc compile"),
                    bench.row("`ferm --noexec --lines`", "ferm", "lbc compile"),
                    bench.row("`/bin/true`, what starting a process costs", "process", "lbc compile")]
    load_rows = [bench.row("`lbc apply --only marks`: reads, resolves, checks, loads, reads back", "lbc apply", "lbc apply"),
                 bench.row("`lbc apply` again, nothing differs", "lbc apply again", "lbc apply"),
                 bench.row("`iptables-legacy-restore --noflush`, rules made beforehand", "restore", "lbc apply"),
                 bench.row("a script with one `iptables-legacy` call for each rule", "script", "lbc apply")]
    return f"""# Benchmarks

Made by `./dev bench`, which writes this page. Every figure is the wall time of a whole process, in milliseconds. What is
in one table was measured in one run; the machine is not equally fast in all, so tables of two sections do not compare.

- {SERVICES} services, each with one VIP, one port and one mark; two directors: {len(bench.rules)} rules on the one measured.
- Methods take turns, round by round, and each load has a new network namespace. "Times lbc" is the median of the ratios
  within a round, so it is steadier than the times, whose spread shows how busy the machine was.
- lbc and ferm are held to the same rules, and each load to the same number of rules in the kernel, else the run fails.
- {machine()}. {version(lbc, "--version")}, Release build; {version("ferm", "--version")};
  {version("iptables-legacy", "--version")}.

## From source to rules

{head}
{chr(10).join(compile_rows)}

## Into the kernel

{head}
{chr(10).join(load_rows)}

A load by `lbc apply` or by `iptables-legacy-restore` is one change of the table: no packet meets half of the rules. The
script is {SERVICES} changes, with every state between.
"""


def main():
    lbc = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    for tool in ("ferm", "iptables-legacy", "iptables-legacy-restore"):
        if not shutil.which(tool):
            sys.exit(f"bench: {tool} is not installed; ./dev setup bench installs it")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(lbc, Path(folder))
        bench.prepare()
        for number in range(rounds):
            bench.round(number)
            print(f"round {number + 1} of {rounds}", end="\r" if sys.stdout.isatty() else "\n", flush=True)
        PAGE.write_text(page(bench, lbc))
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
