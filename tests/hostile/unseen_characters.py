"""Characters that nobody sees drive a terminal, turn a line around, or hide in a name. A site has none of them, in its
comments neither; and none reaches a terminal from elsewhere: names of files, arguments of other programs, rules and
interfaces of a kernel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import unicodedata
import unittest

from lbctest.hostile import LBC, SITE, Case, is_root, main, run

CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
BIDI = [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
SEPARATORS = [0x2028, 0x2029]
UNSEEN = [0xAD, 0x34F, 0x115F, 0x180E, *range(0x200B, 0x200E), *range(0x2060, 0x2066), 0x206A, 0x3164, 0xFEFF, 0xFFA0,
          0xFFF9, 0x1D173, 0xE0001, 0xE0041, 0xE007F, 0xE0100]
LAYOUT = {ord("\t"), ord("\n"), ord("\r")}
HOSTILE = "\x1b]0;pwned\a\x1b[31m\u009b8m\u202e\u2066\x7f"


def unseen(text: str) -> set[str]:
    """What is in a text that no output may have, by what Unicode says of characters."""
    return {f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c not in "\t\n"}


class Sites(Case):
    def check(self, text: str, what: str) -> str:
        done = run("check", self.write("site.lb", text))
        self.assertEqual(done.returncode, 2, what)
        said = done.stderr.decode()
        self.assertEqual(unseen(said), set(), what)
        return said

    def test_no_place_of_a_site_has_them(self) -> None:
        places = {"a comment": SITE + "# é¤a\n", "a comment's end": SITE + "# a¤\n"}
        for name, words in (("a string", 'description "a¤b"'), ("an interface", "interface e¤th0"),
                            ("a word", "on l¤b1"), ("a keyword", "bypa¤ss 02:00:00:00:00:09"),
                            ("between words", "on ¤ lb1")):
            places[name] = SITE.replace("port tcp", words + "; port tcp")
        for point in (*CONTROLS, *BIDI, *SEPARATORS, *UNSEEN):
            if point in LAYOUT:
                continue
            for name, text in places.items():
                said = self.check(text.replace("¤", chr(point)), f"U+{point:04X} in {name}")
                self.assertIn(f"the character U+{point:04X}, which is not seen, cannot stand here", said, name)
                self.assertRegex(said, r"site\.lb:\d+:\d+: error: .* \[stray-character\]")

    def test_all_that_unicode_calls_a_control_or_a_format(self) -> None:
        points = [point for point in range(0x110000) if unicodedata.category(chr(point)) in ("Cc", "Cf", "Zl", "Zp") and
                  point not in LAYOUT]
        visible = {  # signs of Arabic, Syriac and Kaithi that stand under or over numbers
            0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
        for at in range(0, len(points), 100):
            part = points[at:at + 100]
            done = run("check", "--message-format", "json", self.write("site.lb", SITE + "".join(
                f"# {chr(point)}\n" for point in part)))
            said = {json.loads(line)["line"] for line in done.stderr.splitlines()}
            first = len(SITE.splitlines()) + 1
            missed = {point for i, point in enumerate(part) if first + i not in said}
            self.assertLessEqual(missed, visible, [hex(point) for point in missed])

    def test_what_people_write_stays(self) -> None:
        text = SITE + "# é ü ß ñ Ω ж 日本語 العربية עברית ⚠️ 😀 \u00a0 …\n"
        for one in (text, "\ufeff" + text, text.replace("\n", "\r\n")):
            self.assertStatus(run("check", self.write("site.lb", one)), 0)
            self.assertStatus(run("fmt", self.folder / "site.lb"), 0)

    def test_joiners_in_what_people_write(self) -> None:
        """Persian, Hindi and emoji are written with them; a name or a command is not."""
        for word in ("می\u200cخواهم", "क्\u200dष", "👩\u200d💻"):
            text = (SITE + f"# {word}\n").replace("port tcp", f'description "{word}"; port tcp')
            self.assertStatus(run("check", self.write("site.lb", text)), 0)
            for words in (("fmt",), ("compile", "-d", "lb1"), ("compile", "-d", "lb1", "--emit", "sh")):
                self.assertIn(word, run(words[0], self.folder / "site.lb", *words[1:]).stdout.decode(), words)
            for place in (f"interface {word}", f"real 10.0.0.9 {{ notify-up \"/{word}\" }}", f"on {word}",
                          f"scheduler {word}", f'check http {{ path "/{word}" }}'):
                done = run("check", self.write("site.lb", SITE.replace("port tcp", place + "; port tcp")))
                self.assertStatus(done, 2)
                self.assertIn("[stray-character]", done.stderr.decode(), place)
            done = run("check", self.write("site.lb", f'include "{word}"\n' + SITE))
            self.assertStatus(done, 2)
            self.assertIn("[stray-character]", done.stderr.decode())

    def test_false_spaces_in_commands(self) -> None:
        for point in (0xA0, 0x1680, 0x2003, 0x202F, 0x205F, 0x2800, 0x3000):
            for place in ('real 10.0.0.9 { notify-up "/a¤b" }', 'check script { command "/a¤b" }',
                          'quorum-up "/a¤b"', 'check file { track x; file "/a¤b" }'):
                said = self.check(SITE.replace("port tcp", place.replace("¤", chr(point)) + "; port tcp"), place)
                self.assertIn(f"the character U+{point:04X}, which looks like a space and is none, cannot stand in a",
                              said)

    def test_a_carriage_return_alone(self) -> None:
        self.assertIn("U+000D", self.check(SITE + "# vip 192.0.2.99\rharmless\n", "CR"))

    def test_fmt_refuses_too(self) -> None:
        done = run("fmt", self.write("site.lb", SITE + "# \u202e\n"))
        self.assertStatus(done, 2)
        self.assertEqual(done.stdout, b"")


class Names(Case):
    """Names of files, with line breaks: none begins a line of its own."""
    name = f"x{HOSTILE}\nlbc: all is well.lb"

    def clean(self, done: subprocess.CompletedProcess) -> str:
        said = (done.stdout + done.stderr).decode()
        self.assertEqual(unseen(said), set(), said)
        self.assertFalse(any(line.startswith("lbc: all is well") for line in said.splitlines()), said)
        self.assertTrue(said)
        return said

    def test_names_of_sites(self) -> None:
        path = self.write(self.name, SITE.replace("port tcp 80", "port   tcp 80"))
        bad = self.write("bad" + self.name, SITE.replace("port tcp 80", "port tcp 800000"))
        missing = self.folder / ("missing" + self.name)
        for words in (("check", bad), ("check", missing), ("fmt", "--check", path), ("fmt", bad),
                      ("fmt", "-i", missing),
                      ("verify", path, "--against", missing), ("verify", path, "--against", bad),
                      ("trace", path, "--against", bad, "--to", "192.0.2.10:80"),
                      ("compile", path, "-o", missing / "no" / "folder"), ("compile", path, "-d", self.name),
                      ("diff", path, missing), ("explain", self.name), (self.name,)):
            with self.subTest(words[0]):
                self.clean(run(*words))

    def test_names_in_json_are_whole(self) -> None:
        bad = self.write("bad" + self.name, SITE.replace("port tcp 80", "port tcp 800000"))
        said = self.clean(run("check", "--message-format", "json", bad))
        self.assertEqual(json.loads(said.splitlines()[0])["file"], str(bad))

    def test_dumps(self) -> None:
        site = self.write("site.lb", SITE)
        rules = self.folder / "dump"
        for line in (f'-A PREROUTING -m comment --comment "{HOSTILE}" -j FOREIGN',
                     f"-A PREROUTING -i e{HOSTILE[:6]} -j DROP", f"nonsense {HOSTILE}",
                     f'-A PREROUTING -m string --string "{HOSTILE}" --algo bm -j MARK --set-mark 7',
                     f"-A PREROUTING -j N{HOSTILE[:8]}"):
            rules.write_text(f"*mangle\n:FOREIGN - [0:0]\n{line}\nCOMMIT\n", encoding="utf-8")
            for words in (("verify", site, "-d", "lb1", "--against", rules),
                          ("trace", site, "-d", "lb1", "--against", rules, "--to", "192.0.2.10:80", "-v")):
                for format_ in ((), ("--json",)):
                    with self.subTest(line=line, words=words[0], format=format_):
                        done = run(*words, *format_)
                        self.assertIn(done.returncode, (0, 1, 2, 3))
                        self.assertEqual(unseen((done.stdout + done.stderr).decode()), set())


    def test_tables_of_nftables(self) -> None:
        site = self.write("site.lb", SITE)
        name = HOSTILE + "\nlbc: all is well"
        place = {"family": "ip", "table": name}
        goes = {"jump": {"target": name}}
        dump = {"nftables": [
            {"metainfo": {"json_schema_version": 1}}, {"table": {"family": "ip", "name": name}},
            {"chain": {**place, "name": name, "handle": 1}},
            {"chain": {**place, "name": "x" + name, "type": "filter", "hook": "prerouting", "prio": -150,
                       "policy": "accept"}},
            {"rule": {**place, "chain": "x" + name, "comment": name, "expr": [
                {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": name}}, goes]}},
            {"rule": {**place, "chain": "x" + name, "expr": [
                {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "a\nlbc: all"}}, goes]}},
            {"rule": {**place, "chain": "x" + name, "expr": [
                {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "@" + name}}, goes]}},
            {"rule": {**place, "chain": "x" + name, "expr": [{"weird" + name: name}, goes]}},
            {"rule": {**place, "chain": name, "expr": [{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 9}}]}}]}
        path = self.write("dump.json", json.dumps(dump))
        for words in (("verify", site, "-d", "lb1", "--against", path),
                      ("trace", site, "-d", "lb1", "--against", path, "--to", "192.0.2.10:80", "-v")):
            self.clean(run(*words))
            self.clean(run(*words, "--json"))


@unittest.skipUnless(is_root() and shutil.which("iptables-legacy-restore") and
                     subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0, "needs root and iptables")
class Kernel(Case):
    def test_rules_of_others(self) -> None:
        site = self.write("site.lb", SITE)
        bytes_of_name = "\u009b8m\u202eX"
        self.write("rules", f'*mangle\n:{bytes_of_name} - [0:0]\n-A PREROUTING -i {bytes_of_name} -m comment --comment '
                            f'"{HOSTILE}" -j {bytes_of_name}\n-A {bytes_of_name} -j MARK --set-mark 9\nCOMMIT\n')
        for command in ("verify site.lb -d lb1", "diff --rules site.lb -d lb1",
                        "apply site.lb -d lb1 --dry-run --only marks", "apply site.lb -d lb1 --only marks",
                        "trace site.lb -d lb1 --live -v --to 192.0.2.10:80",
                        "remove --only marks", "status site.lb -d lb1"):
            for kind in ("legacy", "nft"):
                done = subprocess.run(
                    ["unshare", "-mn", "sh", "-euc", f"mount -t tmpfs none /run; iptables-{kind}-restore <rules; "
                     f"{LBC} {command} || echo status $?"], cwd=self.folder, capture_output=True, timeout=120,
                    check=False)
                with self.subTest(command=command, kind=kind):
                    said = (done.stdout + done.stderr).decode(errors="surrogateescape")
                    self.assertEqual(unseen(said), set(), said)
                    self.assertTrue(said or command.startswith("remove"))
        self.assertTrue(site.exists())


if __name__ == "__main__":
    os.umask(0o077)
    main()
