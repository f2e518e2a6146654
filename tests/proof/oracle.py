"""What a kernel does to packets by the rules in an iptables-save text, from iptables(8), iptables-extensions(8) and the
order of the hooks alone. It reads just the matches and targets that can be answered with yes or no.

A walk takes any number of packets at once: a set of them is an int, which has one bit for each.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from lbctest.model import DROPPED, PROTOCOLS, WITH_PORTS, Meaning, Packet, interface_matches

WHOLE = 0xFFFFFFFF
NUMBERS = {**PROTOCOLS, "icmp": 1, "ipv6-icmp": 58, "gre": 47, "esp": 50, "ipencap": 4, "ipv6": 41}

# The chains that a packet passes before IPVS sees it, by priority (netfilter_ipv4.h). Those of nat see the first packet
# of a connection alone, so no yes or no can be said of them.
ENTERING = (("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("mangle", "INPUT"), ("filter", "INPUT"),
            ("security", "INPUT"))
LEAVING = (("raw", "OUTPUT"), ("mangle", "OUTPUT"))

# Which field of a packet a condition asks for; `mark` is what the walk has given it by then.
ASKS = {"-i": "device", "-d": "to", "-p": "protocol", "--dport": "port", "--dports": "port", "--mac-source": "mac",
        "--mark": "mark"}
TARGETS = ("MARK", "RETURN", "ACCEPT", "DROP")


@dataclass(frozen=True)
class Condition:
    option: str
    value: str
    negated: bool

    def holds(self, asked: object) -> bool:
        """Whether a packet with this in the field that the condition asks for matches."""
        if self.option == "--mac-source":
            # Nothing matches without an Ethernet header, negated or not.
            return asked is not None and (asked == self.value.lower()) != self.negated
        return self._positive(asked) != self.negated

    def _positive(self, asked: object) -> bool:
        match self.option:
            case "-i":  # a packet on its way out has an interface without a name
                return interface_matches(self.value, asked or "")
            case "-d":
                return ip_address(asked) in network_of(self.value)
            case "-p":
                return protocol_of(self.value) in (0, asked)
            case "--mark":
                value, mask = masked(self.value)
                return asked & mask == value
        # Without a port the rule's `-p` does not hold, so either answer is right.
        return asked is not None and any(first <= asked <= last for first, last in port_ranges(self.value))


@dataclass(frozen=True)
class Rule:
    chain: str
    conditions: tuple[Condition, ...]
    verb: str | None  # -j, -g; None: there is no target
    target: str | None
    value: str | None = None  # of --set-xmark

    @property
    def is_own(self) -> bool:
        return any(name == "LBC" or name.startswith("LBC-") for name in (self.chain, self.target or ""))


@dataclass
class Table:
    chains: dict[str, list[Rule]] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)


def network_of(text: str):
    return ip_network(text, strict=False)


def protocol_of(text: str) -> int:
    return NUMBERS[text] if text in NUMBERS else 0 if text == "all" else int(text)


def masked(text: str) -> tuple[int, int]:
    value, _, mask = text.partition("/")
    return int(value, 0), int(mask, 0) if mask else WHOLE


def port_ranges(text: str) -> list[tuple[int, int]]:
    ends = [part.partition(":") for part in text.split(",")]
    return [(int(first or 0), int(last or 65535) if colon else int(first)) for first, colon, last in ends]


def rule_of(line: str) -> Rule:
    words = iter(shlex.split(line)[1:])
    chain, conditions, verb, target, value, negated = next(words), [], None, None, None, False
    for word in words:
        if word == "!":
            negated = True
            continue
        argument = next(words)
        if word in ASKS:
            conditions.append(Condition(word, argument, negated))
        elif word in ("-j", "-g"):
            verb, target = word, argument
        elif word == "--set-xmark":
            value = argument
        elif word not in ("-m", "--comment"):
            raise ValueError(f"{word} is not of this oracle: {line}")
        negated = False
    return Rule(chain, tuple(conditions), verb, target, value)


def read(text: str) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    table = Table()
    for line in text.splitlines():
        if line.startswith("*"):
            table = tables.setdefault(line[1:], Table())
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            table.chains.setdefault(name, [])
            table.policies[name] = policy
        elif line.startswith("-A"):
            rule = rule_of(line)
            table.chains.setdefault(rule.chain, []).append(rule)
    return tables


# A packet's state: its mark, or DROPPED, and whether an own rule is the last that had a part in it.
State = tuple[int | None, bool]
States = dict[State, int]


def add(states: States, state: State, packets: int) -> None:
    if packets:
        states[state] = states.get(state, 0) | packets


def add_all(states: States, more: States) -> None:
    for state, packets in more.items():
        add(states, state, packets)


class Packets:
    """Packets in a fixed order, and which of them fulfil a condition."""

    def __init__(self, packets: list[Packet]):
        self.list = packets
        self.columns = {name: [getattr(p, name) for p in packets] for name in {*ASKS.values()} - {"mark"}}
        self.found: dict[Condition, int] = {}

    def set_of(self, chosen: list[bool]) -> int:
        return int("".join("1" if one else "0" for one in reversed(chosen)) or "0", 2)

    def set_of_numbers(self, numbers: list[int]) -> int:
        chosen = [False] * len(self.list)
        for number in numbers:
            chosen[number] = True
        return self.set_of(chosen)

    def members(self, packets: int) -> list[Packet]:
        return [packet for n, packet in enumerate(self.list) if packets >> n & 1]

    def that_fulfil(self, condition: Condition) -> int:
        if condition not in self.found:
            column = self.columns[ASKS[condition.option]]
            answers = {value: condition.holds(value) for value in set(column)}
            self.found[condition] = self.set_of([answers[value] for value in column])
        return self.found[condition]

    def starts(self, entering: bool) -> States:
        states: States = {}
        for mark in {p.mark for p in self.list}:
            add(states, (mark, False),
                self.set_of([p.mark == mark and (p.device is not None) == entering for p in self.list]))
        return states


class Walk:
    def __init__(self, tables: dict[str, Table], packets: Packets):
        self.tables, self.packets = tables, packets
        self.dropped: States = {}
        self.accepted: States = {}

    def outcomes(self) -> States:
        ends: States = {}
        for entering, hooks in ((True, ENTERING), (False, LEAVING)):
            states = self.packets.starts(entering)
            for table, chain in hooks:
                states = self.hook(self.tables.get(table, Table()), chain, states)
            add_all(ends, states)
        add_all(ends, self.dropped)
        return ends

    def hook(self, table: Table, chain: str, states: States) -> States:
        self.accepted = {}
        rest = self.chain(table, chain, states)
        if table.policies.get(chain) == "DROP":
            for packets in rest.values():
                add(self.dropped, (DROPPED, False), packets)
            rest = {}
        add_all(rest, self.accepted)
        return rest

    def chain(self, table: Table, name: str, states: States) -> States:
        """The packets that come back from a chain, at its end or before."""
        back: States = {}
        for rule in table.chains.get(name, []):
            rest: States = {}
            matched: States = {}
            for state, packets in states.items():
                yes = packets & self.matching(rule, state[0])
                add(matched, state, yes)
                add(rest, state, packets & ~yes)
            add_all(rest, self.target(table, rule, matched, back))
            states = rest
        add_all(back, states)
        return back

    def matching(self, rule: Rule, mark: int) -> int:
        packets = -1
        for condition in rule.conditions:
            if condition.option == "--mark":
                packets &= -1 if condition.holds(mark) else 0
            else:
                packets &= self.packets.that_fulfil(condition)
        return packets

    def target(self, table: Table, rule: Rule, matched: States, back: States) -> States:
        """What goes on to the next rule; what goes back to the chain's caller is added to `back`."""
        match rule.target:
            case None:
                return matched
            case "MARK":
                value, mask = masked(rule.value)
                marked: States = {}
                for (mark, _), packets in matched.items():
                    add(marked, ((mark & ~mask & WHOLE) ^ value, rule.is_own), packets)
                return marked
            case "RETURN":
                add_all(back, matched)
            case "ACCEPT":
                add_all(self.accepted, matched)
            case "DROP":
                for packets in matched.values():
                    add(self.dropped, (DROPPED, rule.is_own), packets)
            case _ if rule.verb == "-j":
                return self.chain(table, rule.target, matched) if matched else {}
            case _:
                add_all(back, self.chain(table, rule.target, matched) if matched else {})
        return {}


