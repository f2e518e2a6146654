"""Every configuration passes `keepalived -t` with status 0 and without a word: of the examples, of a site with every
option, and of random sites; for one director, and for all in one file, where each takes what is its own."""

from __future__ import annotations

import os
import unittest
from pathlib import Path
from random import Random

from lbctest import keepalived
from lbctest.keepalived_sites import Draw
from lbctest.project import compiled

ROOT = Path(__file__).parent.parent.parent
RANDOM_SITES = int(os.environ.get("LBC_SITES", "60"))
SEED = os.environ.get("LBC_SEED", "1")


def meaning(text: str, config_id: str) -> list[str]:
    """The lines that one host reads, without layout."""
    lines = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("@"):
            condition, line = line[1:].split(" ", 1)
            if condition != config_id:
                continue
        if line and not line.startswith("#"):
            lines.append(line)
    return lines


LIMITS = ("keepalived-limit", "check-port", "check-through-vip")


class Accepted(unittest.TestCase):
    def check(self, path: str) -> None:
        site = keepalived.site_of(path)
        keepalived.prepare(site)
        shared = compiled(path, "--emit", "keepalived")
        for director in site["directors"]:
            name = director["name"]
            config_id = director["hostname"].split(".")[0]
            own = compiled(path, "--emit", "keepalived", "-d", name)
            self.assertEqual(keepalived.tested(own, config_id), "", own)
            self.assertEqual(keepalived.tested(shared, config_id), "", shared)
            self.assertEqual(sorted(meaning(shared, config_id)), sorted(meaning(own, config_id)))

    def test_examples(self) -> None:
        paths = [*(ROOT / "examples").glob("*.lb"), *(ROOT / "examples").glob("*/site.lb")]
        self.assertGreater(len(paths), 3)
        for path in sorted(paths):
            with self.subTest(path.name):
                self.check(str(path))

    def test_every_option(self) -> None:
        self.check(str(ROOT / "tests/json/everything.lb"))

    def test_random_sites(self) -> None:
        taken = 0
        for number in range(RANDOM_SITES):
            text = Draw(Random(f"{SEED}/{number}")).site()
            path = keepalived.SCRATCH / "site.lb"
            path.write_text(text, encoding="utf-8")
            done = keepalived.lbc("check", str(path))
            with self.subTest(seed=f"{SEED}/{number}"):
                self.assertIn(done.returncode, (0, 2), done.stderr)
                if done.returncode == 2:
                    # What is drawn is right but for what keepalived has limits for.
                    self.assertTrue(all(any(f"[{limit}]" in line for limit in LIMITS)
                                        for line in done.stderr.splitlines() if ": error: " in line),
                                    done.stderr + text)
                    continue
                taken += 1
                self.check(str(path))
        self.assertGreater(taken, RANDOM_SITES // 3)

    def test_hosts_that_share_a_label(self) -> None:
        path = keepalived.SCRATCH / "site.lb"
        path.write_text("director a { mac 02:00:00:00:00:01; hostname lb.one.example; address 10.0.0.1 }\n"
                        "director b { mac 02:00:00:00:00:02; hostname lb.two.example; address 10.0.0.2 }\n"
                        "vrrp v { vip 10.0.0.9/24; interface eth0; router-id 5; priority a 9, b 8; unicast }\n"
                        "service s { vip 10.0.0.9; port tcp 80; real 10.0.0.7 }\n", encoding="utf-8")
        shared = compiled(str(path), "--emit", "keepalived")
        self.assertIn("-i DIRECTOR", shared)
        for name in "ab":
            own = compiled(str(path), "--emit", "keepalived", "-d", name)
            self.assertEqual(sorted(meaning(shared, name)), sorted(meaning(own, name)))

    def test_what_keepalived_refuses_is_seen(self) -> None:
        """The judge can say no."""
        text = "virtual_server fwmark 3 {\n protocol TCP\n real_server 10.0.0.1 80 {\n }\n}\n"
        self.assertNotEqual(keepalived.tested(text, "lb1"), "")


if __name__ == "__main__":
    keepalived.enter()
    unittest.main(verbosity=2)
