#!/usr/bin/python3
"""The layout `ipset` with the kernel's own sets: what is lbc's comes, stays, is mended and goes; what is others' stays."""

from __future__ import annotations

import unittest

from lbctest import harness, net

FOREIGN = ("create others hash:ip,port family inet hashsize 64 maxelem 65536 skbinfo\n"
           "add others 192.0.2.1,tcp:80 skbmark 0x9\ncreate LBC hash:ip\nadd LBC 192.0.2.2\n")


def site(services: int, mark: int = 0x100) -> str:
    text = ["marks 0x100-0xfff", "director lb1 { address 10.0.0.1, fd00::1; mac 02:00:00:00:00:01 }",
            "director lb2 { address 10.0.0.2, fd00::2; mac 02:00:00:00:00:02 }"]
    for number in range(services):
        text.append(f"service s{number} {{ vip 192.0.2.{number + 1}, 2001:db8::{number + 1:x}; port tcp 80; port udp 53; "
                    f"mark {mark + number:#x}; real lb1; real lb2 }}")
    return "\n".join(text) + "\n"


def saved() -> dict[str, list[str]]:
    """Each set, its `create` first; the hash's seed tells whether it is still the same one."""
    sets: dict[str, list[str]] = {}
    for line in net.run("ipset", "save").splitlines():
        sets.setdefault(line.split()[1], []).append(line)
    return {name: [lines[0], *sorted(lines[1:])] for name, lines in sets.items()}


def own() -> dict[str, list[str]]:
    return {name: lines for name, lines in saved().items() if name.startswith("LBC-")}


class Sets(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(harness.clear)
        net.run("ipset", "restore", text=FOREIGN)
        self.foreign = saved()

    def tearDown(self) -> None:
        now = saved()
        self.assertEqual({name: now.get(name) for name in self.foreign}, self.foreign)

    def apply(self, text: str, status: int = 0, layout: str = "ipset") -> str:
        path = harness.SCRATCH / "sets.lb"
        path.write_text(text, encoding="utf-8")
        done = harness.lbc("apply", str(path), "--only", "marks", "-d", "lb1", "--layout", layout)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_a_second_apply_leaves_the_sets_alone(self) -> None:
        self.apply(site(6))
        first = own()
        self.assertEqual(sorted(name[:6] for name in first), ["LBC-4-", "LBC-6-"])
        self.assertIn("nothing differs", self.apply(site(6)))
        self.assertEqual(own(), first)

    def test_a_change_makes_a_set_and_takes_the_old_one_off(self) -> None:
        self.apply(site(6))
        first = own()
        self.apply(site(7))
        self.assertEqual(len(own()), 2)
        self.assertFalse(set(own()) & set(first))

    def test_what_others_did_to_a_set_is_undone(self) -> None:
        self.apply(site(6))
        before = {name: lines[1:] for name, lines in own().items()}
        name = next(name for name in before if name.startswith("LBC-4-"))
        net.run("ipset", "del", name, "192.0.2.1,tcp:80")
        net.run("ipset", "add", name, "192.0.2.99,tcp:80", "skbmark", "0x77")
        self.apply(site(6))
        self.assertEqual({name: lines[1:] for name, lines in own().items()}, before)

    def test_what_was_left_half_way_goes(self) -> None:
        self.apply(site(6))
        net.run("ipset", "create", "LBC-4-0123456789abcdef-NEW", "hash:ip,port")
        self.apply(site(6))
        self.assertEqual(len(own()), 2)

    def test_other_layouts_and_remove_leave_no_set(self) -> None:
        for last in ("tree", "linear", None):
            self.apply(site(6))
            self.assertEqual(len(own()), 2)
            if last:
                self.apply(site(6), layout=last)
            else:
                harness.lbc_ok("remove", "--only", "marks")
            self.assertEqual(own(), {})

    def test_a_set_that_a_rule_of_others_asks_keeps_the_old_state(self) -> None:
        self.apply(site(6))
        rules = harness.saved()
        name = next(name for name in own() if name.startswith("LBC-4-"))
        net.run("iptables-legacy", "-t", "mangle", "-A", "INPUT", "-m", "set", "--match-set", name, "dst,dst")
        before = own()  # with the number of rules that ask it
        said = self.apply(site(7), status=3)
        self.assertIn(f"the set {name} is to go, and a foreign rule or set uses it", said)
        self.assertEqual(own(), before)
        self.assertEqual(harness.own(harness.saved()), harness.own(rules))

    def test_a_name_that_is_taken_is_told(self) -> None:
        self.apply(site(6))
        name = next(name for name in own() if name.startswith("LBC-4-"))
        harness.lbc_ok("remove", "--only", "marks")
        net.run("ipset", "create", name, "hash:net")
        self.assertIn("`ipset destroy` takes it off", self.apply(site(6), status=3))
        self.assertEqual(list(own()), [name])

    def test_many_entries(self) -> None:
        """More than fit one message of netlink, and than a set takes unless it is told."""
        lines = [site(0)]
        for number in range(1400):
            lines.append(f"service m{number} {{ vip 192.0.{number // 250}.{number % 250 + 1}; port tcp 1-50; real lb1 }}\n")
        text = "".join(lines).replace("0x100-0xfff", "0x100-0xffff")
        self.apply(text)
        (lines_of,) = own().values()
        self.assertEqual(len(lines_of), 1 + 1400 * 50)
        self.assertIn("nothing differs", self.apply(text))

    def test_the_kernel_is_verified_with_its_sets(self) -> None:
        text = site(6)
        self.apply(text)
        path = str(harness.SCRATCH / "sets.lb")
        self.assertTrue(harness.proved(path, "lb1")["holds"])
        name = next(name for name in own() if name.startswith("LBC-6-"))
        net.run("ipset", "del", name, "2001:db8::1,udp:53")
        done = harness.lbc("verify", path, "--only", "marks", "-d", "lb1")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("[2001:db8::1]:53/udp", done.stdout)
        dump = harness.SCRATCH / "dump"
        dump.write_text(net.run("ipset", "save") + net.run("iptables-legacy-save"), encoding="utf-8")
        harness.lbc_ok("verify", path, "-d", "lb1", "--against", str(dump))
        dump.write_text(net.run("iptables-legacy-save"), encoding="utf-8")
        done = harness.lbc("verify", path, "-d", "lb1", "--against", str(dump))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("unknown", done.stdout)

    def test_a_set_of_another_type_may_give_any_mark(self) -> None:
        self.apply(site(6))
        path = str(harness.SCRATCH / "sets.lb")
        name = next(name for name in own() if name.startswith("LBC-4-"))
        harness.lbc_ok("remove", "--only", "marks")
        rule = ["PREROUTING", "-j", "SET", "--map-set", name, "dst,dst", "--map-mark"]
        for kind, is_unknown in (("hash:ip,port", False), ("hash:ip,port,ip", True)):
            with self.subTest(kind=kind):
                net.run("ipset", "create", name, kind, "skbinfo")
                net.run("iptables-legacy", "-t", "mangle", "-A", *rule)
                done = harness.lbc("verify", path, "--only", "marks", "-d", "lb1")
                net.run("iptables-legacy", "-t", "mangle", "-D", *rule)
                net.run("ipset", "destroy", name)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual("unknown" in done.stdout, is_unknown, done.stdout)


if __name__ == "__main__":
    harness.main()
