"""What stands in the place of a result: links that somebody else may turn, pipes, devices, folders."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path

from lbctest.hostile import LBC, SITE, Case, is_root, main, run

STRANGER = 1001


class Place(Case):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.write("site.lb", SITE)

    def compile(self, *words: str | Path, **more) -> subprocess.CompletedProcess:
        return run("compile", self.site, *words, **more)

    def refuse(self, out: str | Path, words: str, *more: str) -> None:
        done = self.compile("-o", out, *more, seconds=60)
        self.assertStatus(done, 3)
        self.assertIn(words, done.stderr.decode())


class Links(Place):
    def test_a_link_of_this_user_stays(self) -> None:
        target = self.write("real/rules.sh", "old")
        (self.folder / "link").symlink_to("real")
        (self.folder / "rules.sh").symlink_to(self.folder / "link/rules.sh")
        self.assertStatus(self.compile("-o", self.folder / "rules.sh"), 0)
        self.assertTrue((self.folder / "rules.sh").is_symlink())
        self.assertIn("#!/bin/sh", target.read_text())

    def test_circles_end(self) -> None:
        (self.folder / "a").symlink_to("b")
        (self.folder / "b").symlink_to("a")
        self.refuse(self.folder / "a", "Too many levels of symbolic links")

    @unittest.skipUnless(is_root(), "needs two users")
    def test_a_link_of_somebody_else_is_not_followed(self) -> None:
        victim = self.write("etc/victim", "victim")
        for name, target in (("rules.sh", victim), ("folder", victim.parent)):
            link = self.folder / name
            link.symlink_to(target)
            os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
        self.refuse(self.folder / "rules.sh", "`rules.sh` is a symbolic link of user 1001, who chooses where it leads")
        self.refuse(self.folder / "folder/victim", "`folder` is a symbolic link of user 1001")
        self.refuse(self.folder / "folder", "`folder` is a symbolic link of user 1001", "--emit", "all")
        # Of root, in a folder of somebody else, who can put another in its place.
        (self.folder / "home").mkdir()
        (self.folder / "home/rules.sh").symlink_to(victim)
        os.chown(self.folder / "home", STRANGER, STRANGER)
        self.refuse(self.folder / "home/rules.sh", "`rules.sh` is a symbolic link in a folder of user 1001")
        self.assertEqual(victim.read_text(), "victim")

    @unittest.skipUnless(is_root(), "needs two users")
    @unittest.skipUnless(is_root(), "for root")
    def test_a_link_that_others_can_move_is_not_followed(self) -> None:
        shared = self.folder / "shared"
        shared.mkdir()
        os.chown(shared, 0, 2000)
        shared.chmod(0o2775)
        (shared / "cur").symlink_to("../real.sh")
        self.refuse(shared / "cur", "in a folder that others can write in")
        self.assertFalse((self.folder / "real.sh").exists())
        shared.chmod(0o2755)
        self.assertStatus(self.compile("-o", shared / "cur"), 0)
        self.assertTrue((self.folder / "real.sh").exists())

    def test_format_in_place(self) -> None:
        ugly = SITE.replace("; real lb1", ";\n\n\n  real lb1")
        site = self.write("etc/site.lb", ugly)
        link = self.folder / "link.lb"
        link.symlink_to(site)
        os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
        self.assertStatus(run("fmt", "-i", link), 3)
        self.assertEqual(site.read_text(), ugly)

    def test_below_a_tree_no_link_is_followed(self) -> None:
        outside = self.write("outside/iptables.rules", "victim")
        (self.folder / "out").mkdir()
        (self.folder / "out/lb1").symlink_to(outside.parent)
        self.refuse(self.folder / "out", "out/lb1` is a symbolic link, and compiled files are not written through it",
                    "--emit", "all")
        self.assertEqual(outside.read_text(), "victim")
        self.assertEqual([path.name for path in (self.folder / "out").iterdir()], ["lb1"])

    def test_the_tree_itself_may_be_a_link_of_this_user(self) -> None:
        (self.folder / "real").mkdir()
        (self.folder / "out").symlink_to("real")
        self.assertStatus(self.compile("--emit", "all", "-o", self.folder / "out"), 0)
        self.assertTrue((self.folder / "real/MANIFEST").is_file())


class Pipes(Place):
    def test_a_pipe_that_nobody_reads_is_not_waited_for(self) -> None:
        os.mkfifo(self.folder / "pipe")
        self.refuse(self.folder / "pipe", "it is a pipe that nobody reads")

    def test_a_pipe_with_a_reader_is_written_to(self) -> None:
        os.mkfifo(self.folder / "pipe")
        reader = os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.assertStatus(self.compile("-o", self.folder / "pipe"), 0)
        self.assertEqual(os.read(reader, 9), b"#!/bin/sh")

    @unittest.skipUnless(is_root(), "needs two users")
    def test_a_pipe_of_somebody_else_is_refused(self) -> None:
        os.mkfifo(self.folder / "pipe")
        os.chown(self.folder / "pipe", STRANGER, STRANGER)
        reader = os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.refuse(self.folder / "pipe", "it is a pipe of user 1001")
        done = run("check", self.folder / "pipe", seconds=60)
        self.assertStatus(done, 2)
        self.assertIn(b"it is a pipe of somebody else", done.stderr)

    def test_pipes_as_parts_of_a_tree(self) -> None:
        for name in ("MANIFEST", "rules.sh"):
            with self.subTest(name):
                folder = self.folder / name
                folder.mkdir()
                os.mkfifo(folder / name)
                self.refuse(folder, f"{name}` is no regular file", "--emit", "all")

    def test_what_is_open_already(self) -> None:
        wanted = self.compile().stdout
        for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
            done = self.compile("-o", name)
            self.assertStatus(done, 0)
            self.assertEqual(done.stdout, wanted)
        # A shell's `>(cat)`, and what is appended to.
        shell = f"{LBC} compile {self.site} -o >(cat >{self.folder}/copy); wait $!"
        self.assertEqual(subprocess.run(["bash", "-c", shell], check=False, timeout=60).returncode, 0)
        self.assertEqual((self.folder / "copy").read_bytes(), wanted)
        shell = f"echo first >{self.folder}/log; {LBC} compile {self.site} -o /dev/stdout >>{self.folder}/log"
        self.assertEqual(subprocess.run(["bash", "-c", shell], check=False, timeout=60).returncode, 0)
        self.assertEqual((self.folder / "log").read_bytes(), b"first\n" + wanted)

    def test_odd_places(self) -> None:
        self.assertStatus(self.compile("-o", "/dev/null"), 0)
        (self.folder / "folder").mkdir()
        self.refuse(self.folder / "folder", "Is a directory")
        self.refuse(f"{self.folder}/new/", "Is a directory")
        self.refuse(self.folder / "none/file", "No such file or directory")
        self.assertStatus(self.compile("-o", ""), 2)
        self.assertStatus(self.compile("-o", "-x\ny", cwd=self.folder), 0)
        self.assertTrue((self.folder / "-x\ny").is_file())


class Dumps(Place):
    def verify(self, *words: str | Path) -> str:
        done = run("verify", self.site, *words, seconds=60)
        self.assertStatus(done, 2)
        return done.stderr.decode()

    def test_no_device_is_opened(self) -> None:
        for name in ("/dev/zero", "/dev/kmsg"):
            self.assertIn("it is a device", self.verify("-d", "lb1", "--against", name))

    def test_a_folder_of_dumps_has_files_alone(self) -> None:
        (self.folder / "dumps/lb1").mkdir(parents=True)
        os.mkfifo(self.folder / "dumps/lb1/iptables.rules")
        self.assertIn("it is no regular file", self.verify("--site", self.folder / "dumps"))
        (self.folder / "dumps/lb1/iptables.rules").unlink()
        (self.folder / "dumps/lb1/iptables.rules").symlink_to("/etc/passwd")
        said = self.verify("--site", self.folder / "dumps")
        self.assertIn("it is a link out of the folder", said)
        self.assertNotIn("root:", said)

    def test_a_pipe_that_the_user_names(self) -> None:
        shell = f"{LBC} verify {self.site} -d lb1 --against <({LBC} compile {self.site} -d lb1 --emit iptables)"
        done = subprocess.run(["bash", "-c", shell], check=False, timeout=60, capture_output=True)
        self.assertStatus(done, 0)


if __name__ == "__main__":
    main()
