"""A box without /proc, as a bare chroot is: lbc says what is missing, not that a file is."""

from __future__ import annotations

import shutil
import subprocess
import unittest

from lbctest.hostile import LBC, SITE, Case, is_root, main


@unittest.skipUnless(is_root() and shutil.which("unshare"), "not root, or no unshare")
class NoProc(Case):
    def without_proc(self, *words: object) -> subprocess.CompletedProcess:
        done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c",
                               'mount -t tmpfs none /proc || exit 77; exec "$@"', "sh", LBC, *map(str, words)],
                              capture_output=True, timeout=60, check=False)
        if done.returncode == 77:
            self.skipTest("nothing can be mounted here")
        return done

    def test_a_site(self) -> None:
        site = self.write("site.lb", SITE)
        for words in (("check", site), ("fmt", site), ("diff", site, site), ("check", site, "--include-from", "/usr")):
            done = self.without_proc(*words)
            self.assertStatus(done, 2)
            self.assertIn(b"/proc is not mounted here", done.stderr)
            self.assertNotIn(b"No such file", done.stderr)


if __name__ == "__main__":
    main()
