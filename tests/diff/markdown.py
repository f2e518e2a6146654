#!/usr/bin/python3
"""The comment on a change: it stays in its bounds whatever the change, and nobody's text breaks out of it.

    PYTHONPATH=tests/support LBC=build/dev/lbc markdown.py [UNITTEST ARGUMENTS]
"""

from __future__ import annotations

import json
import re
import unittest

import sides
from lbctest import harness

LIMIT = 65_000  # bytes
SERVICES = 3000
DIRECTORS = "".join(f"director lb{n} {{ mac 08:00:27:00:00:0{n}; address 10.1.0.{n} }}\n" for n in (1, 2, 3))


def big_site(port: int) -> str:
    return DIRECTORS + "".join(
        f"service s{n} {{ vip 10.{n // 250}.{n % 250}.1; port tcp {port}; mark {0x10000 + n:#x}; real 10.200.0.1 }}\n"
        for n in range(SERVICES))


def markdown(old: str, new: str, *options: str) -> str:
    files = sides.write(old, "old.lb"), sides.write(new, "new.lb")
    return harness.lbc_ok("diff", *files, "--format", "markdown", *options)


class Bounds(unittest.TestCase):
    plain: str
    with_rules: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.plain = markdown(big_site(80), big_site(443))
        cls.with_rules = markdown(big_site(80), big_site(443), "--rules")

    def check(self, text: str) -> str:
        self.assertLessEqual(len(text.encode()), LIMIT)
        self.assertEqual(text.count("<details>"), text.count("</details>"))
        self.assertEqual(text.count("<summary>"), text.count("</summary>"))
        self.assertEqual(len(re.findall(r"^```", text, re.M)) % 2, 0)
        return text

    def test_what_has_no_place_is_counted(self) -> None:
        text = self.check(self.plain)
        files = sides.write(big_site(80), "old.lb"), sides.write(big_site(443), "new.lb")
        changes = len(json.loads(harness.lbc_ok("diff", *files, "--format", "json"))["changes"])
        self.assertEqual(changes, 2 * SERVICES)
        shown = len(re.findall(r"^- ", text.partition("<details>")[0], re.M))
        left_out = int(re.search(r"^… and (\d+) changes more$", text, re.M).group(1))
        self.assertEqual(shown + left_out, changes)
        self.assertGreater(shown, 100)

    def test_rules_that_have_no_place_are_counted(self) -> None:
        text = self.check(self.with_rules)
        shown = text.count("Rules and writes of ")
        left_out = re.search(r"^… and the rules and writes of (\d) directors? more$", text, re.M)
        self.assertEqual(shown + int(left_out.group(1) if left_out else 0), 3, text[-400:])

    def test_the_rollout_has_a_place(self) -> None:
        self.assertIn("<summary>Rollout: the directors can be changed in any order</summary>", self.check(self.plain))


class Hostile(unittest.TestCase):
    """A scheduler that lbc does not know is passed on, an interface has almost any name, and a file any."""

    SITE = DIRECTORS + "service web { vip 192.0.2.1; port tcp 80; mark 3; scheduler WORD; real 10.2.0.1 }\n"

    def test_schedulers(self) -> None:
        for word in ("odd_one_", "_my-own_", "x.y_z"):
            self.check(word, markdown(self.SITE.replace("WORD", "rr"), self.SITE.replace("WORD", word), "--rules"))

    def test_interfaces(self) -> None:
        site = self.SITE.replace("WORD", "rr; interface eth0")
        for word in ("a`[x](y)", "<b>", "*_*", "@all", "|x|", "`lbc`", "&lt", "~~x~~"):
            text = markdown(site, site.replace("eth0", f"eth0, {word}"), "--rules")
            self.assertIn("is now balanced on ", text)
            self.check(word, text)

    def test_file_names(self) -> None:
        site = self.SITE.replace("WORD", "rr")
        new = sides.write(self.SITE.replace("WORD", "wrr"), "new.lb")
        for name in ("<b>.lb", "a`[x](y).lb", "*a*_b_.lb", "@all #1.lb", "a\n# big.lb", "a\n```\n.lb", "!&amp;.lb"):
            done = harness.lbc("diff", sides.write(site, name), new, "--format", "markdown", "--rules")
            with self.subTest(name=name):
                self.assertEqual(done.returncode, 0, done.stderr)
                self.check(name, done.stdout)

    def check(self, name: str, text: str) -> None:
        outside = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
        self.assertEqual(set(re.findall(r"</?(\w+)", outside)) - {"details", "summary"}, set(), name)
        self.assertEqual(len(re.findall(r"^```", text, re.M)) % 2, 0, name)
        self.assertEqual(len(re.findall(r"^#", outside, re.M)), 1, "one heading")
        # What is between two backticks is code; everything else must have its signs escaped.
        for line in outside.splitlines()[1:]:
            plain = re.sub(r"(?<!\\)`lbc [^`]*`", "", line).removeprefix("**").removesuffix("**")
            self.assertEqual(re.findall(r"(?<!\\)[*_\[\]|~@`]", plain), [], f"{name}: {line}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