def walk(text: str, packet: Packet) -> State:
    """What becomes of one packet."""
    return next(iter(Walk(read(text), Packets([packet])).outcomes()))


OTHER_MAC = "02:c1:00:00:00:01"
OTHER_PROTOCOL = 253


class Constants:
    """What the rules and the site name, on each axis of the space of packets."""

    def __init__(self, text: str, meaning: Meaning, family: int):
        self.family, self.meaning, self.tables = family, meaning, read(text)
        rules = [r for table in self.tables.values() for chain in table.chains.values() for r in chain]
        self.values = {o: {c.value for r in rules for c in r.conditions if c.option == o} for o in ASKS}
        self.port_lists = {(p.value, c.value) for r in rules for c in r.conditions if ASKS[c.option] == "port"
                           for p in r.conditions if p.option == "-p"}

    def key(self) -> tuple:
        """Equal where the atoms are."""
        axes = (self.devices, self.macs, self.addresses, self.protocols)
        return tuple(tuple(axis()) for axis in axes) + (tuple(self.marks(True)), tuple(self.marks(False)))

    def count(self) -> int:
        """How many atoms there are, about."""
        devices, macs, addresses, protocols, entering, leaving = map(len, self.key())
        return (devices * macs * entering + leaving) * addresses * protocols

    def devices(self) -> list[str]:
        patterns = {*self.values["-i"], *self.meaning.site.interfaces, *self.meaning.me.interfaces}
        patterns |= {p for s in self.meaning.services for p in s.interfaces or []}
        names = {"lo", "wlan0"}
        for pattern in patterns:
            names |= {pattern[:-1], pattern[:-1] + "q"} if pattern.endswith("+") else {pattern}
        return sorted(names - {""})

    def macs(self) -> list[str | None]:
        known = {m.lower() for m in self.values["--mac-source"]} | self.meaning.peers | set(self.meaning.site.bypass)
        return [None, OTHER_MAC, *sorted(known | {m for s in self.meaning.services for m in s.bypass or []})]

    def addresses(self) -> list[str]:
        networks = {network_of(d) for d in self.values["-d"]}
        networks |= {n for _, nets in self.meaning.networks for n in nets}
        networks |= {ip_network(end[0]) for s in self.meaning.services for end in self.meaning.tunnel_ends(s)}
        highest = 2 ** (32 if self.family == 4 else 128) - 1
        numbers = {0}
        for net in networks:
            if net.version == self.family:
                first, last = int(net[0]), int(net[-1])
                numbers |= {first - 1, first, last, last + 1}
        make = type(ip_address("0.0.0.0" if self.family == 4 else "::"))
        return [str(make(n)) for n in sorted(numbers) if 0 <= n <= highest]

    def protocols(self) -> list[tuple[int, int | None]]:
        ranges = {(protocol_of(p), r) for p, ports in self.port_lists for r in port_ranges(ports)}
        ranges |= {(PROTOCOLS[c.protocol], r) for s in self.meaning.services for c in s.claims for r in c.ranges}
        ends = [end for s in self.meaning.services for end in self.meaning.tunnel_ends(s)]
        ranges |= {(protocol, (port, port)) for _, protocol, port in ends if port is not None}
        named = {protocol_of(p) for p in self.values["-p"]} | {p for p, _ in ranges} | {end[1] for end in ends}
        found = {(p, 9 if p in WITH_PORTS else None) for p in (named - {0}) | {OTHER_PROTOCOL}}
        for protocol, (first, last) in ranges:
            found |= {(protocol, port) for port in (first - 1, first, last, last + 1) if 0 <= port <= 65535}
        return sorted(found, key=str)

    def marks(self, entering: bool) -> list[int]:
        """Carried marks: none, and those that a rule asks for on the way in, or on the way out."""
        guard = self.meaning.allocated.get(None) if self.meaning.peers else None  # no rule asks for it without peers
        marks = {0} | ({guard} if guard and not entering else set())
        for hook_table, hook in ENTERING if entering else LEAVING:
            for rule in reachable(self.tables[hook_table], hook) if hook_table in self.tables else ():
                for value, mask in (masked(c.value) for c in rule.conditions if c.option == "--mark"):
                    marks |= {value, (value | ~mask) & WHOLE}
        return sorted(marks)


def reachable(table: Table, hook: str) -> list[Rule]:
    """The rules of a built-in chain, and of those that it leads to."""
    names, rules = [hook], []
    for name in names:
        for rule in table.chains.get(name, []):
            rules.append(rule)
            if rule.target in table.chains and rule.target not in names:
                names.append(rule.target)
    return rules


def atoms(cuts: Constants) -> Packets:
    """One packet of each kind that the rules or the site can tell from another, on both sides of every border."""
    macs = {device: cuts.macs() if device != "lo" else [None] for device in cuts.devices()}
    origins = [(device, mac) for device, some in macs.items() for mac in some] + [(None, None)]
    marks = {entering: cuts.marks(entering) for entering in (True, False)}
    targets = [(to, *p) for to in cuts.addresses() for p in cuts.protocols()]
    return Packets([Packet(device, mac, to, protocol, port, mark)
                    for device, mac in origins for to, protocol, port in targets for mark in marks[device is not None]])
