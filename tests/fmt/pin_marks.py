#!/usr/bin/python3
"""`lbc fmt --pin-marks`: pin_marks.py PATH-OF-LBC. A pinned site means the same, and a service keeps its mark whatever
it is called."""

from __future__ import annotations

import json
import re
import tempfile
import unittest
from pathlib import Path
from random import Random

import support
from lbctest.draw import Draw
from mangle import Mangler
from support import lbc, meaning


class PinMarks(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def pin(self, site: Path) -> None:
        done = lbc("fmt", "-i", "--pin-marks", site)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def marks(self, site: Path) -> list[list[tuple]]:
        """Of each service, in the order of the source; and whether one was allocated."""
        done = lbc("compile", site, "--emit", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        services = json.loads(done.stdout)["site"]["services"]
        return [[(on["director"], on["mark"], on["allocated"]) for on in service["on"]] for service in services]

    def assert_pinned(self, site: Path, parts: list[Path]) -> int:
        """Pins a site. How many of its services had no mark."""
        expected, before = meaning(site, pinned=True), self.marks(site)
        self.pin(site)
        self.assertEqual(meaning(site, pinned=True), expected)
        after = self.marks(site)
        self.assertEqual(after, [[(*on[:2], False) for on in service] for service in before])
        texts = support.read_all(parts)
        again = lbc("fmt", "--check", "--pin-marks", site)
        self.assertEqual((again.returncode, again.stdout, again.stderr), (0, b"", b""))
        self.pin(site)
        self.assertEqual(support.read_all(parts), texts)
        for path, text in texts.items():
            path.write_text(re.sub(r"^service +(\S+)", r"service new-\1", text.decode(), flags=re.M))
        self.assertEqual(self.marks(site), after)
        return sum(any(on[2] for on in service) for service in before)

    def test_examples(self) -> None:
        support.copies(self.folder)
        allocated = [self.assert_pinned(site, sorted(site.parent.glob("**/*.lb")) if site.name == "site.lb" else [site])
                     for site in support.example_sites(self.folder)]
        self.assertGreater(sum(allocated), 3)

    def test_keepalived(self) -> None:
        """Marks of checks through the VIP are allocated beside those of services."""
        support.copies(self.folder)
        site = self.folder / "tests/json/everything.lb"
        self.assertGreater(self.assert_pinned(site, [site]), 2)

    def test_included_files(self) -> None:
        support.copies(self.folder)
        site = self.folder / "examples/fourteen-hosts/site.lb"
        parts = sorted((site.parent / "services").glob("*.lb"))
        for part in parts:
            part.write_text(re.sub(r" *mark .*\n", "", part.read_text()))
        before = support.read_all(parts)
        done = lbc("fmt", "--pin-marks", site)
        self.assertEqual((done.returncode, done.stdout), (0, site.read_bytes()))
        for part in parts:
            self.assertIn(f"lbc: `{part}` has marks to pin too; -i writes them there\n", done.stderr.decode())
        self.assertEqual(support.read_all(parts), before)
        done = lbc("fmt", "--check", "--pin-marks", site)
        self.assertEqual((done.returncode, done.stdout.decode().split()), (1, [str(part) for part in parts]))
        self.assertEqual(self.assert_pinned(site, parts), 6)

    def test_a_site_with_a_mistake(self) -> None:
        site = self.folder / "site.lb"
        site.write_text("service web { vip 192.0.2.1; port tcp 80; real nobody }")
        done = lbc("fmt", "-i", "--pin-marks", site)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"[unknown-director]", done.stderr)
        self.assertEqual(site.read_text(), "service web { vip 192.0.2.1; port tcp 80; real nobody }")

    def test_random_sites(self) -> None:
        site, allocated = self.folder / "site.lb", 0
        for seed in range(10):
            rng = Random(seed)
            mangler = Mangler(rng)
            site.write_bytes(mangler.text(Draw(rng).site().to_lb()).encode())
            with self.subTest(seed=seed, source=site.read_text()):
                allocated += self.assert_pinned(site, [site])
                for comment in mangler.comments:
                    self.assertIn(comment + "\n", site.read_text())
        self.assertGreater(allocated, 10)


if __name__ == "__main__":
    unittest.main()
