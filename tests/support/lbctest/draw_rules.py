"""Foreign rules, drawn at random around lbc's, each about a packet that is sent: it matches that one, or just not."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_network
from random import Random

from lbctest.model import WITH_PORTS, Packet

# Built-in chains with foreign rules, by table; "^" stands for the place before what is there, "$" for the end.
PLACES = {"raw": ("PREROUTING $", "OUTPUT $"),
          "mangle": ("PREROUTING ^", "PREROUTING $", "INPUT $", "OUTPUT ^", "OUTPUT $"),
          "filter": ("INPUT $",)}
MASKS = (0xFFFFFFFF, 0xFFFFFFFF, 0xFF, 0xF0F, 0xFFFF0000, 0x80000001)
NAMES = {6: "tcp", 17: "udp", 132: "sctp"}


@dataclass
class Table:
    name: str
    chains: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    def text(self) -> str:
        return "\n".join([f"*{self.name}", *(f":{chain} - [0:0]" for chain in self.chains), *self.rules, "COMMIT", ""])


class Rules:
    """Draws the rules of one family; the same random state gives the same rules."""

    def __init__(self, rng: Random, packets: list[Packet], marks: list[int]):
        self.rng, self.marks = rng, [*marks, 0, 0x10, 0x4D2]
        self.packets = packets

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def text(self) -> str:
        return "".join(self.table(name).text() for name in PLACES)

    def table(self, name: str) -> Table:
        table = Table(name)
        for way in ("in", "out"):
            chains = [f"{way}-{number}" for number in range(self.rng.randint(0, 3))]
            table.chains += chains
            for number, chain in enumerate(chains):
                # Each leads into later ones alone: the kernel refuses loops.
                table.rules += [f"-A {chain} {self.rule(way, chains[number + 1:])}"
                                for _ in range(self.rng.randint(1, 4))]
            for place in PLACES[name]:
                builtin, end = place.split()
                if (builtin == "OUTPUT") == (way == "out"):
                    verb = f"-A {builtin}" if end == "$" else f"-I {builtin} 1"
                    table.rules += [f"{verb} {self.rule(way, chains)}" for _ in range(self.rng.randint(0, 3))]
        return table

    def rule(self, way: str, chains: list[str]) -> str:
        suitable = [p for p in self.packets if (p.device is None) == (way == "out")]
        packet = self.rng.choice(suitable or self.packets)
        words = [self.interface(packet, way), self.destination(packet), self.protocol(packet), self.source(packet, way),
                 self.mark()]
        return " ".join([*(word for word in words if word), self.target(chains)])

    def some(self, text: str, probability: float = 0.1) -> str:
        """Negated now and then."""
        return f"! {text}" if self.chance(probability) else text

    def interface(self, packet: Packet, way: str) -> str:
        if way == "out" or packet.device is None or not self.chance(0.3):
            return ""
        return self.some("-i " + self.rng.choice((packet.device, f"{packet.device[:2]}+", "eth1+")))

    def destination(self, packet: Packet) -> str:
        if not self.chance(0.5):
            return ""
        whole = 32 if packet.family == 4 else 128
        length = self.rng.choice((whole, whole, whole - 1, whole - 4, whole // 2, 8))
        return self.some(f"-d {ip_network((packet.to, length), strict=False)}")

    def protocol(self, packet: Packet) -> str:
        if not self.chance(0.6):
            return ""
        if packet.protocol not in WITH_PORTS or self.chance(0.3):
            return self.some(f"-p {NAMES.get(packet.protocol, packet.protocol)}")
        name, port = NAMES[packet.protocol], packet.port
        ports = self.rng.choice((f"{port}", f"{min(port, 65528)}:{min(port + 7, 65535)}", f"{max(port - 1, 0)}:65535", "1:1023"))
        if self.chance(0.5):
            return f"-p {name} -m {name} {self.some(f'--dport {ports}')}"
        return f"-p {name} -m multiport {self.some(f'--dports {ports},7,9:11')}"

    def source(self, packet: Packet, way: str) -> str:
        if way == "out" or not self.chance(0.3):  # the kernel has no such match there
            return ""
        mac = packet.mac if packet.mac and self.chance(0.7) else self.rng.choice(self.packets).mac
        return "-m mac " + self.some(f"--mac-source {mac}", 0.3) if mac else ""

    def mark(self) -> str:
        if not self.chance(0.35):
            return ""
        mask = self.rng.choice(MASKS)
        return "-m mark " + self.some(f"--mark {self.rng.choice(self.marks) & mask:#x}/{mask:#x}", 0.3)

    def target(self, chains: list[str]) -> str:
        kind = self.rng.choice(("mark",) * 6 + ("accept", "return", "return", "drop", "log", "none") + ("lead",) * 6)
        if kind == "lead" and chains:
            return f"{self.rng.choice(('-j', '-j', '-g'))} {self.rng.choice(chains)}"
        if kind in ("lead", "mark"):
            mark, mask = self.rng.choice(self.marks), self.rng.choice(MASKS)
            return "-j MARK " + self.rng.choice((f"--set-xmark {mark:#x}/{mask:#x}", f"--set-mark {mark:#x}/{mask:#x}",
                                                 f"--set-mark {mark:#x}", f"--or-mark {mark:#x}",
                                                 f"--and-mark {mask:#x}", f"--xor-mark {mark:#x}"))
        return {"accept": "-j ACCEPT", "return": "-j RETURN", "drop": "-j DROP", "log": "-j LOG", "none": ""}[kind]
