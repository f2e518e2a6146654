"""Tables of others in nftables, drawn at random, each rule about a packet that is sent: it matches that one, or just
not."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from random import Random

from lbctest.model import WITH_PORTS, Packet

NAMES = {6: "tcp", 17: "udp", 132: "sctp"}
HOOKS = {"in": (("prerouting", -310), ("prerouting", -200), ("prerouting", -149), ("input", -10), ("input", 60)),
         "out": (("output", -310), ("output", -149), ("output", -110))}
MASKS = (0xFF, 0xF0F, 0xFFFF0000, 0x80000001)


class NftRules:
    """Draws tables that see packets of both families; the same random state gives the same tables."""

    def __init__(self, rng: Random, packets: list[Packet], marks: list[int]):
        self.rng, self.packets, self.marks = rng, packets, [*marks, 0, 0x10, 0x4D2]
        self.sets: list[str] = []

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def text(self) -> str:
        return "".join(self.table(f"theirs{number}", number) for number in range(self.rng.randint(1, 3)))

    def table(self, name: str, later: int) -> str:
        """Each has priorities of its own: of equal ones, a kernel does not tell the order."""
        self.sets, chains = [], []
        for way, hooks in HOOKS.items():
            inner = [f"{way}_{number}" for number in range(self.rng.randint(0, 3))]
            for number, chain in reversed(list(enumerate(inner))):
                chains.append(self.chain(chain, "", way, inner[number + 1:]))  # which are there before it
            for hook, priority in self.rng.sample(hooks, self.rng.randint(1, len(hooks))):
                kind = "route" if hook == "output" else "filter"
                head = f"type {kind} hook {hook} priority {priority + later}; policy {'drop' if self.chance(0.04) else 'accept'};"
                chains.append(self.chain(f"{hook}{abs(priority)}", head, way, inner))
        return "\n".join([f"table inet {name} {{", *self.sets, *chains, "}", ""])

    def chain(self, name: str, head: str, way: str, inner: list[str]) -> str:
        rules = [self.rule(way, inner) for _ in range(self.rng.randint(1, 5))]
        return "\n".join([f"chain {name} {{", *([head] if head else []), *rules, "}"])

    def rule(self, way: str, inner: list[str]) -> str:
        suitable = [p for p in self.packets if (p.device is None) == (way == "out")]
        packet = self.rng.choice(suitable or self.packets)
        words = [self.interface(packet, way), self.source(packet, way), self.mark(), self.destination(packet),
                 self.protocol(packet)]
        self.rng.shuffle(words)
        effects = [self.effect(packet) for _ in range(self.rng.choice((0, 1, 1, 2)))]
        if effects and self.chance(0.2):
            effects.insert(1, self.mark() or "counter")  # what is asked behind an effect
        return " ".join([word for word in (*words, *effects) if word] + [self.verdict(packet, inner)])

    def some(self, left: str, values: list[str]) -> str:
        """Negated now and then; in a set, in one with a name, or alone."""
        operator = "!= " if self.chance(0.2) else ""
        if len(values) == 1:
            return f"{left} {operator}{values[0]}"
        return f"{left} {operator}{{ {', '.join(values)} }}"

    def interface(self, packet: Packet, way: str) -> str:
        if way == "out" or packet.device is None or not self.chance(0.3):
            return ""
        if self.chance(0.2):
            return "iiftype != ether"  # nft does not list `iiftype ether`
        names = {packet.device, *self.rng.sample(("eth0", "eth7", "tun7"), self.rng.randint(0, 2))}
        return self.some("iifname", [f'"{name}"' for name in sorted(names)] if self.chance(0.6) else
                         [f'"{packet.device[:2]}*"'])

    def source(self, packet: Packet, way: str) -> str:
        if way == "out" or packet.mac is None or not self.chance(0.25):
            return ""
        macs = {packet.mac, *self.rng.sample(("02:00:00:00:00:21", "02:00:00:00:00:22"), self.rng.randint(0, 2))}
        return self.some("ether saddr", sorted(macs))

    def destinations(self, packet: Packet) -> list[str]:
        whole = 32 if packet.family == 4 else 128
        if self.chance(0.3):
            to = ip_address(packet.to)
            return [f"{to}-{to + self.rng.randint(1, 6)}"]
        length = self.rng.choice((whole, whole, whole - 1, whole - 4, whole // 2))
        one = str(ip_network((packet.to, length), strict=False)) if length < whole else packet.to
        return [one, *(["8.7.6.5"] if packet.family == 4 else ["fd77::5"])][:self.rng.randint(1, 2)]

    def destination(self, packet: Packet) -> str:
        if not self.chance(0.5):
            return ""
        values = self.destinations(packet)
        words = "ip daddr" if packet.family == 4 else "ip6 daddr"
        if not self.chance(0.3):
            return self.some(words, values)
        name = f"set{len(self.sets)}"
        kind = "ipv4_addr" if packet.family == 4 else "ipv6_addr"
        self.sets.append(f"set {name} {{ type {kind}; flags interval; elements = {{ {', '.join(values)} }} }}")
        return f"{words} {'!= ' if self.chance(0.2) else ''}@{name}"

    def protocol(self, packet: Packet) -> str:
        if not self.chance(0.6):
            return ""
        if packet.protocol not in WITH_PORTS or packet.port is None or self.chance(0.3):
            return self.some("meta l4proto", [str(packet.protocol)])
        low = max(packet.port - self.rng.randint(0, 3), 1)
        values = [str(packet.port) if self.chance(0.5) else f"{low}-{min(packet.port + 2, 65535)}"]
        if self.chance(0.4) and packet.port > 9:
            values.append("1-5")
        if self.chance(0.3):
            return f"meta l4proto {{ tcp, udp, sctp }} {self.some('th dport', values)}"
        return self.some(f"{NAMES[packet.protocol]} dport", values)

    def mark(self) -> str:
        if not self.chance(0.3):
            return ""
        mark = self.rng.choice(self.marks)
        if self.chance(0.5):
            return f"meta mark {self.rng.choice(('', '!= '))}{mark:#x}"
        mask = self.rng.choice(MASKS)
        return f"meta mark & {mask:#x} {self.rng.choice(('==', '!='))} {mark & mask:#x}"

    def effect(self, packet: Packet) -> str:
        mark = self.rng.choice(self.marks)
        kind = self.rng.randint(0, 9)
        if kind < 4:
            return f"meta mark set {mark:#x}"
        if kind < 7:
            operator = self.rng.choice(("|", "&", "^"))
            return f"meta mark set meta mark {operator} {self.rng.choice(MASKS):#x}"
        if kind < 9 and packet.protocol in WITH_PORTS and packet.port is not None:
            return self.map(packet, mark)
        return "counter"

    def map(self, packet: Packet, mark: int) -> str:
        name = f"map{len(self.sets)}"
        kind, words = ("ipv4_addr", "ip daddr") if packet.family == 4 else ("ipv6_addr", "ip6 daddr")
        port = packet.port if self.chance(0.8) else packet.port % 60000 + 1
        self.sets.append(f"map {name} {{ type {kind} . inet_proto . inet_service : mark; flags interval; elements = {{ "
                         f"{packet.to} . {packet.protocol} . {port} : {mark:#x} }} }}")
        return f"meta mark set {words} . meta l4proto . th dport map @{name}"

    def verdict(self, packet: Packet, inner: list[str]) -> str:
        kind = self.rng.randint(0, 19)
        if inner and kind < 7:
            return f"{self.rng.choice(('jump', 'goto'))} {self.rng.choice(inner)}"
        if kind < 9:
            return "return"
        if kind < 11:
            return "accept"
        if kind == 11:
            return "drop"
        if kind == 12 and packet.device is not None:
            return f'iifname vmap {{ "{packet.device}" : return, "eth9" : drop }}'
        return "counter"
