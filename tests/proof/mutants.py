"""Every way in which a restore text can be wrong in one place, as far as iptables would still load it."""

from __future__ import annotations

import re
from ipaddress import ip_network
from random import Random

FOREIGN_MARK = 0x7700
LONGEST_NAME = 15  # of an interface (IFNAMSIZ)
PORTS = re.compile(r"(--dports? )([\d:,]+)")
ASKED = (r"-d \S+", r"-p \S+ -m \S+ --dports? \S+", r"-p \S+", r"-i \S+", r"-m mac --mac-source \S+")
NEGATABLE = ("-i ", "-d ", "--dport ", "--dports ", "--mac-source ", "--mark ")


def split(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def is_rule(line: str) -> bool:
    return line.startswith("-A")


def chain_of(line: str) -> str:
    return line.split()[1]


class Mutator:
    """Gives mutants of one text as pairs of a kind and a text."""

    def __init__(self, text: str, family: int, site_marks: set[int], rng: Random):
        self.lines, self.family, self.site_marks, self.rng = split(text), family, sorted(site_marks), rng

    def all(self):
        for number, line in enumerate(self.lines):
            if not is_rule(line):
                continue
            for kind, instead in (("deleted", []), ("doubled", [line, line])):
                yield kind, self.with_lines(number, number + 1, instead)
            following = self.lines[number + 1]
            if is_rule(following) and chain_of(following) == chain_of(line):
                yield "swapped", self.with_lines(number, number + 2, [following, line])
            for kind, instead in self.changes(line):
                if instead != line:
                    yield kind, self.with_lines(number, number + 1, [instead])
            if chain_of(line) in ("PREROUTING", "OUTPUT"):
                for kind, before, behind in self.foreign(chain_of(line)):
                    yield kind, self.with_lines(number, number + 1, [*before, line, *behind])
        yield from self.other_tables()

    def with_lines(self, first: int, last: int, instead: list[str]) -> str:
        return joined(self.lines[:first] + instead + self.lines[last:])

    def changes(self, line: str):
        for change in (self.destination, self.ports, self.mac, self.protocol, self.mark, self.interface,
                       self.negation, self.jump):
            yield from ((f"{change.__name__}: {kind}", instead) for kind, instead in change(line))

    def destination(self, line: str):
        found = re.search(r"-d (\S+)/(\d+)", line)
        if not found:
            return
        net, width = ip_network(found[0][3:]), 32 if self.family == 4 else 128
        for bit in {width - net.prefixlen, self.rng.randrange(width - net.prefixlen, width)} if net.prefixlen else ():
            other = type(net.network_address)(int(net.network_address) ^ 1 << bit)
            yield "bit", line.replace(found[0], f"-d {other}/{net.prefixlen}")
        for length in (net.prefixlen - 1, net.prefixlen + 1):
            if 0 <= length <= width:
                yield "length", line.replace(found[0], f"-d {ip_network((net[0], length), strict=False)}")

    def ports(self, line: str):
        found = PORTS.search(line)
        if not found:
            return
        ranges = [tuple(map(int, part.split(":"))) for part in found[2].split(",")]
        for number, ends in enumerate(ranges):
            for end in range(len(ends)):
                for step in (-1, 1):
                    changed = [*ends]
                    changed[end] += step
                    if 0 <= changed[0] <= changed[-1] <= 65535:
                        texts = [":".join(map(str, r)) for r in [*ranges[:number], changed, *ranges[number + 1:]]]
                        yield "step", line.replace(found[0], found[1] + ",".join(texts))

    def mac(self, line: str):
        found = re.search(r"--mac-source (\S+)", line)
        if found:
            number = int(found[1].replace(":", ""), 16) ^ 1 << self.rng.randrange(48)
            other = ":".join(f"{byte:02x}" for byte in number.to_bytes(6, "big"))
            yield "bit", line.replace(found[1], other)

    def protocol(self, line: str):
        found = re.search(r"-p (\S+)", line)
        if not found:
            return
        if PORTS.search(line):  # the match for ports is of the same protocol, or the kernel refuses it
            for other in {"tcp", "udp", "sctp"} - {found[1]}:
                yield "other", re.sub(rf"(-[pm]) {found[1]}\b", rf"\1 {other}", line)
            return
        number = int(found[1]) if found[1].isdigit() else {"tcp": 6, "udp": 17, "sctp": 132}[found[1]]
        for bit in self.rng.sample(range(8), 2):
            if number ^ 1 << bit:
                yield "bit", line.replace(found[0], f"-p {number ^ 1 << bit}")
        if f"! {found[0]}" not in line:
            yield "negated", line.replace(found[0], f"! {found[0]}")
        yield "away", re.sub(r"(! )?-p \S+ ", "", line)

    def mark(self, line: str):
        found = re.search(r"--set-xmark (0x\w+)/0xffffffff", line)
        bits = [1 << self.rng.randrange(32) for _ in range(2)]
        if found:
            yield "bit", line.replace(f"{found[1]}/", f"{int(found[1], 16) ^ bits[0]:#x}/")
            yield "mask", line.replace("/0xffffffff", f"/{0xFFFFFFFF ^ bits[1]:#x}")
            for other in self.site_marks:
                yield "another service's", line.replace(f"{found[1]}/", f"{other:#x}/")
        found = re.search(r"--mark (0x\w+)", line)
        if found:
            value = int(found[1], 16)
            zero = next(1 << n for n in range(32) if not value >> n & 1) if value != 0xFFFFFFFF else 1
            yield "asked bit", line.replace(found[0], f"--mark {value ^ bits[0]:#x}")
            for mask in (bits[1], zero):
                yield "asked mask", line.replace(found[0], f"{found[0]}/{0xFFFFFFFF ^ mask:#x}")

    def interface(self, line: str):
        found = re.search(r"-i (\S+)", line)
        if not found:
            return
        name = found[1].rstrip("+")
        if name:
            at = self.rng.randrange(len(name))
            letter = "x" if name[at] != "x" else "y"
            yield "letter", line.replace(found[0], f"-i {name[:at]}{letter}{found[1][at + 1:]}")
        if found[1].endswith("+"):
            yield "no pattern", line.replace(found[0], f"-i {name or 'eth0'}")
        elif len(name) < LONGEST_NAME:
            yield "pattern", line.replace(found[0], f"-i {name}+")
        yield "away", re.sub(r"(! )?-i \S+ ", "", line)

    def negation(self, line: str):
        for option in NEGATABLE:
            if f"! {option}" in line:
                yield option.strip(), line.replace(f"! {option}", option)
            elif f" {option}" in line:
                yield option.strip(), line.replace(f" {option}", f" ! {option}")

    def jump(self, line: str):
        found = re.search(r"-([jg]) (\S+)( --set-xmark \S+)?$", line)
        for target in {"RETURN", "ACCEPT", "DROP"} - {found[2]}:
            yield target, line.replace(found[0], f"-j {target}")
        if found[2].startswith("LBC"):
            yield "-g and -j", line.replace(found[0], f"-{'g' if found[1] == 'j' else 'j'} {found[2]}")

    def matches(self, chain: str) -> list[str]:
        """What foreign rules may ask: nothing, or what rules of the text ask, each part of it."""
        parts = {""}
        for line in filter(is_rule, self.lines):
            for pattern in ASKED:
                found = re.search(pattern, line)
                if found and not (chain == "OUTPUT" and re.match("-i|-m mac", pattern)):
                    parts.add(found[0])
        return sorted(parts)

    def marks(self) -> list[str]:
        mark = self.rng.choice(self.site_marks or [1])
        bit = 1 << self.rng.randrange(32)
        return [f"{FOREIGN_MARK:#x}/0xffffffff", f"{FOREIGN_MARK:#x}/0xff00", f"{mark:#x}/0xffffffff",
                f"{bit:#x}/{bit:#x}", f"0x0/{bit:#x}", "0x0/0xffffffff"]

    def foreign(self, chain: str):
        for asked in self.matches(chain):
            rule = " ".join(filter(None, (f"-A {chain}", asked)))
            for target in ("ACCEPT", "RETURN", "DROP"):
                yield f"foreign: {target} before", [f"{rule} -j {target}"], []
            yield "foreign: behind", [], [f"{rule} -j {self.rng.choice(('ACCEPT', 'DROP'))}"]
            for place in ("before", "behind"):
                marked = [f"{rule} -j MARK --set-xmark {self.rng.choice(self.marks())}"]
                yield f"foreign: MARK {place}", marked if place == "before" else [], \
                    marked if place == "behind" else []
            gate = [":gate - [0:0]", f"{rule} -{self.rng.choice('jg')} gate",
                    f"-A gate -j {self.rng.choice(('ACCEPT', 'RETURN', 'DROP'))}"]
            yield "foreign: chain", gate, []

    def other_tables(self):
        for table, chain in (("raw", "PREROUTING"), ("raw", "OUTPUT"), ("mangle", "INPUT"), ("filter", "INPUT"),
                             ("nat", "PREROUTING")):
            for asked in self.rng.sample(self.matches(chain), min(4, len(self.matches(chain)))):
                rule = " ".join(filter(None, (f"-A {chain}", asked)))
                targets = ["DROP", "ACCEPT"] if table != "nat" else ["ACCEPT"]
                targets += [f"MARK --set-xmark {self.rng.choice(self.marks())}"] if table == "mangle" else []
                more = [f"{rule} -j {self.rng.choice(targets)}"]
                if table == "mangle":
                    yield f"foreign: {table} {chain}", joined(self.lines[:-1] + more + self.lines[-1:])
                else:
                    yield f"foreign: {table} {chain}", joined([f"*{table}", *more, "COMMIT", *self.lines])
        policy = f":{self.rng.choice(('PREROUTING', 'INPUT', 'OUTPUT'))} DROP [0:0]"
        yield "foreign: policy", joined([self.lines[0], policy, *self.lines[1:]])
