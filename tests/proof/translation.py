#!/usr/bin/python3
"""What every emitter makes of a site is proved to be what the site says; and a proof is right by the oracle, too, which
walks a packet of every kind through the rules and asks the model of the language for its mark.

    PYTHONPATH=tests/support LBC=build/dev/lbc translation.py [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import json
import unittest
from collections import Counter
from pathlib import Path

import claims
from lbctest import harness

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
SITES = claims.SITES or 25
WALKED = 8000  # atoms; directors of more are left to the proof


class Translation(unittest.TestCase):
    def prove(self, file: str, director: str) -> Counter:
        """Proves each emitter's rules of one director, in each layout."""
        return sum((self.prove_layout(file, director, layout) for layout in ("linear", "tree", "ipset")), Counter())

    def prove_layout(self, file: str, director: str, layout: str) -> Counter:
        counts: Counter = Counter()
        script = harness.SCRATCH / "rules.sh"
        script.write_text(harness.lbc_ok("compile", file, "--emit", "sh", "--layout", layout), encoding="utf-8")
        done = harness.lbc("verify", file, "-d", director, "--against", str(script), "--format", "json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        families = json.loads(done.stdout)["directors"][0]["families"]
        self.assertEqual([f["family"] for f in families], ["ipv4", "ipv6"])
        for (family, emitter), by_script in zip(claims.FAMILIES.items(), families, strict=True):
            text = harness.lbc_ok("compile", file, "-d", director, "--emit", emitter, "--layout", layout)
            status, said = claims.verify(file, director, text, family)
            self.assertEqual(status, 0, f"{director}, {emitter}: {said}")
            rules = sum(line.startswith(("-A", "#ipset add")) for line in text.splitlines())
            # A proof about other rules than the text has would be worth nothing.
            self.assertEqual((said["rules"], by_script["rules"]), (rules, rules), f"{director}, {emitter}")
            counts += Counter({"proofs": 2, "rules": rules, "kinds of packets": said["classes"],
                               f"rules as {layout}": rules, f"chains as {layout}": text.count("\n:LBC")})
        return counts

    def test_examples(self) -> None:
        counts: Counter = Counter()
        for file in sorted(map(str, [*EXAMPLES.glob("*.lb"), *EXAMPLES.glob("*/site.lb")])):
            plans = json.loads(harness.lbc_ok("compile", file, "--emit", "json"))["plans"]
            counts["files"] += 1
            for plan in plans:
                with self.subTest(file=file, director=plan["director"]):
                    counts += self.prove(file, plan["director"])
        print(dict(counts), flush=True)
        self.assertGreaterEqual(counts["files"], 4)

    def test_random_sites(self) -> None:
        counts: Counter = Counter()
        for seed, site in claims.random_sites("translation", SITES, most=claims.MANY):
            file = harness.write(site, harness.SCRATCH / "translated.lb")
            for director in site.directors:
                with self.subTest(seed=seed, director=director.name):
                    counts += self.prove(file, director.name)
                    counts["directors"] += 1
        print(dict(counts), flush=True)
        self.assertGreater(counts["directors"], SITES)
        self.assertGreater(counts["rules"], SITES * 20)
        self.assertGreater(counts["chains as tree"], counts["chains as linear"] * 2)

    def test_proofs_are_right(self) -> None:
        counts: Counter = Counter()
        for seed, site in claims.random_sites("walked", SITES):
            for case in claims.cases_of(site, "walked.lb", ("linear", "tree")[seed % 2]):
                if claims.Constants(case.text, case.contract.meaning, case.family).count() > WALKED:
                    counts["left to the proof"] += 1
                    continue
                packets = case.atoms(case.text)
                with self.subTest(seed=seed, director=case.director, family=case.family):
                    self.assertEqual(case.contract.breaches(case.text, packets), [], case.told(case.text, seed))
                    self.assertEqual(case.verify(case.text)[0], 0)
                marked = [said for said in map(case.contract.said, packets.list) if said.is_given]
                counts += Counter({"walked": 1, "packets": len(packets.list), "given a mark": len(marked)})
        print(dict(counts), flush=True)
        self.assertGreater(counts["walked"], SITES)
        self.assertGreater(counts["given a mark"], SITES * 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
