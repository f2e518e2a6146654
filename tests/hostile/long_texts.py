"""A text that is longer than its reader's line is a line of its own to that reader: what was a comment or the rest of a
string becomes a rule, or a command of root. iptables-restore reads 10,239 bytes, keepalived 1,023. Every word and
string of the language is tried with 64 KiB, and with the longest that is taken, before the real programs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import unittest
from functools import cache
from pathlib import Path

from lbctest.hostile import DIRECTORS, SITE, Case, is_root, main, run

ROOT = Path(__file__).parent.parent.parent
EVERYTHING = (ROOT / "tests/json/everything.lb").read_text(encoding="utf-8")
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s{};,="#]+')
STRING = re.compile(r'([a-z-]+)[ \t]+("(?:[^"\\]|\\.)*")')
KIB64 = 65536
LONGEST_STRING = 512
LONGEST_KEEPALIVED_LINE = 1022  # MAXBUF of parser.c, less the line break and the NUL
LONGEST_RESTORE_LINE = 10238
HOSTILE_RULE = "-A INPUT -s 203.0.113.66/32 -j MARK --set-mark 0xbad"


def code(text: str) -> str:
    """Without its comments, at the same places."""
    return re.sub(r'("(?:[^"\\\n]|\\.)*")|#[^\n]*', lambda found: found[1] or " " * len(found[0]), text)


TOKENS = list(TOKEN.finditer(code(EVERYTHING)))
STRINGS = list(STRING.finditer(code(EVERYTHING)))


@cache
def can_unshare() -> bool:
    return is_root() and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0


def in_namespace(script: str, folder: Path) -> subprocess.CompletedProcess:
    """A shell's word in a network namespace of its own."""
    return subprocess.run(["unshare", "-n", "sh", "-euc", script], cwd=folder, capture_output=True, text=True,
                          timeout=240, check=False)


def needs(*programs: str):
    missing = [name for name in programs if shutil.which(name) is None]
    return unittest.skipUnless(not missing and can_unshare(), f"needs {', '.join(missing) or 'root'}")


def bare(text: str) -> str:
    """A configuration without what stands in quotes or comments."""
    return re.sub(r"(?m)^\s*#.*\n", "", re.sub(r'"[^\n]*"', '""', text))


