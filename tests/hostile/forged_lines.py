"""iptables-save and `iptables -S` print a line break in a rule's comment as it is. What follows it reads as a rule, a
chain, or the end of the listing; the comment of a container's rule may be anybody's text."""

from __future__ import annotations

import shutil
import subprocess
import unittest

from lbctest.hostile import LBC, SITE, Case, is_root, main, run

FORGED = """x
-N LBC-FORGED
-A PREROUTING -j LBC
-A LBC -j MARK --set-mark 0xbad
=
:LBC - [0:0]
-A LBC -j MARK --set-mark 0xbad
-A INPUT -j LBC
y"""
CAN = is_root() and all(map(shutil.which, ("iptables-legacy", "iptables-nft", "ipset"))) and subprocess.run(
    ["unshare", "-mn", "true"], check=False).returncode == 0


@unittest.skipUnless(CAN, "needs root and iptables")
class ForgedLines(Case):
    def listed(self, kind: str, *commands: str) -> list[str]:
        self.write("forged", FORGED)
        done = subprocess.run(
            ["unshare", "-mn", "sh", "-euc", "mount -t tmpfs none /run; " + "; ".join(
                [f'iptables-{kind} -t mangle -A PREROUTING -m comment --comment "$(cat forged)" -j ACCEPT', *commands,
                 "echo ====", f"iptables-{kind} -t mangle -F PREROUTING", f"iptables-{kind} -t mangle -S"])],
            cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split("====\n")[1].splitlines()

    def test_the_script(self) -> None:
        self.write("rules.sh", run("compile", self.write("site.lb", SITE)).stdout)
        for kind in ("legacy", "nft"):
            run_script = f"LBC_ONLY=marks IPTABLES=iptables-{kind} IP6TABLES=ip6tables-{kind} sh rules.sh"
            rules = self.listed(kind, f"{run_script} apply lb1", f"{run_script} apply lb1")
            self.assertIn("-N LBC", rules)
            self.assertFalse([rule for rule in rules if "0xbad" in rule or "FORGED" in rule or "INPUT -j" in rule], rules)
            removed = self.listed(kind, f"{run_script} apply lb1", f"{run_script} remove")
            self.assertFalse([rule for rule in removed if "LBC" in rule])

    def test_apply_moves_the_marks(self) -> None:
        self.write("rules.sh", run("compile", self.write("site.lb", SITE)).stdout)
        rules = self.listed(
            "nft", "LBC_ONLY=marks IPTABLES=iptables-nft IP6TABLES=ip6tables-nft sh rules.sh apply lb1",
            f"{LBC} apply site.lb -d lb1 --only marks --backend nft --migrate")
        self.assertFalse([rule for rule in rules if "LBC" in rule], rules)

    def test_what_is_shown_of_a_kernel(self) -> None:
        """A set's name, which a kernel takes with a line break in it."""
        self.write("site.lb", SITE)
        commands = (f"{LBC} trace site.lb -d lb1 --live -v --to 192.0.2.10:80", f"{LBC} verify site.lb -d lb1 --only marks",
                    f"{LBC} remove --only marks --dry-run", f"{LBC} apply site.lb -d lb1 --only marks --backend iptables "
                    "--dry-run")
        for command in commands:
            done = subprocess.run(
                ["unshare", "-mn", "bash", "-euc", f"""mount -t tmpfs none /run
                name=$'LBC-4-x\nFORGED'
                ipset create "$name" hash:ip,port skbinfo
                iptables-legacy -t mangle -N LBC
                for chain in PREROUTING LBC; do
                    iptables-legacy -t mangle -A $chain -j SET --map-set "$name" dst,dst --map-mark
                done
                {command} 2>&1 || true"""],
                cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            if " verify " not in command:
                self.assertIn("FORGED", done.stdout, command)
            self.assertFalse([line for line in done.stdout.splitlines() if line.lstrip("+- ").startswith("FORGED")],
                             done.stdout)


if __name__ == "__main__":
    main()
