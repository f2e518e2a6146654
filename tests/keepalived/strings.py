"""What a site says in a string reaches a script as it stands: real keepalived, which takes a role and calls the
scripts of its instances."""

from __future__ import annotations

import subprocess
import time
import unittest
from pathlib import Path
from random import Random

from lbctest import keepalived
from lbctest.project import compiled

PIECES = ["a", " ", "  ", "!", "#", "$", "{", "}", "~SEQ(a,1,2,3)", "~LST(a,b)", "@lb1", "${_PWD}", "$_PWD ", ";", "|",
          "`id`", "\\\"", "\\\\n", "%s", "*", "é", "$HOME", "${x}", "<", "&", "="]
INSTANCES = 20


class Strings(unittest.TestCase):
    def test_arguments(self) -> None:
        rng = Random(5)
        keepalived.add_interface("eth0")
        script = keepalived.SCRATCH / "script"
        script.write_text('#!/bin/sh\nprintf "%s" "$2" >"$1.new" && mv "$1.new" "$1"\n', encoding="utf-8")
        script.chmod(0o755)
        texts = ["".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 9))) for _ in range(INSTANCES)]
        texts += PIECES
        texts += ['\\"' * 150, "\\\\" * 150, "$a" * 150, "x" * 350]  # near to what keepalived's line holds
        site = "director lb1 { mac 02:00:00:00:00:01 }\n"
        for i, text in enumerate(texts):
            site += (f"vrrp v{i} {{ vip 10.1.{i}.1/24; interface eth0; router-id {i + 1}; priority lb1 9; advert 100ms; "
                     f"notify \"{script} {keepalived.SCRATCH}/said{i} '{text}'\" }}\n")
        site += "service s { vip 10.1.0.1; port tcp 80; real 10.0.0.7 }\n"
        path = keepalived.SCRATCH / "site.lb"
        path.write_text(site, encoding="utf-8")
        config = keepalived.SCRATCH / "strings.conf"
        config.write_text(compiled(str(path), "--emit", "keepalived", "-d", "lb1"), encoding="utf-8")
        said = [keepalived.SCRATCH / f"said{i}" for i in range(len(texts))]
        process = subprocess.Popen(
            ["keepalived", "-n", "-l", "-P", "-f", str(config), "-p", str(keepalived.SCRATCH / "pid"), "-r",
             str(keepalived.SCRATCH / "vrrp.pid")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.wait(process, said)
        finally:
            process.terminate()
            log = process.communicate(timeout=60)[0]
        for text, file in zip(texts, said, strict=True):
            with self.subTest(text):
                meant = text.replace('\\"', '"').replace("\\\\", "\\")
                self.assertEqual(file.read_text(encoding="utf-8") if file.exists() else None, meant, log[-2000:])

    def wait(self, process: subprocess.Popen, files: list[Path]) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            if all(file.exists() for file in files):
                return
            time.sleep(0.1)


if __name__ == "__main__":
    keepalived.enter()
    unittest.main(verbosity=2)
