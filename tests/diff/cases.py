"""Every kind of change as `lbc diff` prints it: cases/NAME/old.lb and new.lb, and the three forms beside them. Twice,
since equal input gives equal bytes. LBC_UPDATE_GOLDEN=1 writes what is expected anew.

    cases.py LBC SCHEMAS NAME    one case
    cases.py LBC SCHEMAS --all   what the cases have in common: each kind has one, and their JSON is as the schema has it
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import unittest

from lbctest.strict_schema import check_documents, validator_of

HERE = pathlib.Path(__file__).resolve().parent
CASES = sorted(path.parent for path in (HERE / "cases").glob("*/new.lb"))
FORMS = {"expected.txt": ["--rules"], "expected.md": ["--format", "markdown", "--rules"],
         "expected.json": ["--format", "json"]}
KERNEL_ALONE = {"unknown": "no rule that lbc makes is one that it does not understand",
                "service-removed": "in a site, packets go to each service, and the sentence about these says it"}
# What is there for some writes alone; in apply.schema.json too.
LOOSE = {"scheduler", "real", "weight", "keepalived"}


def diff(case: pathlib.Path, *options: str) -> tuple[int, str]:
    done = subprocess.run([LBC, "diff", "old.lb", "new.lb", *options], cwd=case, capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout


def expected(case: pathlib.Path) -> dict:
    return json.loads((case / "expected.json").read_text(encoding="utf-8"))


class OneCase(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.case = HERE / "cases" / NAME

    def test_every_form(self) -> None:
        for name, options in FORMS.items():
            with self.subTest(form=name):
                status, text = diff(self.case, *options)
                self.assertEqual((status, text), diff(self.case, *options), "two runs differ")
                self.assertEqual(status, 0)
                if os.environ.get("LBC_UPDATE_GOLDEN"):
                    (self.case / name).write_text(text, encoding="utf-8")
                self.assertEqual(text, (self.case / name).read_text(encoding="utf-8"))

    def test_status_says_whether_anything_differs(self) -> None:
        said = expected(self.case)
        self.assertEqual(diff(self.case, "--exit-code")[0], 1 if said["differs"] else 0)
        if NAME.startswith("nothing-"):
            self.assertEqual((said["changes"], said["traffic"]), ([], []))

    def test_one_director_has_its_own_part(self) -> None:
        whole = expected(self.case)
        for name in {entry["director"] for entry in (*whole["traffic"], *whole["writes"])}:
            with self.subTest(director=name):
                one = json.loads(diff(self.case, "--format", "json", "-d", name)[1])
                for part in ("traffic", "writes"):
                    self.assertEqual(one[part], [e for e in whole[part] if e["director"] == name])
                own = [c for c in whole["changes"] if not c["directors"] or name in c["directors"]]
                self.assertEqual([c["text"] for c in one["changes"]], [c["text"] for c in own])


class AllCases(unittest.TestCase):
    def test_every_kind_has_a_case(self) -> None:
        self.assertGreater(len(CASES), 35)
        schema = json.loads((SCHEMAS / "diff.schema.json").read_text(encoding="utf-8"))["$defs"]
        said = [expected(case) for case in CASES]
        kinds = {change["kind"] for one in said for change in one["changes"]}
        self.assertEqual(set(schema["change"]["properties"]["kind"]["enum"]) - kinds, set(KERNEL_ALONE))
        verdicts = {one["rollout"]["verdict"] for one in said}
        # "unknown" takes more work than a case should: tests/hostile/bounds.py
        self.assertEqual(verdicts | {"unknown"}, set(schema["rollout"]["properties"]["verdict"]["enum"]))
        hazards = {hazard["kind"] for one in said for place in ("avoided", "unavoidable", "standing")
                   for hazard in one["rollout"][place]}
        self.assertEqual(hazards, set(schema["hazard"]["properties"]["kind"]["enum"]))
        actions = {write["action"] for one in said for writes in one["writes"] for write in writes["services"]}
        of_writes = schema["writes"]["properties"]["services"]["items"]["properties"]["action"]["enum"]
        self.assertEqual(actions, set(of_writes))

    def test_answers_are_valid_and_the_schema_strict(self) -> None:
        validator = validator_of(SCHEMAS / "diff.schema.json")
        shapes = check_documents(self, validator, {case.name: expected(case) for case in CASES}, LOOSE)
        self.assertGreater(shapes, 15)


if __name__ == "__main__":
    LBC = os.path.abspath(sys.argv[1])
    SCHEMAS = pathlib.Path(sys.argv[2])
    NAME = sys.argv[3]
    unittest.main(argv=sys.argv[:1], defaultTest="AllCases" if NAME == "--all" else "OneCase")
