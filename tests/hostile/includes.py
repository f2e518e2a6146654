"""An include reads regular files of the site's folder, or of one that the command line names, in bounded number and
size; nothing else is opened, waited for or quoted. The time limits are there against a hang alone."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from lbctest.hostile import DIRECTORS, LBC, SERVICE, SITE, Case, main, run

SECRET = "key-of-somebody hunter2"


class Includes(Case):
    def check(self, include: str, status: int = 2, *words: str | Path, **more) -> str:
        site = self.write("site/site.lb", f'include "{include}"\n' + SITE)
        done = run("check", site, *words, seconds=60, **more)
        self.assertStatus(done, status)
        return done.stderr.decode(errors="replace")

    def outside(self, include: str, *words: str | Path) -> None:
        said = self.check(include, 2, *words)
        self.assertIn("[include-outside]", said)
        self.assertNotIn("hunter2", said)

    def test_files_out_of_the_folder(self) -> None:
        secret = self.write("secret/key", SECRET)
        (self.folder / "site").mkdir()
        (self.folder / "site/link").symlink_to(secret)
        (self.folder / "site/folder").symlink_to(secret.parent)
        for include in (secret, "../secret/key", "link", "folder/key", "../site/../secret/key", "/proc/self/environ",
                        "/etc/passwd", f"{secret.parent}/k*", "../secret/*", "folder/*", "../*/key", "/proc/*/environ"):
            with self.subTest(include):
                self.outside(str(include))
        # A neighbour whose name begins the same way.
        self.write("site2/key", SECRET)
        self.outside("../site2/key")

    def test_what_is_there_outside_is_not_told(self) -> None:
        """The answer is the same whether or not a file is there."""
        (self.folder / "site").mkdir()
        for name, target in (("link", "../secret/key"), ("folder", "../secret"), ("far", self.folder / "secret")):
            (self.folder / "site" / name).symlink_to(target)
        (self.folder / "site/loop").symlink_to("loop")
        includes = ("../secret/key", self.folder / "secret/key", "link", "folder/key", "far/key", "../secret/key/x",
                    "folder/../secret/key", "../secret/*", "../secret/k*", "folder/*", "folder/[k]ey", "../secret/*/x",
                    f"{self.folder}/secret/[k]ey", "../secret/sub/../[k]ey")

        def said() -> list[str]:
            return [self.check(str(include)) for include in includes]

        without = said()
        for include, one in zip(includes, without):
            self.assertIn("[include-outside]", one, include)
        self.write("secret/key", SECRET)
        self.assertEqual(said(), without)
        # Of the site's own folder it is told.
        for include in ("none", "./x/../none", "../site/none", "loop"):
            self.assertIn("[include-no-match]", self.check(include), include)

    def test_links_inside_are_followed(self) -> None:
        self.write("site/parts/web.lb", SERVICE)
        (self.folder / "site/link").symlink_to("parts")
        (self.folder / "alias").symlink_to("site")
        site = self.write("site/site.lb", 'include "link/../parts/*.lb"\n' + DIRECTORS)
        self.assertStatus(run("check", site), 0)
        self.assertStatus(run("check", self.folder / "alias/site.lb"), 0)
        self.assertStatus(run("check", "site.lb", cwd=site.parent), 0)

    def test_include_from(self) -> None:
        self.write("shared/web.lb", SERVICE)
        site = self.write("site/site.lb", 'include "../shared/*.lb"\n' + DIRECTORS)
        self.assertStatus(run("check", site), 2)
        shared = self.folder / "shared"
        for words in (("check",), ("compile",), ("fmt", "--pin-marks", "--check"), ("diff", "/dev/null"),
                      ("trace", "--to", "192.0.2.10:80", "-d", "lb1")):
            done = run(words[0], *words[1:2 if words[0] == "diff" else 1], site, "--include-from", "/usr",
                       "--include-from", shared, *words[2 if words[0] == "diff" else 1:])
            self.assertIn(done.returncode, (0, 1), done.stderr)
        # No line of what the site's author may not be able to read is shown.
        self.write("shared/web.lb", f"service hunter2 {SECRET}\n")
        done = run("check", site, "--include-from", shared)
        self.assertStatus(done, 2)
        self.assertIn(b"shared/web.lb:1:", done.stderr)
        self.assertNotIn(b" | ", done.stderr)
        self.assertStatus(run("check", site, "--include-from", self.folder / "none"), 2)

    def test_nothing_but_regular_files_is_opened(self) -> None:
        (self.folder / "site").mkdir()
        os.mkfifo(self.folder / "site/pipe.lb")
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(str(self.folder / "site/socket.lb"))
        for include in ("pipe.lb", "socket.lb", "*.lb", "/dev/zero", "/dev/tty", "/proc/kmsg"):
            with self.subTest(include):
                self.outside(include)
        # A folder is allowed by name; what is in it is still not opened.
        self.outside("/dev/zero", "--include-from", "/dev")
        try:
            trace = subprocess.run(["strace", "-f", "-e", "trace=open,openat", LBC, "check",
                                    self.write("site/site.lb", 'include "/dev/zero"\n' + SITE),
                                    "--include-from", "/dev"], capture_output=True, timeout=60, check=False)
        except FileNotFoundError:
            return
        for line in trace.stderr.decode().splitlines():
            if "/dev/zero" in line and "open" in line.split("(")[0]:
                self.assertIn("O_PATH", line)

    def test_files_of_the_kernel_are_not_waited_for(self) -> None:
        self.check("/proc/kmsg", 2, "--include-from", "/proc")

    def test_standard_input_counts_from_the_current_folder(self) -> None:
        self.write("site/web.lb", SERVICE)
        self.write("key", SECRET)
        for name in ("-", "/dev/stdin", "/dev/fd/0"):
            site = 'include "web.lb"\n' + DIRECTORS
            self.assertStatus(run("check", name, text=site, cwd=self.folder / "site"), 0)
            done = run("check", name, text='include "../key"\n' + DIRECTORS, cwd=self.folder / "site")
            self.assertStatus(done, 2)
            self.assertIn(b"[include-outside]", done.stderr)
        # Below the root lies everything, so it is no site's folder.
        done = run("check", "-", text='include "/etc/passwd"\n' + DIRECTORS, cwd="/")
        self.assertStatus(done, 2)
        self.assertIn(b"[include-outside]", done.stderr)

    def test_the_named_file_may_be_a_pipe(self) -> None:
        site = self.write("site.lb", SITE)
        shell = f"{LBC} check <(cat {site})"
        self.assertEqual(subprocess.run(["bash", "-c", shell], check=False, timeout=60).returncode, 0)

    def test_a_folder_that_becomes_a_link(self) -> None:
        """While it is exchanged all the time, each run has the site's part or a refusal, never the secret."""
        self.write("site/parts/web.lb", SERVICE)
        self.write("secret/web.lb", "hunter2 {\n")
        (self.folder / "site/other").symlink_to(self.folder / "secret")
        swap = ("import ctypes, sys\nc = ctypes.CDLL(None)\na, b = (w.encode() for w in sys.argv[1:])\n"
                "while True: c.renameat2(-100, a, -100, b, 2)\n")
        swapper = subprocess.Popen(["python3", "-c", swap, self.folder / "site/parts", self.folder / "site/other"])
        try:
            for include in ("parts/web.lb", "parts/*.lb") * 40:
                site = self.write("site/site.lb", f'include "{include}"\n' + DIRECTORS)
                self.assertNotIn(b"hunter2", run("check", site, seconds=60).stderr)
        finally:
            swapper.kill()
            swapper.wait()


