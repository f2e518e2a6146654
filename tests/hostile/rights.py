"""What a running lbc may do: read from /proc, while it waits for its site file or for an answer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from lbctest import director
from lbctest.director import NOBODY, Director, as_nobody, capabilities, lbc, status_of, wait_for
from lbctest.hostile import LBC, SITE, main

READ = {"DAC_READ_SEARCH"}
WRITE = READ | {"DAC_OVERRIDE", "CHOWN", "FOWNER"}
NETWORK = {"NET_ADMIN", "NET_RAW"}
CHANGE = NETWORK | WRITE | {"SYS_PTRACE"}
PROGRAMS = NETWORK | {"SYS_MODULE", "DAC_OVERRIDE", "SETUID", "SETGID"}  # of apply


class Rights(Director):
    def check(self, words: list[str], own: set[str], programs: set[str], no_more: bool) -> None:
        """Of a command that reads its site from standard input, while it does."""
        running = subprocess.Popen([LBC, *words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            had = capabilities(os.getpid(), "CapEff")
            wait_for(f"{words} reads", lambda: capabilities(running.pid, "CapEff") == own & had and
                     status_of(running.pid)["NoNewPrivs"] == str(int(no_more)))
            self.is_left_with(running.pid, own, programs, no_more)
        finally:
            running.kill()
            running.wait()
            running.stdin.close()

    def is_left_with(self, pid: int, own: set[str], programs: set[str], no_more: bool) -> None:
        had = capabilities(os.getpid(), "CapEff")
        for which in ("CapEff", "CapPrm"):
            self.assertEqual(capabilities(pid, which), own & had, which)
        for which in ("CapInh", "CapAmb"):
            self.assertLessEqual(capabilities(pid, which), own, which)
        self.assertEqual(capabilities(pid, "CapBnd"), programs & capabilities(os.getpid(), "CapBnd"))
        self.assertEqual(status_of(pid)["NoNewPrivs"], "1" if no_more else "0")

    def test_commands_of_files(self) -> None:
        for words, own in ((["check", "-"], READ), (["diff", "-", str(self.site)], READ), (["compile", "-"], WRITE),
                           (["fmt", "-"], WRITE), (["trace", "-", "--to", "192.0.2.10:80"], READ),
                           (["verify", "-", "--against", "/dev/null"], READ)):
            with self.subTest(words=words):
                self.check(words, own, READ, True)

    def test_commands_of_the_kernel(self) -> None:
        looking = NETWORK | READ
        for words in (["diff", "-"], ["verify", "-"], ["trace", "-", "--to", "192.0.2.10:80", "--live"]):
            with self.subTest(words=words):
                self.check(words, looking, looking | {"SYS_MODULE"}, False)
        self.check(["status", "-"], looking | {"SYS_PTRACE"}, looking | {"SYS_MODULE"}, False)
        self.check(["apply", "-"], CHANGE, PROGRAMS, False)

    def test_a_container_without_ptrace(self) -> None:
        """There apply could look at keepalived no more if it gave up a right that keepalived has."""
        had = capabilities(os.getpid(), "CapEff") - {"SYS_PTRACE"}
        running = subprocess.Popen(["setpriv", "--bounding-set=-sys_ptrace", LBC, "apply", "-"], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for("apply reads", lambda: capabilities(running.pid, "CapBnd") == PROGRAMS & had)
            self.assertEqual(capabilities(running.pid, "CapEff"), had)
        finally:
            running.kill()
            running.wait()
            running.stdin.close()

    def test_the_process_that_waits_for_an_answer(self) -> None:
        os.environ["SECRET"] = "of the caller's"
        self.addCleanup(os.environ.pop, "SECRET")
        pid = self.change()
        self.is_left_with(pid, CHANGE, PROGRAMS, False)
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
        self.assertNotIn(b"SECRET", Path(f"/proc/{pid}/environ").read_bytes())
        self.assertEqual(lbc("rollback").stdout, "the change is rolled back\n")

    def test_root_reads_and_writes_what_is_another_users(self) -> None:
        folder = self.folder / "theirs"
        folder.mkdir(mode=0o700)
        site, out = folder / "site.lb", folder / "out.sh"
        site.write_text(SITE, encoding="utf-8")
        site.chmod(0o600)
        out.touch(0o600)
        for path in (site, out, folder):
            os.chown(path, NOBODY, NOBODY)
        for words in (["check", site], ["diff", site, site], ["compile", site, "-o", out],
                      ["compile", site, "-o", folder / "new.sh"], ["compile", site, "--emit", "all", "-o", folder],
                      ["fmt", "-i", site]):
            done = lbc(*words)
            self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")
        self.assertIn("web", out.read_text(encoding="utf-8"))

    def test_a_user_with_both_capabilities(self) -> None:
        """What it lacks is what is said to be missing."""
        subprocess.run(["iptables-legacy", "-t", "mangle", "-S"], capture_output=True, check=False)
        if not os.path.exists("/proc/net/ip_tables_names"):
            self.skipTest("no legacy tables")
        program = self.folder / "lbc"
        shutil.copy(LBC, program)
        program.chmod(0o755)
        rights = "+net_admin,+net_raw"
        done = as_nobody(str(program), "verify", str(self.site), "-d", "lb1", "--only", "marks",
                         rights="+net_admin,+net_raw")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("/proc/net/ip_tables_names", done.stderr)
        self.assertIn("CAP_DAC_READ_SEARCH", done.stderr)


if __name__ == "__main__":
    director.enter()
    main()
