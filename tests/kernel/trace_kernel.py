#!/usr/bin/python3
"""What `lbc trace` says of a packet is what the kernel does with it: random foreign rules around lbc's, and packets
that are really sent through them.

    PYTHONPATH=tests/support LBC=build/dev/lbc trace_kernel.py [--seed N] [--sets N] [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import argparse
import collections
import json
import sys
import unittest
from dataclasses import replace
from random import Random

from lbctest import harness, net
from lbctest.deep import DeepLab
from lbctest.draw import ETHERNET, TUNNEL, Draw, Packets
from lbctest.draw_nft import NftRules
from lbctest.draw_rules import Rules
from lbctest.fixtures import known_site
from lbctest.judge import show
from lbctest.model import Meaning, Packet, Site

OPTIONS = argparse.Namespace(seed=1, sets=20)
ENTERING, LEAVING = 20, 5  # packets of each set of rules
DUMPED = 3  # of as many packets, one is asked of a dump too
DUMPS = {4: "iptables", 6: "ip6tables"}
WITHOUT_MAC = ("lo", TUNNEL)
TABLES = ("lbc", "theirs0", "theirs1", "theirs2")


def packet_options(packet: Packet, director: str) -> list[str]:
    to = f"[{packet.to}]" if packet.family == 6 and packet.port is not None else packet.to
    options = ["--to", to if packet.port is None else f"{to}:{packet.port}", "--proto", str(packet.protocol)]
    if packet.device is None:
        return [*options, "--from", director]
    mac = "none" if packet.device in WITHOUT_MAC else packet.mac
    return [*options, "--in", packet.device, "--from-mac", mac]


def trace(director: str, packet: Packet, *source: str) -> dict:
    """The first hop of what lbc says."""
    return json.loads(harness.lbc_ok("trace", str(harness.SITE), "-d", director, *packet_options(packet, director),
                                     *source, "--format", "json"))["hops"][0]


def outcomes(hop: dict) -> list[int | None | str]:
    return ["unknown" if o["unknown"] else None if o["dropped"] else o["mark"] for o in hop["outcomes"]]


class Trace(unittest.TestCase):
    lab: DeepLab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = DeepLab(ETHERNET, TUNNEL)
        cls.addClassCleanup(cls.lab.close)
        cls.counts = collections.Counter()

    def tearDown(self) -> None:
        net.run("nft", "-f", "-", text="".join(f"table inet {name}\ndelete table inet {name}\n" for name in TABLES))
        for program in harness.FAMILIES:
            net.run(f"{program}-legacy-restore", text="".join(f"*{t}\nCOMMIT\n" for t in ("raw", "mangle", "filter")))

    def packets(self, rng: Random, meaning: Meaning) -> list[Packet]:
        """Without marks of their own, of which the command has none."""
        drawn = Packets(rng, meaning, self.lab.devices)
        entering = [replace(p, mark=0) for p in drawn.incoming()]
        leaving = [replace(p, mark=0) for p in drawn.outgoing()]
        return rng.sample(entering, min(ENTERING, len(entering))) + rng.sample(leaving, min(LEAVING, len(leaving)))

    def load(self, rng: Random, packets: list[Packet], marks: list[int], by_nft: bool) -> str:
        """Foreign rules around lbc's, of either kind; but none of legacy tables where lbc's are of nftables, since a
        kernel does not tell which of one priority come first."""
        whole = NftRules(rng, packets, marks).text() if by_nft or rng.random() < 0.4 else ""
        net.run("nft", "-f", "-", text=whole)
        if by_nft:
            return whole
        for family, program in DUMPS.items():
            about = [p for p in packets if p.family == family]
            if about:
                text = Rules(rng, about, marks).text()
                net.run(f"{program}-legacy-restore", "--noflush", text=text)
                whole += f"# {program}\n{text}"
        return whole

    def check(self, site: Site, seed: object) -> None:
        rng = Random(f"trace {seed}")
        allocated, _ = harness.learn(site)
        director = rng.choice(site.directors).name
        meaning = Meaning(site, director, allocated)
        by_nft = rng.random() < 0.5
        (harness.load_apply_nft if by_nft else harness.load_apply)(director)
        packets = self.packets(rng, meaning)
        marks = sorted({meaning.mark_of(s) for s in meaning.services} | {m for m in [allocated.get(None)] if m})
        text = self.load(rng, packets, marks, by_nft)
        wrong = []
        self.save()
        for number, (packet, mark) in enumerate(zip(packets, self.lab.outcomes(packets), strict=True)):
            live = trace(director, packet, "--live")
            said = outcomes(live)
            self.counts["dropped" if mark is None else "marked" if mark else "unmarked"] += 1
            self.counts["matched by others"] += any(s["matches"] == "yes" and not s["is_lbc"] for s in live["steps"])
            self.counts["several outcomes"] += said != said[:1] or said == ["unknown"]
            if said != [mark]:
                steps = [f"\n  {s['table']} {s['chain']} {s['number']} {s['rule']}" for s in live["steps"]
                         if s["matches"] != "no"]
                wrong.append(f"{packet}: kernel {show(mark)}, lbc {said}{''.join(steps)}")
            if number % DUMPED == 0:
                self.check_dump(director, packet, live)
        self.tearDown()
        self.assertFalse(wrong, "\n".join([*wrong[:4], text, f"seed {seed}, director {director}", site.to_lb()]))

    @staticmethod
    def save() -> None:
        for family, program in DUMPS.items():
            (harness.SCRATCH / str(family)).write_text(net.run(f"{program}-legacy-save"), encoding="utf-8")
        (harness.SCRATCH / "nft").write_text(net.run("nft", "-j", "list", "ruleset"), encoding="utf-8")

    def check_dump(self, director: str, packet: Packet, live: dict) -> None:
        paths = [str(harness.SCRATCH / str(packet.family)), str(harness.SCRATCH / "nft")]
        said = trace(director, packet, *(word for path in paths for word in ("--against", path)),
                     *(["-6"] if packet.family == 6 else []))
        self.assertEqual({**said, "rules": None}, {**live, "rules": None})

    def test_random_rules(self) -> None:
        for seed in range(OPTIONS.seed, OPTIONS.seed + OPTIONS.sets):
            with self.subTest(seed=seed):
                self.check(Draw(Random(seed)).site() if seed % 4 else known_site(), seed)
        print(dict(self.counts), flush=True)
        self.assertEqual(self.counts["several outcomes"], 0, "every match and target is one that lbc knows")


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--seed", type=int, default=OPTIONS.seed)
    parser.add_argument("--sets", type=int, default=OPTIONS.sets)
    _, rest = parser.parse_known_args(namespace=OPTIONS)
    sys.argv[1:] = rest
    harness.main()


if __name__ == "__main__":
    main()
