#!/usr/bin/python3
"""The test of the tests: without any one own rule, or with another mark in it, some packet's mark differs from
the model's; so each rule is needed, and the comparison would see it go wrong."""

from __future__ import annotations

import re
import unittest
from random import Random

from lbctest import harness, net
from lbctest.draw import ETHERNET, TUNNEL, Packets
from lbctest.fixtures import known_site
from lbctest.judge import differences
from lbctest.model import Meaning


class Mutants(unittest.TestCase):
    def test_every_rule_counts(self) -> None:
        lab = net.Lab(ETHERNET, TUNNEL)
        self.addCleanup(lab.close)
        site = known_site()
        allocated, _ = harness.learn(site)
        meaning = Meaning(site, "lb1", allocated)
        packets = Packets(Random("mutant"), meaning, lab.devices).whole()
        harness.load_apply("lb1")
        self.assertFalse(differences(lab, meaning, *packets))
        count = 0
        for program in harness.FAMILIES:
            whole = harness.saved(program)
            for rule in [line for line in harness.own(whole) if line.startswith("-A")]:
                mutants = [[], [re.sub(r"--set-xmark 0x\w+", "--set-xmark 0x9999", rule)]]
                for instead in mutants if "--set-xmark" in rule else mutants[:1]:
                    count += 1
                    with self.subTest(program=program, rule=rule, instead=instead):
                        self.restore(program, [n for line in whole for n in (instead if line == rule else [line])])
                        self.assertTrue(differences(lab, meaning, *packets), "nobody noticed")
            self.restore(program, whole)
        print(f"{count} mutants, {len(packets[0]) + len(packets[1])} packets each", flush=True)

    @staticmethod
    def restore(program: str, lines: list[str]) -> None:
        net.run(f"{program}-legacy-restore", text="\n".join(lines) + "\n")


if __name__ == "__main__":
    harness.main()
