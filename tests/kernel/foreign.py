#!/usr/bin/python3
"""What is not lbc's in the tables stays as it was, byte for byte with counters; what needs no change is not written."""

from __future__ import annotations

import re
import unittest

from lbctest import harness, net
from lbctest.fixtures import known_site, moved_site, small_site

# Chains whose names only look like lbc's are among it.
FOREIGN = """*mangle
:PREROUTING ACCEPT [11:1100]
:INPUT ACCEPT [0:0]
:FORWARD DROP [7:77]
:OUTPUT ACCEPT [3:333]
:POSTROUTING ACCEPT [0:0]
:LBCX - [0:0]
:lbc - [0:0]
:LBC_OLD - [0:0]
:other - [0:0]
[5:500] -A PREROUTING -i eth7 -p tcp -m tcp --dport 80 -m comment --comment "-j LBC-none" -j MARK --set-xmark 0x10/0xff
[6:600] -A PREROUTING -m mark --mark 0x10/0xff -j other
[1:100] -A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
[2:200] -A OUTPUT -j LBCX
[9:900] -A LBCX -m statistic --mode nth --every 3 --packet 1 -j RETURN
[8:800] -A lbc -m connmark --mark 0x1 -j CONNMARK --restore-mark
[4:400] -A LBC_OLD -g other
[3:300] -A other -p udp -m multiport --dports 1,2,3:9 -j DROP
COMMIT
*filter
:INPUT ACCEPT [1:1]
:FORWARD ACCEPT [2:2]
:OUTPUT ACCEPT [3:3]
:LBC - [0:0]
[4:4] -A INPUT -j LBC
[5:5] -A LBC -j RETURN
COMMIT
"""


def everything(program: str) -> list[str]:
    """Every table with its counters."""
    return [line for line in net.run(f"{program}-legacy-save", "-c").splitlines() if not line.startswith("#")]


def foreign(program: str) -> list[str]:
    """Every table without what is lbc's in the mangle table."""
    lines = everything(program)
    start = lines.index("*mangle")
    end = lines.index("COMMIT", start)
    return lines[:start] + harness.foreign(lines[start:end]) + lines[end:]


def mangle(program: str, counters: bool = True) -> list[str]:
    return harness.saved(program, counters)


class Foreign(unittest.TestCase):
    def setUp(self) -> None:
        for program in harness.FAMILIES:
            net.run(f"{program}-legacy-restore", "-c", text=FOREIGN)
        self.before = {program: everything(program) for program in harness.FAMILIES}

    def assert_foreign_untouched(self) -> None:
        for program in harness.FAMILIES:
            self.assertEqual(foreign(program), self.before[program])

    def apply(self, site: object, *arguments: str) -> str:
        return harness.lbc_ok("apply", harness.write(site), "--only", "marks", "-d", "lb1", *arguments)

    def test_apply_change_remove(self) -> None:
        for site in (known_site(), small_site(), moved_site(), known_site()):
            self.apply(site)
            self.assert_foreign_untouched()
        harness.lbc_ok("remove", str(harness.SITE), "--only", "marks", "-d", "lb1")
        for program in harness.FAMILIES:
            self.assertEqual(everything(program), self.before[program])

    def test_remove_without_a_file(self) -> None:
        self.apply(known_site())
        harness.lbc_ok("remove", "--only", "marks")
        for program in harness.FAMILIES:
            self.assertEqual(everything(program), self.before[program])

    def test_nothing_to_remove(self) -> None:
        harness.lbc_ok("remove", "--only", "marks")
        for program in harness.FAMILIES:
            self.assertEqual(everything(program), self.before[program])

    def test_dry_run_writes_nothing(self) -> None:
        self.apply(known_site(), "--dry-run")
        for program in harness.FAMILIES:
            self.assertEqual(everything(program), self.before[program])

    def test_rules_around_the_hooks_keep_their_place(self) -> None:
        self.apply(known_site())
        for program in harness.FAMILIES:
            net.run(f"{program}-legacy", "-t", "mangle", "-A", "PREROUTING", "-p", "gre", "-j", "ACCEPT")
        order = [line for line in mangle("iptables", False) if line.startswith("-A PREROUTING")]
        self.apply(small_site())
        self.assertEqual([line for line in mangle("iptables", False) if line.startswith("-A PREROUTING")], order)

    def test_surplus_of_its_own_goes(self) -> None:
        """Hooks twice and a chain that an older site left. They come by one restore: `iptables -N` would clear the
        policies' counters."""
        self.apply(known_site())
        clean = {program: mangle(program, False) for program in harness.FAMILIES}
        for program in harness.FAMILIES:
            lines = mangle(program)
            lines[1:1] = [":LBC-left-over - [0:0]"]
            first = next(i for i, line in enumerate(lines) if "-A PREROUTING" in line)
            lines[first + 1:first + 1] = ["[9:9] -A PREROUTING -j LBC", "[9:9] -A OUTPUT -j LBC-OUT"]
            lines[-1:] = ["[0:0] -A LBC-left-over -p udp -j LBC-PEER", "COMMIT"]
            net.run(f"{program}-legacy-restore", "-c", text="\n".join(lines) + "\n")
        self.apply(known_site())
        for program in harness.FAMILIES:
            self.assertEqual(sorted(mangle(program, False)), sorted(clean[program]))
        self.assert_foreign_untouched()

    def test_a_second_apply_writes_nothing(self) -> None:
        """A write would clear the counters of lbc's own rules."""
        self.apply(known_site())
        for program in harness.FAMILIES:
            counted = "\n".join(re.sub(r"^\[\d+:\d+\]", "[12:3456]", line) for line in mangle(program)) + "\n"
            net.run(f"{program}-legacy-restore", "-c", text=counted)
        before = {program: everything(program) for program in harness.FAMILIES}
        self.apply(known_site())
        self.assertEqual({program: everything(program) for program in harness.FAMILIES}, before)

    def test_tables_that_iptables_itself_loaded_need_no_write(self) -> None:
        """The same rules by iptables-legacy-restore are what lbc wants, entry for entry."""
        harness.write(known_site())
        harness.load_restore("lb1", "legacy")
        for program in harness.FAMILIES:
            counted = "\n".join(re.sub(r"^\[\d+:\d+\]", "[1:1]", line) for line in mangle(program)) + "\n"
            net.run(f"{program}-legacy-restore", "-c", text=counted)
        before = {program: everything(program) for program in harness.FAMILIES}
        self.apply(known_site())
        self.assertEqual({program: everything(program) for program in harness.FAMILIES}, before)


if __name__ == "__main__":
    harness.main()
