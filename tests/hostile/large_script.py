"""One argument of a program holds 128 KiB on Linux (MAX_ARG_STRLEN). The marks of 25,000 services are more, and the
script of a large site works all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import unittest

from lbctest.hostile import DIRECTORS, Case, main, run

SERVICES = 25_000
IPVSADM = """#!/bin/sh
case $1 in
-R) cat >"$SAID" ;;
-Sn) echo "-A -f 3 -s wlc"; echo "-A -f 900000 -s wlc"; echo "-A -f 7 -6 -s rr" ;;
-Ln) echo "FWM  3 wlc"; echo "FWM  900000 wlc"; echo "FWM  7 IPv6 rr" ;;
esac
"""


class LargeScript(Case):
    @unittest.skipUnless(shutil.which("awk"), "needs awk")
    def test_marks_of_many_services(self) -> None:
        services = "".join(f"service s{i} {{ vip 10.{i // 250 + 1}.{i % 250}.1; port tcp 80; mark {i + 3}; "
                           f"real 10.0.0.9 }}\n" for i in range(SERVICES))
        site = self.write("site.lb", "marks 0x80000-0x80010\n" + DIRECTORS + services)
        done = run("compile", site)
        self.assertStatus(done, 0)
        script = self.write("rules.sh", done.stdout)
        ipvsadm = self.write("ipvsadm", IPVSADM)
        ipvsadm.chmod(0o755)
        environment = {**os.environ, "LBC_ONLY": "ipvs", "IPVSADM": str(ipvsadm), "SAID": str(self.folder / "said")}

        def script_does(*words: str) -> str:
            did = subprocess.run(["sh", script, *words], env=environment, capture_output=True, text=True, timeout=240,
                                 check=False)
            self.assertEqual(did.returncode, 0, did.stderr[-1000:])
            return did.stdout

        shown = script_does("show")
        self.assertIn("FWM  3 wlc", shown)
        self.assertNotIn("900000", shown)
        script_does("remove")
        self.assertEqual((self.folder / "said").read_text(), "-D -f 3\n-D -f 7 -6\n")


if __name__ == "__main__":
    main()
