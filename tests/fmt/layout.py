#!/usr/bin/python3
"""The canonical layout: layout.py PATH-OF-LBC. It is stable, the meaning stays, and so does every comment."""

from __future__ import annotations

import os
import stat
import tempfile
import unittest
from pathlib import Path
from random import Random

import support
from lbctest.draw import Draw
from mangle import Mangler
from support import EXAMPLES, fmt, lbc, meaning

SITES = 10


class Layout(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def assert_stable(self, text: bytes) -> None:
        again = lbc("fmt", "-", text=text)
        self.assertEqual((again.returncode, again.stdout), (0, text))

    def test_examples_are_canonical(self) -> None:
        done = lbc("fmt", "--check", *EXAMPLES.glob("**/*.lb"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_own_site_files(self) -> None:
        """Each of the project's site files in place: those that it is part of mean the same before and after."""
        paths = support.copies(self.folder)
        formatted = 0
        for path in paths:
            before, source = meaning(path), path.read_bytes()
            done = lbc("fmt", "-i", path)
            with self.subTest(path=path):
                if done.returncode != 0:
                    self.assertEqual((done.returncode, path.read_bytes()), (2, source))
                    said = support.messages(path)
                    for message in support.messages(path, "fmt"):
                        self.assertIn(message, said)
                    continue
                self.assertEqual((done.stdout, done.stderr), (b"", b""))
                self.assertEqual(meaning(path), before)
                self.assert_stable(path.read_bytes())
                self.assertEqual(path.read_bytes().count(b"#"), source.count(b"#"))
                formatted += 1
        self.assertGreater(formatted, 30)

    def test_random_sites(self) -> None:
        commented = 0
        for seed in range(SITES):
            rng = Random(seed)
            source = Draw(rng).site().to_lb().replace("    forward", '    description "a # \\" ; } {"\n    forward')
            expected = meaning(self.write("site.lb", source))
            canonical = fmt(self.folder / "site.lb")
            self.assertEqual(meaning(self.write("site.lb", canonical)), expected)
            for _ in range(2):
                mangler = Mangler(rng)
                mangled = mangler.text(source)
                with self.subTest(seed=seed, mangled=mangled):
                    text = fmt(self.write("site.lb", mangled))
                    self.assert_stable(text)
                    self.assertEqual(meaning(self.write("site.lb", text)), expected)
                    self.assert_comments(text.decode(), mangler.comments)
                    commented += len(mangler.comments)
        self.assertGreater(commented, SITES * 10)

    def assert_comments(self, text: str, comments: list[str]) -> None:
        """All comments are there, in their order, and nothing is behind them."""
        at = 0
        for comment in comments:
            at = text.find(comment + "\n", at)
            self.assertNotEqual(at, -1, f"{comment} is lost")
            at += len(comment)
        self.assertNotRegex(text, r"[ \t\r]\n|\n\n\n|\A\n|\n\n\Z")

    def test_in_place(self) -> None:
        """A site of several files; one that is canonical is not written, a link stays, and a mode too."""
        support.copies(self.folder)
        folder = self.folder / "examples/fourteen-hosts"
        site, web, storage = folder / "site.lb", folder / "services/web.lb", folder / "services/storage.lb"
        expected = meaning(site)
        web.write_text(web.read_text().replace("    ", "\t\t"))
        web.chmod(0o640)
        link = self.folder / "link.lb"
        link.symlink_to(web)
        before = storage.stat()
        done = lbc("fmt", "-i", site, link, storage)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertTrue(link.is_symlink())
        self.assertEqual(web.read_text(), (EXAMPLES / "fourteen-hosts/services/web.lb").read_text())
        self.assertEqual(stat.S_IMODE(web.stat().st_mode), 0o640)
        self.assertEqual((storage.stat().st_ino, storage.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))
        self.assertEqual(meaning(site), expected)
        self.assertEqual(sorted(os.listdir(folder / "services")), ["messaging.lb", "storage.lb", "web.lb"])

    def test_a_bad_file_among_others(self) -> None:
        good, bad = self.write("a.lb", " a"), self.write("b.lb", "b {")
        for files in ((good, bad), (bad, good), (good, self.folder / "gone.lb")):
            done = lbc("fmt", "-i", *files)
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(b"; nothing was written", done.stderr)
            self.assertEqual((good.read_text(), bad.read_text()), (" a", "b {"))

    def test_standard_input(self) -> None:
        self.assertEqual(lbc("fmt", text=b"a;b").returncode, 2)
        self.assertEqual(lbc("fmt", "-", text=b"a;b").stdout, b"a\nb\n")
        done = lbc("fmt", "--check", "-", text=b"a;b")
        self.assertEqual((done.returncode, done.stdout), (1, b"-\n"))


if __name__ == "__main__":
    unittest.main()