class Bounds(Case):
    def test_patterns_among_links_in_circles(self) -> None:
        (self.folder / "a").symlink_to(".")
        (self.folder / "b").symlink_to(".")
        site = self.write("site.lb", f'include "{"*/" * 40}x"\n' * 50 + SITE)
        done = run("check", site, cpu=60, memory=None)
        self.assertStatus(done, 2)
        self.assertIn(b"[too-large]", done.stderr)
        self.assertIn(b"lead to more than 250000 names", done.stderr)

    def test_one_large_file_many_times(self) -> None:
        self.write("large", "#" * 50_000 + "\n" + ("#" * 99 + "\n") * 310_000)
        site = self.write("site.lb", 'include "large"\n' * 300 + SITE)
        done = run("check", site, cpu=60)
        self.assertStatus(done, 2)
        self.assertEqual(done.stderr.count(b"the site is larger than 64 MiB"), 1)

    def test_the_same_as_a_small_repository(self) -> None:
        git = ["git", "-C", str(self.folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
        self.write("large", ("#" * 99 + "\n") * 310_000)
        self.write("site.lb", 'include "large"\n' * 300 + SITE)
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *words], check=True, timeout=120)
        done = run("check", "HEAD:site.lb", cwd=self.folder, cpu=60)
        self.assertStatus(done, 2)
        self.assertIn(b"[too-large]", done.stderr)


if __name__ == "__main__":
    main()
