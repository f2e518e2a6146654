#!/usr/bin/python3
"""What others put into the table inet lbc, or beside it, is no command of nft's when lbc writes the table, and no reason
to stop half way: a name that nft prints as it is, a text that is no UTF-8, a chain that lbc does not know."""

from __future__ import annotations

import json
import subprocess
import unittest
from pathlib import Path

from lbctest import director, hostile

SITE = Path(__file__).parents[2] / "examples" / "two-boxes.lb"
INJECTION = "zz; delete table ip victim; add set inet lbc zz { type ipv4_addr; }"
LISTED = "zz { type ipv4_addr; }; }; delete table ip victim; table inet lbc { set yy"


def add(kind: str, **values: object) -> dict:
    return {"add": {kind: {"family": "inet", "table": "lbc", **values}}}


def own_table(*parts: dict) -> str:
    return json.dumps({"nftables": [{"add": {"table": {"family": "inet", "name": "lbc"}}}, *parts]})


def a_set(name: str) -> dict:
    return add("set", name=name, type="ipv4_addr")


A_RULE = add("rule", chain="c", expr=[{"limit": {"rate": 3, "per": "second"}}, {"accept": None}])


class OwnTable(unittest.TestCase):
    def setUp(self) -> None:
        self.clear()
        self.addCleanup(self.clear)

    @staticmethod
    def clear() -> None:
        subprocess.run(["nft", "flush", "ruleset"], check=True)

    @staticmethod
    def nft(text: str | bytes, *options: str) -> None:
        text = text.encode() if isinstance(text, str) else text
        subprocess.run(["nft", *options, "-f", "-"], input=text, check=True)

    @staticmethod
    def tables() -> list[str]:
        return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]

    def lbc(self, *words: str, status: int) -> str:
        done = subprocess.run([hostile.LBC, *words], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def holds(self) -> bool:
        """Of the rules: this namespace does not have the devices of the site."""
        done = subprocess.run([hostile.LBC, "verify", str(SITE), "-d", "lb1", "--only", "marks", "--json"],
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)["directors"][0]["holds"]

    def apply(self, status: int, *more: str) -> str:
        return self.lbc("apply", str(SITE), "-d", "lb1", "--only", "marks", "--backend", "nft", *more, status=status)

    def test_names_are_no_commands(self) -> None:
        for parts in ((a_set(INJECTION), a_set("zz")), (a_set(LISTED), add("chain", name="c"), A_RULE), (a_set("z z"),),
                      (a_set("a\nb"),), (add("chain", name="z z"),), (add("counter", name='x"; y'),),
                      (add("chain", name="c"), add("rule", chain="c", comment='a" ; delete table ip victim',
                                                   expr=[{"accept": None}]))):
            with self.subTest(parts=parts):
                self.clear()
                self.nft("table ip victim { }")
                self.nft(own_table(*parts), "-j")
                before = self.tables()
                for said in (self.apply(3), self.lbc("remove", "--only", "marks", status=3)):
                    self.assertIn("nothing was touched", said)
                    self.assertIn("nft delete table inet lbc", said)
                self.assertEqual(self.tables(), before)
                subprocess.run(["nft", "delete", "table", "inet", "lbc"], check=True)
                self.apply(0)

    def test_a_name_beside_a_table_that_works(self) -> None:
        self.apply(0)
        self.nft(own_table(a_set("z z")), "-j")
        self.apply(3)
        self.assertNotIn("b_", subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True).stdout)

    def test_chains_of_others_in_it_go(self) -> None:
        self.nft("table inet lbc {\nchain zz {\n}\n}")
        self.apply(0)
        self.assertNotIn("zz", subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True).stdout)
        self.apply(0)

    def test_texts_that_are_no_utf8(self) -> None:
        """nft's JSON ends the program, or leaves out an element."""
        for rule in (b'iifname "\xffx" accept', b'oifname "\xff" accept', b'iifname vmap { "\xff" : accept }'):
            with self.subTest(rule):
                self.clear()
                self.nft(b"table ip foo {\nchain bar {\n" + rule + b"\n}\n}\n")
                self.apply(0)
                self.apply(0)
                self.lbc("verify", str(SITE), "-d", "lb1", "--only", "marks", status=1)
                self.lbc("remove", "--only", "marks", status=0)
                self.assertEqual(self.tables(), ["table ip foo"])

    def test_an_element_that_json_leaves_out(self) -> None:
        self.apply(0)
        self.nft(b'table ip foo {\nchain bar {\ntype filter hook prerouting priority -100;\n'
                 b'iifname { "\xffx", "eth0" } ip daddr 192.168.23.253 meta mark set 0x7777\n}\n}\n')
        self.lbc("verify", str(SITE), "-d", "lb1", "--only", "marks", status=1)

    def test_chains_called_like_parts_of_rules(self) -> None:
        self.apply(0)
        chain = {"family": "ip", "table": "foo"}
        self.nft(json.dumps({"nftables": [
            {"add": {"table": {"family": "ip", "name": "foo"}}},
            *({"add": {"chain": {**chain, "name": name}}} for name in ("c@2", "c\nrule 2", "c#1")),
            *({"add": {"rule": {**chain, "chain": name, "expr": [{"accept": None}]}}}
              for name in ("c@2", "c\nrule 2", "c#1"))]}), "-j")
        self.nft("table ip foo {\nchain c {\ntype filter hook prerouting priority -100;\n"
                 "ip daddr != { 10.0.0.1, 10.0.0.2 } tcp dport 99 accept\n"
                 "ip daddr { 10.0.0.1, 10.0.0.2 } meta mark set 3\n}\n}\n")
        self.lbc("verify", str(SITE), "-d", "lb1", "--only", "marks", status=1)

    def test_tables_with_flags(self) -> None:
        """nft up to 1.0.9 prints them as broken text."""
        for family, hook in (("ip", "input"), ("inet", "prerouting"), ("netdev", "ingress device lo")):
            with self.subTest(family):
                self.clear()
                self.nft(f"table {family} sleeps {{\nflags dormant;\nchain c {{ type filter hook {hook} priority 0; "
                         "policy drop;\ndrop\n}\n}\n")
                for _ in range(3):
                    self.apply(0)
                self.assertTrue(self.holds())
                self.lbc("remove", "--only", "marks", status=0)
        self.clear()
        self.apply(0)
        self.nft("table inet lbc { flags dormant; }")
        self.assertIn("dormant", self.apply(3))


if __name__ == "__main__":
    director.enter()
    hostile.main()
