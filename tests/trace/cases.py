"""What `lbc trace` and `lbc verify` print: cases/NAME has a site.lb and a file `run` with the arguments, a line for each
run; beside it, what each prints as text and as JSON. Twice, since equal input gives equal bytes. LBC_UPDATE_GOLDEN=1
writes what is expected anew.

    cases.py LBC SCHEMAS NAME    one case
    cases.py LBC SCHEMAS --all   what the cases have in common: each kind has one, and their JSON is as the schema has it
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import subprocess
import sys
import unittest

from lbctest.strict_schema import check_documents, objects, validator_of

HERE = pathlib.Path(__file__).resolve().parent
RUNS = sorted((run.parent, number, line) for run in (HERE / "cases").glob("*/run")
              for number, line in enumerate(run.read_text(encoding="utf-8").splitlines(), 1))


def lbc(case: pathlib.Path, line: str, *options: str) -> tuple[int, str, str]:
    command, *arguments = shlex.split(line)
    done = subprocess.run([LBC, command, "site.lb", *arguments, *options], cwd=case, capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def expected(command: str) -> dict[str, dict]:
    return {f"{case.name}/{number}": json.loads((case / f"{number}.json").read_text(encoding="utf-8"))
            for case, number, line in RUNS if line.startswith(command)}


class OneCase(unittest.TestCase):
    maxDiff = None

    def test_both_forms(self) -> None:
        runs = [run for run in RUNS if run[0].name == NAME]
        self.assertTrue(runs)
        for case, number, line in runs:
            for form, options in (("txt", []), ("json", ["--format", "json"])):
                with self.subTest(case=case.name, run=line, form=form):
                    answer = lbc(case, line, *options)
                    self.assertEqual(answer, lbc(case, line, *options), "two runs differ")
                    path = case / f"{number}.{form}"
                    if os.environ.get("LBC_UPDATE_GOLDEN"):
                        path.write_text(answer[1], encoding="utf-8")
                    self.assertEqual(answer[1], path.read_text(encoding="utf-8"), answer[2])
                    holds = line.startswith("trace") or json.loads((case / f"{number}.json").read_text())["holds"]
                    self.assertEqual(answer[0], 0 if holds else 1, answer[2])


class AllCases(unittest.TestCase):
    def test_every_kind_has_a_case(self) -> None:
        self.assertGreater(len(RUNS), 15)
        verified, traced = list(objects(list(expected("verify").values()))), list(
            objects(list(expected("trace").values())))
        kinds = {one["kind"] for one in verified if "kind" in one}
        self.assertEqual(kinds, {"differs", "unknown", "dropped", "balanced-twice", "remembered"})
        self.assertEqual({one["is_lbc"] for one in verified if "is_lbc" in one}, {True, False})
        self.assertEqual({one["matches"] for one in traced if "matches" in one}, {"yes", "no", "maybe"})
        self.assertEqual({one["goes_round"] for one in traced if "goes_round" in one}, {True, False})

    def test_the_schemas_are_strict(self) -> None:
        for command, least in (("verify", 12), ("trace", 5)):
            validator = validator_of(SCHEMAS / f"{command}.schema.json")
            shapes = check_documents(self, validator, expected(command), set())
            self.assertGreater(shapes, least)


if __name__ == "__main__":
    LBC = os.path.abspath(sys.argv[1])
    SCHEMAS = pathlib.Path(sys.argv[2])
    NAME = sys.argv[3]
    unittest.main(argv=sys.argv[:1], defaultTest="AllCases" if NAME == "--all" else "OneCase")