class LongTexts(Case):
    def refused(self, text: str, what: str) -> str:
        done = run("check", self.write("site.lb", text))
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 2, f"{what}: {said[-500:]}")
        self.assertRegex(said, r"site\.lb:\d+:\d+: error: .* \[[a-z-]+\]", what)
        self.assertLess(len(said), 20_000, what)
        return said

    def compiled(self, text: str, *options: str) -> str:
        done = run("compile", self.write("site.lb", text), *options)
        self.assertEqual(done.returncode, 0, done.stderr[-800:].decode())
        return done.stdout.decode()

    def test_every_statement_with_a_string_is_known(self) -> None:
        """Those that the reference shows are all in the site from which the others of these tests are made."""
        reference = (ROOT / "docs/language.md").read_text(encoding="utf-8")
        shown = set(re.findall(r'\b([a-z-]+) "', reference))
        readers = "".join(path.read_text() for path in (ROOT / "compiler/site").glob("read_*.cpp"))
        self.assertGreater(len(shown), 15)
        known = {found[1] for found in STRINGS}
        self.assertLessEqual(shown - {"include"}, known)
        # A reader of a string that is new needs its statement there.
        readers_of_strings = re.findall(r"\bin\.(?:string|prose|command)\(|= read_command\(in\)", readers)
        self.assertEqual(len(readers_of_strings), 14, "put the new string into everything.lb")
        self.assertEqual(known, {"description", "quorum-up", "quorum-down", "path", "digest", "regex", "host", "helo",
                                 "name", "command", "file", "notify-up", "notify-down", "auth", "script", "notify"})

    def test_64_kib_in_each_word(self) -> None:
        self.assertGreater(len(TOKENS), 300)
        for token in TOKENS:
            long = '"' + "x" * KIB64 + '"' if token[0].startswith('"') else "x" * KIB64
            said = self.refused(EVERYTHING[:token.start()] + long + EVERYTHING[token.end():], token[0])
            self.assertRegex(said, r"\[bad-(string|name)\]", token[0])

    def test_64_kib_in_an_include_and_in_a_let(self) -> None:
        self.assertIn("[bad-string]", self.refused(f'include "{"x" * KIB64}"\n' + SITE, "include"))
        self.assertIn("[bad-name]", self.refused(f'let a = {"x" * KIB64}\n' + SITE, "let"))
        self.assertIn("[bad-name]", self.refused(f'let {"x" * KIB64} = 1\n' + SITE, "let"))
        self.assertIn("[bad-name]", self.refused(f'let a = ${"x" * KIB64}\n' + SITE, "let"))

    def test_a_comment_of_the_site_may_be_long(self) -> None:
        text = SITE + "#" + "x" * KIB64 + HOSTILE_RULE + "\n"
        for kind in ("sh", "iptables", "nft", "keepalived", "json"):
            self.assertNotIn("203.0.113.66", self.compiled(text, "--emit", kind, "-d", "lb1"))

    def test_what_keepalived_refused_or_fell_over(self) -> None:
        for check in ('udp {{ payload {0} }}'.format("01" * 600), 'http {{ path "/{0}" }}'.format("x" * 1000),
                      "http {{ path \"/\" status {0} }}".format(", ".join(str(100 + i) for i in range(300))),
                      'script {{ command "/bin/x {0}" }}'.format("x" * 1100),
                      'script {{ command "/bin/x {0}" }}'.format("\\\\" * 400),
                      'http {{ path "/" regex "{0}" }}'.format("\\\\" * 500),
                      'http { path "/x\\\\" }', 'http { path "/x\\\\\\\\\\\\" }', "bfd instance " + "b" * 32):
            text = ("ipvs keepalived\n" + DIRECTORS +
                    f"service s {{ vip 192.0.2.1; port tcp 80; real 10.0.0.9; check {check} }}\n")
            self.assertRegex(self.refused(text, check[:30]), r"\[(bad-string|bad-name|keepalived-limit)\]")

    def test_a_description_is_no_command_of_keepalived(self) -> None:
        lines = ["vrrp_script pwn {", 'script "/usr/bin/touch /tmp/pwned"', "}"]
        start = "# web, IPv4: "
        pad = "x" * (1023 - len(start))
        for text in (pad + "".join(line.ljust(1023) for line in lines), "x" * (LONGEST_STRING - 60) + lines[0]):
            site = SITE.replace("port tcp", f"description {json.dumps(text)}; port tcp")
            path = self.write("site.lb", "ipvs keepalived\n" + site)
            done = run("compile", path, "--emit", "keepalived", "-d", "lb1")
            if done.returncode == 2:
                self.assertIn(b"[bad-string]", done.stderr)
                continue
            self.assertStatus(done, 0)
            for line in done.stdout.decode().splitlines():
                self.assertLessEqual(len(line.encode()), LONGEST_KEEPALIVED_LINE)
                self.assertFalse(line.startswith("vrrp_script"))

    def test_a_description_is_no_rule_of_iptables(self) -> None:
        text = "x" * (10239 - len("# web: ")) + HOSTILE_RULE
        site = SITE.replace("port tcp", f'description "{text}"; port tcp')
        self.assertIn("[bad-string]", self.refused(site, "description"))
        for kind in ("sh", "iptables", "nft"):
            done = run("compile", self.write("site.lb", site), "--emit", kind, "-d", "lb1")
            self.assertStatus(done, 2)
            self.assertEqual(done.stdout, b"")

    def hidden_rule(self, site: Path) -> str:
        rules = run("compile", site, "--emit", "iptables", "-d", "lb1").stdout.decode()
        comment = "#" + "x" * 10238
        return rules.replace("\nCOMMIT", f"\n{comment}-A PREROUTING -j MARK --set-mark 0xbad\nCOMMIT")

    def test_verify_sees_what_iptables_restore_loads(self) -> None:
        site = self.write("site.lb", SITE)
        good = self.write("good.rules", run("compile", site, "--emit", "iptables", "-d", "lb1").stdout)
        self.assertStatus(run("verify", site, "-d", "lb1", "--against", good), 0)
        done = run("verify", site, "-d", "lb1", "--against", self.write("bad.rules", self.hidden_rule(site)))
        self.assertStatus(done, 1)
        self.assertIn(b"0xbad", done.stdout)
        script = run("compile", site).stdout.decode()
        comment = "#" + "x" * 10238
        hidden = script.replace("\nEND\n", f"\n{comment}-A LBC -j MARK --set-mark 0xbad\nEND\n")
        self.assertNotEqual(hidden, script)
        self.assertStatus(run("verify", site, "-d", "lb1", "--against", self.write("bad.sh", hidden)), 1)

    @needs("iptables-legacy-restore", "iptables-nft-restore")
    def test_iptables_restore_cuts_lines_so(self) -> None:
        self.write("bad.rules", self.hidden_rule(self.write("site.lb", SITE)))
        for kind in ("legacy", "nft"):
            done = in_namespace(f"iptables-{kind}-restore <bad.rules; iptables-{kind} -t mangle -S", self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("--set-xmark 0xbad", done.stdout)


class AtTheBound(Case):
    """Every string as long as it may be, of characters that keepalived wants escaped most."""

    @staticmethod
    @cache
    def site() -> str:
        """Each string is the longest that `check` takes there, tried alone; then all stand there together."""
        with tempfile.TemporaryDirectory(prefix="lbc-hostile-") as folder:
            return AtTheBound.longest(Path(folder) / "site.lb")

    @staticmethod
    def longest(path: Path) -> str:
        def taken(found: re.Match, value: str) -> bool:
            path.write_text(EVERYTHING[:found.start(2)] + f'"{value}"' + EVERYTHING[found.end(2):], encoding="utf-8")
            return run("check", path).returncode == 0

        out, at = "", 0
        for found in STRINGS:
            best = found[2][1:-1]
            first = best.split()[0] if best.startswith("/") else ""
            for piece in ('\\"', "\\\\", "$a", "é", "x"):
                low, high = 0, LONGEST_STRING
                while low < high:
                    middle = (low + high + 1) // 2
                    good = taken(found, f"{first} {piece * middle}".strip())
                    low, high = (middle, high) if good else (low, middle - 1)
                if low > 0:
                    best = f"{first} {piece * low}".strip()
                    break
            out += EVERYTHING[at:found.start(2)] + f'"{best}"'
            at = found.end(2)
        return out + EVERYTHING[at:]

    def outputs(self, kind: str, *options: str) -> tuple[str, str]:
        """An artefact of the site with short strings, and with long ones."""
        texts = []
        for name, text in (("short.lb", EVERYTHING), ("long.lb", self.site())):
            done = run("compile", self.write(name, text), "--emit", kind, *options)
            self.assertStatus(done, 0)
            texts.append(done.stdout.decode())
        return texts[0], texts[1]

    def test_strings_are_long(self) -> None:
        strings = [found[2] for found in STRING.finditer(code(self.site()))]
        self.assertEqual(len(strings), len(STRINGS))
        self.assertGreater(sum(len(text) >= 220 for text in strings), 12, strings)
        self.assertStatus(run("check", self.write("site.lb", self.site())), 0)

    def test_keepalived_has_the_same_statements(self) -> None:
        for options in ((), ("-d", "lb1"), ("-d", "lb2")):
            short, long = self.outputs("keepalived", *options)
            self.assertEqual(bare(short), bare(long))
            self.assertGreater(max(len(line) for line in long.splitlines()), 850)
            for line in long.splitlines():
                self.assertLessEqual(len(line.encode()), LONGEST_KEEPALIVED_LINE)

    @needs("keepalived", "ip")
    def test_keepalived_takes_it(self) -> None:
        self.write("keepalived.conf", self.outputs("keepalived")[1])
        self.takes_keepalived("lb1")

    def takes_keepalived(self, host: str) -> None:
        done = in_namespace("for i in 0 1 2 3; do ip link add eth$i type veth peer name p$i; ip link set eth$i up; "
                            f"ip link set p$i up; done; keepalived -t -f keepalived.conf -i {host}", self.folder)
        self.assertEqual((done.returncode, (done.stdout + done.stderr)[:1500]), (0, ""))

    @needs("keepalived", "ip")
    def test_names_as_long_as_they_may_be(self) -> None:
        text = self.site()
        for name in ("lb1", "lb2", "web", "shop", "public6", "public", "all", "load", "peer1"):
            long = (name + "-" + "n" * 63)[:31 if name == "peer1" else 63]
            text = re.sub(rf'(?m)("(?:[^"\\]|\\.)*")|(?<![\w$.-]){name}(?![\w.-])',
                          lambda found, long=long: found[1] or long, text)
        text = text.replace("lb1.example", "h" * 64)
        path = self.write("site.lb", text)
        done = run("compile", path, "--emit", "keepalived")
        self.assertStatus(done, 0)
        for line in done.stdout.splitlines():
            self.assertLessEqual(len(line), LONGEST_KEEPALIVED_LINE)
        self.write("keepalived.conf", done.stdout)
        self.takes_keepalived("h" * 64)

    @needs("keepalived")
    def test_many_directors_with_long_names(self) -> None:
        directors = "".join(f"director d{str(i).ljust(62, 'n')} {{ mac 02:00:00:00:01:{i:02x}; "
                            f"address 10.0.1.{i + 1} }}\n" for i in range(40))
        done = run("compile", self.write("site.lb", "ipvs keepalived\n" + directors +
                                         "service web { vip 192.0.2.10; port tcp 80; real 10.0.0.9 }\n"),
                   "--emit", "keepalived")
        self.assertStatus(done, 0)
        for line in done.stdout.splitlines():
            self.assertLessEqual(len(line), LONGEST_KEEPALIVED_LINE)
        self.write("keepalived.conf", done.stdout)
        checked = in_namespace("keepalived -t -f keepalived.conf", self.folder)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    @needs("iptables-legacy-restore", "iptables-nft-restore", "ip6tables-legacy-restore", "ip6tables-nft-restore")
    def test_iptables_loads_the_same_rules(self) -> None:
        for program, table in (("iptables", "mangle"), ("ip6tables", "mangle"), ("firewall", "filter")):
            short, long = self.outputs(program, "-d", "lb1")
            self.assertLessEqual(max(len(line.encode()) for line in long.splitlines()), LONGEST_RESTORE_LINE)
            self.write("short", short)
            self.write("long", long)
            name = "iptables" if program == "firewall" else program
            for kind in ("legacy", "nft"):
                loaded = [in_namespace(f"{name}-{kind}-restore --noflush <{file}; {name}-{kind} -t {table} -S",
                                       self.folder) for file in ("short", "long")]
                self.assertEqual(loaded[0].returncode, 0, loaded[0].stderr)
                self.assertEqual(loaded[0].stdout, loaded[1].stdout)
                for rule in loaded[1].stdout.splitlines():
                    self.assertRegex(rule, r"^-[PN] |^-A LBC|-j LBC[A-Z-]*$")

    @needs("nft")
    def test_nft_loads_the_same_table(self) -> None:
        self.assertEqual(*map(bare, self.outputs("nft", "-d", "lb1")))
        self.write("long", self.outputs("nft", "-d", "lb1")[1])
        done = in_namespace("nft -c -f long; nft -f long; nft list tables", self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, "table inet lbc\n"), done.stderr)

    def test_scripts_are_scripts(self) -> None:
        text = self.site().replace("ipvs  keepalived", "ipvs lbc").replace("    through-vip", "")
        for kind, options in (("sh", ()), ("sh", ("--backend", "nft")), ("realserver", ())):
            texts = [run("compile", self.write("s.lb", site), "--emit", kind, *options).stdout.decode()
                     for site in (text, EVERYTHING.replace("ipvs  keepalived", "ipvs lbc"))]
            if texts[0] and texts[1]:
                self.assertEqual(*map(bare, texts))
                script = self.write("script", texts[0])
                self.assertEqual(subprocess.run(["sh", "-n", script], check=False).returncode, 0)

    @needs("iptables-nft-restore", "iptables-legacy-restore")
    def test_a_script_loads_no_rule_of_others(self) -> None:
        short, long = self.outputs("sh")
        self.write("short", short)
        self.write("long", long)
        for kind in ("legacy", "nft"):
            loaded = [in_namespace(f"IPTABLES=iptables-{kind} IP6TABLES=ip6tables-{kind} LBC_ONLY=marks "
                                   f"sh {file} apply lb1; iptables-{kind} -t mangle -S; ip6tables-{kind} -t mangle -S",
                                   self.folder) for file in ("short", "long")]
            self.assertEqual(loaded[0].returncode, 0, loaded[0].stderr)
            self.assertEqual(loaded[0].stdout, loaded[1].stdout)

    def test_the_rest_is_the_same(self) -> None:
        for kind in ("ifupdown", "firewall6"):
            options = ("-d", "lb1") if kind == "firewall6" else ("--real", "lb1")
            self.assertEqual(*self.outputs(kind, *options))

    def test_json_is_whole(self) -> None:
        text = self.outputs("json")[1]
        site = json.loads(text)["site"]
        self.assertEqual(len(site["services"]), 4)


if __name__ == "__main__":
    main()
