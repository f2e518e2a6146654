"""Somebody calls a process keepalived: it is not taken for the director's. tests/unit/backends/keepalived_process_test.cpp sends
the signals; here the whole command meets a stranger's process, and the real keepalived. Where the kernel has no IPVS,
apply ends at that, behind all that is asked about keepalived."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from lbctest import director
from lbctest.director import NOBODY, PATIENCE, lbc, wait_for
from lbctest.hostile import DIRECTORS, Case, main

SITE = "ipvs keepalived\n" + DIRECTORS + """
service web { vip 192.0.2.10; port tcp 80; real lb1; real lb2
    check script { command "/usr/bin/true"; user nobody } }
"""
RUNS = """vrrp_instance one {
    interface here
    virtual_router_id 7
    virtual_ipaddress {
        192.0.2.10
    }
}
"""


class Named(Case):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.write("site.lb", SITE)
        self.config = self.folder / "keepalived.conf"
        self.addCleanup(lbc, "remove")

    def start(self, *words: str) -> subprocess.Popen:
        started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.PIPE)
        self.addCleanup(started.stdout.close)
        self.addCleanup(started.stdin.close)
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        return started

    def apply(self) -> str:
        done = lbc("apply", self.site, "-d", "lb1", "--only", "ipvs", "--keepalived-config", self.config)
        if "IPVS" not in done.stderr or done.returncode != 3:
            self.assertIn("keepalived", done.stdout + done.stderr)
        return done.stderr

    def test_a_strangers(self) -> None:
        user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        named = self.folder / "keepalived"
        shutil.copy(os.path.realpath("/bin/sh"), named)
        self.folder.chmod(0o755)
        alone = self.apply()  # keepalived -t takes the file, with a script of another user's
        self.assertNotIn("refuses", alone)
        for file in ("/x\x1b]0;pwned\a\x1b[31mRED", str(self.config)):
            process = self.start(*user, str(named), "-c", "echo started; read word", "-f", file)
            self.assertEqual(process.stdout.readline(), b"started\n")
            self.assertEqual(Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii"), "keepalived\n")
            self.assertEqual(self.apply(), alone)

    def start_keepalived(self, config: Path) -> subprocess.Popen:
        files = [word for flag in "prc" for word in (f"-{flag}", f"{self.folder}/{flag}.pid")]
        process = self.start("keepalived", "-n", "-l", "-P", "-f", str(config), *files)
        wait_for("its child", lambda: Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii"))
        return process

    def test_the_real_one(self) -> None:
        alone = self.apply()
        process = self.start_keepalived(self.write("\x1b[31mother.conf", RUNS))
        said = self.apply()
        self.assertIn(f"process {process.pid}, has the file", said)
        self.assertNotIn("\x1b", said)
        process.terminate()
        process.wait(PATIENCE)
        self.assertEqual(self.apply(), alone)

    def test_who_may_not_look(self) -> None:
        """A process that may be it, and may not be looked at: that is said, and not taken for none."""
        process = self.start_keepalived(self.write("its.conf", RUNS))
        done = subprocess.run(["setpriv", "--bounding-set=-all,+net_admin,+net_raw", "--inh-caps=-all", os.environ["LBC"],
                               "apply", str(self.site), "-d", "lb1", "--only", "ipvs", "--keepalived-config",
                               str(self.config)], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, r"cannot look at process \d+, which may be this box's keepalived")
        self.assertIn("CAP_SYS_PTRACE", done.stderr)
        process.terminate()
        process.wait(PATIENCE)


if __name__ == "__main__":
    director.enter()
    if not shutil.which("keepalived"):
        director.net.skip("no keepalived")
    director.net.run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there")
    for device in ("lo", "here", "there"):
        director.net.run("ip", "link", "set", device, "up")
    main()
