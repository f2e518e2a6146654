#!/usr/bin/python3
"""What `lbc compile` makes for ifupdown and for systemd-networkd, read by these programs themselves in namespaces of the
test's own: the same addresses and sysctls as the script's. Tunnels are tested in the lab.

Exit status 77: something that the tests need is missing here."""

import os
import shutil
import subprocess
import sys
import time
import unittest

from lbctest.project import LBC, SKIPPED, compiled
from lbctest.realserver import HERE, SCRATCH, Box, need, script_of

NETWORKD = "/lib/systemd/systemd-networkd"
SYSCTL = "/lib/systemd/systemd-sysctl"
OMITTED = []


def own_mounts():
    """Starts this program again with mounts of its own: nothing of the machine's /run and /etc is touched."""
    if os.environ.get("LBC_BOOT_TEST") != "inside":
        os.environ["LBC_BOOT_TEST"] = "inside"
        script = "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /etc/systemd && exec \"$@\""
        sys.exit(subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", sys.executable, "-B", *sys.argv]).returncode)


def by_script(number, *names):
    box = Box(number)
    done = box.run(script_of("site.lb"), "apply", *names)
    assert done.returncode == 0, done.stderr
    return box


class Boot(unittest.TestCase):
    maxDiff = None

    def facts(self, box):
        """Of addresses, how they are written does not matter; what they are for does."""
        lines = box.see("ip", "-o", "address", "show", "dev", "lo").splitlines()
        # A kernel that is busy is late to say that nobody else has an address.
        words = [[word for word in line.split()[2:] if word != "tentative"] for line in lines]
        return (sorted(map(" ".join, words)), box.local_routes(), box.sysctl("arp_ignore"), box.sysctl("arp_announce"))

    def test_ifupdown(self):
        if not shutil.which("ifup"):
            OMITTED.append("ifup")
            self.skipTest("no ifup")
        for names in (["lb1"], ["lb2"], ["10.0.0.3", "fd00::3"]):
            number = int(names[0][-1])
            wanted = self.facts(by_script(number, *names))
            box = Box(number)
            before = self.facts(box)
            file = SCRATCH / "interfaces"
            file.write_text(compiled(HERE / "site.lb", "--emit", "ifupdown", *(f"--real={name}" for name in names)))
            state = SCRATCH / "state"
            shutil.rmtree(state, ignore_errors=True)
            state.mkdir()
            for command, facts in (("ifup", wanted), ("ifdown", (*before[:2], 1, 2)), ("ifup", wanted)):
                done = box.host.run(command, "-i", str(file), "--state-dir", str(state), "lbc", check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(self.facts(box), facts, command)

    def test_networkd(self):
        """The daemon runs until it has done what it reads, so the test waits for that."""
        if not os.path.exists(NETWORKD) or not os.path.exists(SYSCTL):
            OMITTED.append("systemd-networkd")
            self.skipTest("no systemd-networkd")
        os.makedirs("/run/systemd/netif", exist_ok=True)
        shutil.chown("/run/systemd/netif", "systemd-network", "systemd-network")
        for name in ("lb1", "fd00::3"):
            number = int(name[-1])
            wanted = self.facts(by_script(number, name))
            box, folder = Box(number), SCRATCH / f"tree{number}"
            done = subprocess.run([LBC, "compile", HERE / "site.lb", "--emit", "networkd", "--real", name, "-o", folder])
            self.assertEqual(done.returncode, 0)
            shutil.copytree(folder / "etc/systemd/network", "/etc/systemd/network", dirs_exist_ok=True)
            sysctls = folder / "etc/sysctl.d/90-lbc.conf"
            self.assertEqual(sysctls.exists(), name == "lb1")
            if sysctls.exists():
                box.host.run(SYSCTL, str(sysctls))
            self.assertEqual(self.networkd(box, wanted), [])
            self.assertEqual(self.facts(box), wanted)

    def networkd(self, box, wanted):
        """Runs the daemon until the facts are as wanted, or for so long that they will not be; its complaints."""
        log = SCRATCH / "networkd.log"
        with open(log, "w", encoding="utf-8") as file:
            # A /sys that cannot be written tells it that there is no udev to wait for.
            daemon = subprocess.Popen(
                ["nsenter", f"--net=/proc/{os.getpid()}/fd/{box.host.namespace}", "unshare", "-m", "sh", "-c",
                 f"mount -t sysfs -o ro sysfs /sys && exec {NETWORKD}"], stderr=file, stdout=file)
        try:
            end = time.monotonic() + 60
            while self.facts(box) != wanted and time.monotonic() < end and daemon.poll() is None:
                time.sleep(0.1)
        finally:
            daemon.terminate()
            daemon.wait(60)
        return [line for line in log.read_text().splitlines() if "/etc/systemd/network/" in line and "Configuring" not in line]


if __name__ == "__main__":
    need("ip", "unshare", "nsenter")
    own_mounts()
    program = unittest.main(verbosity=2, exit=False)
    sys.exit(1 if not program.result.wasSuccessful() else SKIPPED if OMITTED else 0)
