"""PATH leads root into folders that are not root's, and into the working folder: no program there is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import unittest
from pathlib import Path

from lbctest.hostile import SITE, Case, is_root, main, run

NOBODY = 65534


@unittest.skipUnless(is_root() and shutil.which("git"), "not root, or no git")
class PathOfOthers(Case):
    def setUp(self) -> None:
        super().setUp()
        self.repository = self.folder / "repository"
        self.write("repository/site.lb", SITE)
        for words in (["init", "-q"], ["add", "site.lb"]):
            subprocess.run(["git", *words], cwd=self.repository, check=True, capture_output=True)
        self.write("repository/sub/x", "")

    def put_git(self, folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        program = folder / "git"
        program.write_text(f"#!/bin/sh\ntouch {self.folder}/ran\nexec /usr/bin/git \"$@\"\n", encoding="ascii")
        program.chmod(0o755)
        return folder

    def run_with(self, path: str) -> bool:
        """Whether the program in PATH was run."""
        done = run("check", ":site.lb", cwd=self.repository, env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"})
        self.assertStatus(done, 0)
        ran = self.folder / "ran"
        found = ran.exists()
        ran.unlink(missing_ok=True)
        return found

    def test_folders(self) -> None:
        roots, theirs, open_to_all = (self.put_git(self.folder / name) for name in ("roots", "theirs", "open"))
        self.put_git(self.repository / "bin")
        self.put_git(self.repository)
        os.chown(theirs, NOBODY, NOBODY)
        open_to_all.chmod(0o777)
        for path in (str(theirs), str(open_to_all), ".", "", "bin", "./bin"):
            with self.subTest(path=path):
                self.assertFalse(self.run_with(path))
        self.assertTrue(self.run_with(str(roots)))

    def test_what_is_passed_over_is_named(self) -> None:
        theirs = self.put_git(self.folder / "theirs")
        os.chown(theirs, NOBODY, NOBODY)
        if shutil.which("git", path="/usr/sbin:/sbin"):
            self.skipTest("git is in a folder that is always looked into")
        for path, words in ((theirs, f"git is not installed on this box but for `{theirs}/git`"),
                            (self.folder, "git is not installed on this box [")):
            done = run("check", ":site.lb", cwd=self.repository, env={**os.environ, "PATH": str(path)})
            self.assertStatus(done, 2)
            self.assertIn(words, done.stderr.decode())


if __name__ == "__main__":
    main()
