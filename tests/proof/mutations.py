#!/usr/bin/python3
"""The test of the proof: rules that are wrong in one place or in two. `lbc verify` finds a difference if and only if
the oracle, asked of every kind of packet, does; and each packet that it shows is one.

    PYTHONPATH=tests/support LBC=build/dev/lbc mutations.py [UNITTEST ARGUMENTS]
    PYTHONPATH=tests/support LBC_PROOF_SITES=200 LBC=build/dev/lbc mutations.py     # many more sites
"""

from __future__ import annotations

import unittest
from collections import Counter
from random import Random

import claims
from mutants import Mutator

SITES = claims.SITES or 12
MUTANTS = 22  # of a director and family
PAIRS = 6  # of two mistakes, likewise
ATOMS = 7000


def sample(rng: Random, mutants: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Some of each kind, as far as the count goes."""
    by_kind: dict[str, list[tuple[str, str]]] = {}
    for mutant in mutants:
        by_kind.setdefault(mutant[0], []).append(mutant)
    for some in by_kind.values():
        rng.shuffle(some)
    chosen = []
    while by_kind and len(chosen) < count:
        for kind in rng.sample(sorted(by_kind), len(by_kind)):
            chosen.append(by_kind[kind].pop())
            if not by_kind[kind]:
                del by_kind[kind]
    return chosen[:count]


def twice(rng: Random, case: claims.Case, count: int):
    """Texts with two mistakes, which may make up for each other."""
    for _ in range(count):
        text, kinds = case.text, []
        for _ in range(2):
            [(kind, text)] = sample(rng, list(Mutator(text, case.family, case.contract.own_marks, rng).all()), 1)
            kinds.append(kind)
        names = [line.split()[0] for line in text.splitlines() if line.startswith(("*", ":"))]
        if len(set(names)) == len(names) and not text.startswith("*nat"):  # iptables refuses what is there twice
            yield " and ".join(kinds), text


def cases(seed: int, site: claims.Site) -> list[claims.Case]:
    """One director of a site, in each family that has rules."""
    found = [case for case in claims.cases_of(site, "mutated.lb", ("linear", "tree")[seed % 2]) if "-A" in case.text and
             claims.Constants(case.text, case.contract.meaning, case.family).count() <= ATOMS]
    chosen = Random(f"director {seed}").choice(found).director if found else None
    return [case for case in found if case.director == chosen]


class Mutations(unittest.TestCase):
    counts: Counter = Counter()
    kinds: Counter = Counter()

    def check(self, case: claims.Case, kind: str, text: str) -> None:
        breaches = case.contract.breaches(text, case.atoms(text))
        status, said = case.verify(text)
        self.assertEqual(status, 1 if breaches else 0, case.told(text, f"{kind}: the oracle has {breaches[:3]}, lbc "
                                                                      f"verify {said}"))
        self.assertEqual([f for f in said["faults"] if f["kind"] != "differs"], [], case.told(text, kind))
        wrong = claims.false_witnesses(case, text, said)
        self.assertEqual(wrong, [], case.told(text, f"{kind}: false witnesses"))
        self.counts["mutants"] += 1
        self.counts["found" if breaches else "equal"] += 1
        self.counts["witnesses"] += len(said["faults"])
        self.counts[f"IPv{case.family}"] += 1
        self.kinds.update(kind.split(" and "))

    def test_mutants(self) -> None:
        mutated = 0
        for seed, site in claims.random_sites("mutated", 10 * SITES):
            if mutated == SITES:
                break
            some = cases(seed, site)
            mutated += bool(some)
            for case in some:
                rng = Random(f"mutants {seed}, {case.family}")
                mutants = list(Mutator(case.text, case.family, case.contract.own_marks, rng).all())
                for kind, text in [*sample(rng, mutants, MUTANTS), *twice(rng, case, PAIRS)]:
                    with self.subTest(seed=seed, director=case.director, family=case.family, kind=kind):
                        self.check(case, kind, text)
        print({"sites": mutated, **self.counts, "kinds": len(self.kinds)}, flush=True)
        self.assertEqual(mutated, SITES)
        self.assertGreater(self.counts["found"], SITES * 8)
        self.assertGreater(self.counts["equal"], SITES * 8)
        self.assertGreater(self.counts["witnesses"], self.counts["found"])
        self.assertGreater(min(self.counts["IPv4"], self.counts["IPv6"]), SITES * 5)
        self.assertGreater(len(self.kinds), 25)


    def test_policy(self) -> None:
        """RETURN in a built-in chain leads to the chain's policy (iptables(8), "targets"), and so does the end of a
        chain that was entered from there by -g."""
        _, site = next(claims.random_sites("policy", 1))
        case = next(case for case in claims.cases_of(site, "policy.lb") if "-A PREROUTING -j LBC" in case.text)
        for policy in ("ACCEPT", "DROP"):
            for target in ("-j RETURN", "-g side", "-j side"):
                text = case.text.replace("*mangle", f"*mangle\n:PREROUTING {policy} [0:0]\n:side - [0:0]").replace(
                    "-A PREROUTING -j LBC", f"-A PREROUTING {target}\n-A PREROUTING -j LBC")
                with self.subTest(policy=policy, target=target):
                    self.check(case, "policy", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
