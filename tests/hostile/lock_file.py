"""The xtables lock is a pipe, a link, a device or the file of somebody: it is refused, and nothing waits for it."""

from __future__ import annotations

import os

from lbctest import director
from lbctest.director import MARKS, NOBODY, Director, lbc, table
from lbctest.hostile import main


class LockFile(Director):
    def test_what_is_no_lock(self) -> None:
        pipe, link, theirs = (self.folder / name for name in ("pipe", "link", "theirs"))
        os.mkfifo(pipe)
        link.symlink_to(self.site)
        theirs.touch()
        os.chown(theirs, NOBODY, NOBODY)
        for path, words in ((pipe, "is no regular file"), (link, "is a link"), ("/dev/null", "is no regular file"),
                            (theirs, f"belongs to user {NOBODY}"), (self.folder, "Is a directory")):
            with self.subTest(path=path):
                done = lbc("apply", self.other, *MARKS, env={**os.environ, "XTABLES_LOCKFILE": str(path)})
                self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
                self.assertIn(str(path), done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(table(), self.before)

    def test_a_name_that_begins_at_the_working_folder(self) -> None:
        """The process of --confirm-within, which leaves that folder, has the same lock."""
        lock = self.folder / "relative"
        done = lbc("apply", self.other, *MARKS, "--confirm-within", "600s", cwd=self.folder,
                   env={**os.environ, "XTABLES_LOCKFILE": "relative"})
        self.assertEqual(done.returncode, 0, done.stderr)
        lock.unlink()
        self.assertEqual(lbc("rollback").stdout, "the change is rolled back\n")
        self.assertTrue(lock.exists())


if __name__ == "__main__":
    director.enter()
    main()
