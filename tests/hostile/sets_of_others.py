"""A set whose name is lbc's may be asked by a stranger's rule, and lbc's chain may have a stranger's rules, which lbc has no
words for. The one must not be found out when the rules are gone, nor the other keep them from coming back."""

from __future__ import annotations

import shutil
import subprocess
import unittest

from lbctest.hostile import LBC, SITE, Case, is_root, main

TOOLS = ("iptables-legacy", "iptables-legacy-save", "ipset", "nft")
CAN = is_root() and all(map(shutil.which, TOOLS)) and subprocess.run(
    ["unshare", "-mn", "sh", "-c", "mount -t tmpfs none /run && ipset create x hash:ip,port skbinfo && "
     "iptables-legacy -t mangle -A PREROUTING -j SET --map-set x dst,dst --map-mark"],
    check=False, capture_output=True).returncode == 0
STRANGERS = """
I='iptables-legacy -t mangle'
ipset create LBC-4-bar hash:ip,port skbinfo
ipset add LBC-4-bar 192.0.2.7,tcp:80 skbmark 0x7
$I -N LBC
$I -A LBC -j SET --map-set LBC-4-bar dst,dst --map-mark
$I -A LBC -m ttl --ttl-eq 3 -j RETURN
$I -A PREROUTING -j LBC
"""


@unittest.skipUnless(CAN, "needs root, legacy iptables and ipset")
class SetsOfOthers(Case):
    def change(self, before: str, command: str) -> tuple[str, str, str]:
        """The rules and sets before, what lbc says, and what there is behind it."""
        self.write("site.lb", SITE)
        show = "$I -S; ipset list -n | sort; ipset save | grep ^add | sort"
        done = subprocess.run(
            ["unshare", "-mn", "bash", "-euc", f"mount -t tmpfs none /run; exec 2>&1\n{STRANGERS}{before}\n"
             f"{show}; echo ====; status=0; {LBC} {command} || status=$?; echo status $status; echo ====; {show}"],
            cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        was, said, now = done.stdout.split("====\n")
        return was, said, now

    def test_a_set_that_others_ask_stays_with_all_else(self) -> None:
        for in_the_way in ("ipset create LBC-4-foo hash:ip; $I -A PREROUTING -m set --match-set LBC-4-foo src -j ACCEPT",
                           "ipset create LBC-4-foo hash:ip; ipset create mine list:set; ipset add mine LBC-4-foo",
                           "$I -A PREROUTING -m set --match-set LBC-4-bar dst,dst -j ACCEPT",
                           "$I -A LBC -m set --match-set LBC-4-bar dst,dst -j ACCEPT",
                           "$I -A LBC -m ttl --ttl-eq 3 -j SET --map-set LBC-4-bar dst,dst --map-mark"):
            was, said, now = self.change(in_the_way, "remove --only marks")
            self.assertIn("status 3", said)
            self.assertIn(" is to go, and a foreign rule or set uses it; nothing was touched", said)
            self.assertEqual(now, was)

    def test_all_goes_where_nobody_asks(self) -> None:
        _, said, now = self.change("", "remove --only marks")
        self.assertIn("status 0", said)
        self.assertNotIn("LBC", now)

    def test_rules_of_others_in_lbc_s_chain_come_back(self) -> None:
        # Loading fails behind all changes: a stranger's rule of iptables-nft leads into lbc's chain of ip6tables.
        was, said, now = self.change(
            "J='ip6tables-legacy -t mangle'; ipset create LBC-6-x hash:ip,port family inet6 skbinfo; "
            "$J -N LBC; $J -N F; $J -A F -j LBC", "remove --only marks")
        self.assertTrue("status 3" in said or "status 4" in said, said)
        self.assertEqual(now, was)


if __name__ == "__main__":
    main()
