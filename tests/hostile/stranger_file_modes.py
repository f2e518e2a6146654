"""A file that somebody else made in the place of a result: nothing of it that is dangerous in a file of root stays."""

from __future__ import annotations

import os
import stat
import unittest
from pathlib import Path

from lbctest.hostile import SITE, Case, is_root, main, run

STRANGER = 1001
GROUP = 1002
UGLY = SITE.replace("; real lb1", ";\n\n\n   real lb1")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class Own(Case):
    def test_a_file_of_this_user_keeps_its_permissions_and_nothing_else(self) -> None:
        site, out = self.write("site.lb", SITE), self.write("rules.sh", "old")
        out.chmod(0o6775)
        self.assertStatus(run("compile", site, "-o", out), 0)
        self.assertEqual(mode(out), 0o775)
        self.assertIn("#!/bin/sh", out.read_text())

    def test_a_new_file_with_a_secret_is_its_owners(self) -> None:
        site = self.write("site.lb", SITE.replace("service web", """vrrp v { router-id 51; interface eth0; auth "s3cret"
priority lb1 150, lb2 100; vip 192.0.2.10/24 }\nservice web"""))
        done = run("compile", site, "--emit", "all", "-o", self.folder / "out")
        self.assertStatus(done, 0)
        for path in (path for path in (self.folder / "out").rglob("*") if path.is_file()):
            self.assertEqual(mode(path), 0o600 if "s3cret" in path.read_text() else 0o644, path)
        self.assertIn("s3cret", (self.folder / "out/lb1/keepalived.conf").read_text())
        one = self.folder / "keepalived.conf"
        self.assertStatus(run("compile", site, "--emit", "keepalived", "-o", one), 0)
        self.assertEqual(mode(one), 0o600)
        one.chmod(0o644)  # who opened it to others meant it
        self.assertStatus(run("compile", site, "--emit", "keepalived", "-o", one), 0)
        self.assertEqual(mode(one), 0o644)


@unittest.skipUnless(is_root(), "needs two users")
class Stranger(Case):
    def make(self, name: str, text: str, bits: int, folder_bits: int = 0o755, folder_owner: int = STRANGER) -> Path:
        path = self.write(name, text)
        os.chown(path, STRANGER, GROUP)
        path.chmod(bits)
        os.chown(path.parent, folder_owner, folder_owner)
        path.parent.chmod(folder_bits)
        return path

    def assertHarmless(self, path: Path) -> None:  # noqa: N802
        status = path.stat()
        self.assertEqual(mode(path) & 0o7022, 0)
        self.assertEqual((status.st_uid, status.st_gid), (STRANGER, GROUP))

    def test_compile(self) -> None:
        site = self.write("site.lb", SITE)
        out = self.make("home/rules.sh", "", 0o6777)
        self.assertStatus(run("compile", site, "-o", out), 0)
        self.assertHarmless(out)
        self.assertIn("#!/bin/sh", out.read_text())

    def test_all(self) -> None:
        site = self.write("site.lb", SITE)
        out = self.make("home/lb1/iptables.rules", "", 0o6777)
        os.chown(self.folder / "home", STRANGER, STRANGER)
        self.assertStatus(run("compile", site, "--emit", "all", "-o", self.folder / "home"), 0)
        self.assertHarmless(out)

    def test_format_in_place_keeps_the_owner(self) -> None:
        site = self.make("home/site.lb", UGLY, 0o4777)
        self.assertStatus(run("fmt", "-i", site), 0)
        self.assertHarmless(site)
        self.assertNotEqual(site.read_text(), UGLY)

    def test_a_folder_where_anybody_can_put_a_file(self) -> None:
        site = self.write("site.lb", SITE)
        out = self.make("tmp/rules.sh", "mine", 0o6777, 0o1777, 0)
        done = run("compile", site, "-o", out)
        self.assertStatus(done, 3)
        self.assertIn(b"is a file of user 1001, in a folder where anybody can put one; remove it, or", done.stderr)
        self.assertEqual(out.read_text(), "mine")
        done = run("compile", site, "--emit", "all", "-o", out.parent)
        self.assertStatus(done, 3)
        self.assertEqual(out.read_text(), "mine")
        self.assertEqual(list(out.parent.glob("rules.sh?*")), [])


if __name__ == "__main__":
    main()
