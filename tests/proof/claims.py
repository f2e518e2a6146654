"""What `lbc verify` claims (compiler/analysis/prove.hpp), asked of the oracle, and the command itself."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from lbctest import harness
from lbctest.draw import FEW, MANY, Draw
from lbctest.model import DROPPED, Meaning, Packet, Site
from oracle import Constants, Packets, State, Walk, atoms, read, walk

FAMILIES = {4: "iptables", 6: "ip6tables"}
FRESH_MARK = 0x5EED5EEC  # of nobody
SITES = int(os.environ.get("LBC_PROOF_SITES", "0"))  # 0: as many as each test says


@dataclass(frozen=True)
class Said:
    """What the site says of a packet."""

    mark: int | None  # or DROPPED
    is_given: bool  # the site leaves it not as it was


class Contract:
    """What rules may do with the packets of one director."""

    def __init__(self, meaning: Meaning):
        self.meaning = meaning
        self.own_marks = {meaning.mark_of(s) for s in meaning.services}
        if meaning.peers and meaning.mode in ("local", "drop"):
            self.own_marks.add(meaning.allocated[None])
        self.asked: dict[Packet, Said] = {}
        self.grouped: dict[int, tuple[Packets, dict[Said, int]]] = {}  # with the packets, which keeps the id theirs

    def said(self, packet: Packet) -> Said:
        if packet not in self.asked:
            answer = self.meaning.outgoing if packet.device is None else self.meaning.incoming
            mark = answer(packet)
            # A packet may have carried the very mark that it is given.
            is_given = mark != packet.mark or answer(replace(packet, mark=FRESH_MARK)) != FRESH_MARK
            self.asked[packet] = Said(mark, is_given)
        return self.asked[packet]

    def allows(self, said: Said, state: State) -> bool:
        mark, by_own = state
        if mark is DROPPED:
            return said.mark is DROPPED or not by_own
        if mark == said.mark:
            return True
        return not said.is_given and not by_own and mark not in self.own_marks

    def groups(self, packets: Packets) -> dict[Said, int]:
        if id(packets) not in self.grouped:
            numbers: dict[Said, list[int]] = defaultdict(list)
            for number, packet in enumerate(packets.list):
                numbers[self.said(packet)].append(number)
            sets = {said: packets.set_of_numbers(some) for said, some in numbers.items()}
            self.grouped[id(packets)] = (packets, sets)
        return self.grouped[id(packets)][1]

    def breaches(self, text: str, packets: Packets) -> list[tuple[Packet, Said, State]]:
        """One packet of each sort that the rules treat as they must not."""
        states, found = Walk(read(text), packets).outcomes(), []
        for said, group in self.groups(packets).items():
            for state, ended in states.items():
                if group & ended and not self.allows(said, state):
                    found.append((packets.members(group & ended)[0], said, state))
        return found


@dataclass
class Case:
    """A director of a site, its rules of one family as lbc compiles them, and what they must do."""

    site: Site
    file: str
    director: str
    family: int
    contract: Contract
    text: str
    known: dict[tuple, Packets] = field(default_factory=dict)

    def atoms(self, text: str) -> Packets:
        """Those of the rules in a text; most texts made from one another have the same."""
        cuts = Constants(text, self.contract.meaning, self.family)
        if cuts.key() not in self.known:
            self.known[cuts.key()] = atoms(cuts)
        return self.known[cuts.key()]

    def verify(self, text: str) -> tuple[int, dict]:
        return verify(self.file, self.director, text, self.family)

    def told(self, text: str, what: object) -> str:
        return (f"{what}\ndirector {self.director}, IPv{self.family}\n--- rules ---\n{text}\n--- site ---\n"
                f"{self.site.to_lb()}")


def verify(file: str, director: str, text: str, family: int) -> tuple[int, dict]:
    """The status, and what is said of the family; the latter is empty where the command refuses its input."""
    dump = harness.SCRATCH / "dump"
    dump.write_text(text, encoding="utf-8")
    done = harness.lbc("verify", file, "-d", director, "--against", str(dump), *(["-6"] if family == 6 else []),
                       "--format", "json")
    if done.returncode not in (0, 1):
        return done.returncode, {"refused": done.stderr}
    families = json.loads(done.stdout)["directors"][0]["families"]
    said = next(f for f in families if f["family"] == f"ipv{family}")
    marks = [fault for fault in said["faults"] if fault["kind"] != "dropped"]  # of drops the contract says nothing
    is_of_drops = said["faults"] and not marks and not said["given_up"]
    return 0 if is_of_drops else done.returncode, {**said, "faults": marks}


def cases_of(site: Site, name: str, layout: str = "auto") -> list[Case]:
    allocated, _ = harness.learn(site)
    file = harness.write(site, Path(harness.SCRATCH) / name)
    return [Case(site, file, d.name, family, Contract(Meaning(site, d.name, allocated)),
                 harness.lbc_ok("compile", file, "-d", d.name, "--emit", FAMILIES[family],
                                "--layout", layout))
            for d in site.directors for family in FAMILIES]


def is_small(site: Site) -> bool:
    return len(site.services) <= 3 and sum(len(c.ranges) for s in site.services for c in s.claims) <= 6


def random_sites(word: str, count: int, most: int = 0):
    """Sites by number, of up to so many services; small ones, if that is 0. Some draws are refused, for reasons that
    have nothing to do with marks."""
    seed = found = 0
    while found < count:
        seed += 1
        site = Draw(Random(f"{word} {seed}")).site(most or FEW)
        if site.services and (most or is_small(site)) and is_accepted(site):
            found += 1
            yield seed, site


def is_accepted(site: Site) -> bool:
    return harness.lbc("check", harness.write(site)).returncode in (0, 1)


def packet_of(witness: dict) -> Packet:
    """A witness of the command's as a packet."""
    port = witness["port"] if witness["protocol"] in (6, 17, 132) else None
    return Packet(witness["interface"], witness["source_mac"], witness["destination"], witness["protocol"], port,
                  witness["mark"])


def mark_of(outcome: dict) -> int | None:
    return DROPPED if outcome["dropped"] else outcome["mark"]


def false_witnesses(case: Case, text: str, family: dict) -> list[str]:
    """Witnesses of a definite difference that are none, or of which something else is said than what happens."""
    wrong = []
    for fault in (f for f in family["faults"] if f["kind"] == "differs"):
        packet = packet_of(fault["witness"])
        said, state = case.contract.said(packet), walk(text, packet)
        if case.contract.allows(said, state):
            wrong.append(f"{packet}: the site says {said}, and the rules do {state}")
        told = (mark_of(fault["packets"]["before"]), mark_of(fault["packets"]["after"]))
        if told != (said.mark, state[0]):
            wrong.append(f"{packet}: {(said.mark, state[0])}, but {told} are told")
    return wrong
