"""What directors run as root is shown before it runs, whole and with who runs it, and can be refused."""

from __future__ import annotations

import json

from lbctest.hostile import DIRECTORS, Case, main, run

COMMAND = "/usr/local/bin/notify " + "x" * 150 + " end"
SITE = """service web {{ vip 192.0.2.10; port tcp 80; real lb1 {{ {real} }}; real lb2; {service} }}
vrrp v {{ vip 192.0.2.10/24; interface eth0; router-id 5; priority lb1 9; {vrrp} }}
"""
EVERY = {"real": f'notify-up "/up"; notify-down "/down"; check script {{ command "{COMMAND}"; user nobody }}',
         "service": 'quorum-up "/qup"; quorum-down "/qdown"; check script { command "/check" }; '
                    'check file { track t; file "/f" }',
         "vrrp": 'notify "/notify"; track script "/track"'}
NONE = {"real": "check tcp", "service": "check file { track t }", "vrrp": "advert 1s"}
TEXTS = {"/up", "/down", COMMAND, "/qup", "/qdown", "/check", "/f", "/notify", "/track"}


def text_of(parts: dict) -> str:
    return "ipvs keepalived\n" + DIRECTORS + SITE.format(**parts)


class RootCommands(Case):
    def site(self, name: str, parts: dict) -> str:
        self.write(name, text_of(parts))
        return name

    def lbc(self, *words: str, status: int = 0) -> str:
        done = run(*words, cwd=self.folder)
        self.assertStatus(done, status)
        return done.stdout.decode() + done.stderr.decode()

    def test_check_lists_them(self) -> None:
        said = self.lbc("check", "-v", self.site("all.lb", EVERY))
        for text in TEXTS:
            self.assertIn(f"`{text}`", said)
        self.assertIn(f"runs as nobody: lb1, lb2: service web, check script of real server 10.0.0.1: `{COMMAND}`", said)
        self.assertIn("runs as root: lb1: vrrp v, notify: `/notify`", said)
        self.assertIn("reads as root: lb1, lb2: service web, check file of every real server: `/f`", said)

    def test_check_refuses_them(self) -> None:
        said = self.lbc("check", "--no-commands", self.site("all.lb", EVERY), status=2)
        self.assertEqual(said.count("[command-not-allowed]"), len(TEXTS))
        self.lbc("check", "--no-commands", self.site("none.lb", NONE))

    def test_check_refuses_what_nothing_runs_yet(self) -> None:
        text = text_of({**NONE, "service": 'quorum-up "/later"'}).replace("ipvs keepalived\n", "")
        self.write("later.lb", text)
        self.assertIn("command-not-allowed", self.lbc("check", "--no-commands", "later.lb", status=2))
        self.assertNotIn("runs as", self.lbc("check", "-v", "later.lb"))
        # They are new when something does.
        self.write("now.lb", "ipvs keepalived\n" + text)
        self.assertIn("+ `/later`", self.lbc("diff", "later.lb", "now.lb"))

    def test_difference(self) -> None:
        old = self.site("old.lb", {**NONE, "service": 'quorum-up "/a"; check script { command "/b" }'})
        new = self.site("new.lb", {**NONE, "service": 'quorum-up "/c"; check script { command "/b"; user nobody }',
                                   "vrrp": 'notify "/n"'})
        said = self.lbc("diff", old, new)
        self.assertIn("  ! runs as root: lb1, lb2: service web, quorum-up: command changed\n"
                      "      - `/a`\n      + `/c`\n", said)
        self.assertIn("check script of every real server: command changed\n      - `/b` as root\n"
                      "      + `/b` as nobody\n", said)
        self.assertIn("runs as root: lb1: vrrp v, notify: new command\n      + `/n`\n", said)
        self.assertIn("3 commands", said)
        self.assertIn("command removed\n      - `/n`\n", self.lbc("diff", new, old))
        runs = json.loads(self.lbc("diff", old, new, "--format", "json", "-d", "lb2"))["runs"]
        self.assertEqual([(run["kind"], run["directors"]) for run in runs],
                         [("check-script", ["lb2"]), ("quorum-up", ["lb2"])])

    def test_a_command_moves_to_another_director(self) -> None:
        old = self.site("old.lb", EVERY)
        self.write("new.lb", text_of(EVERY).replace("priority lb1 9", "priority lb1 9, lb2 8"))
        said = self.lbc("diff", old, "new.lb")
        self.assertIn("runs as root: lb2: vrrp v, notify: new command", said)
        self.assertNotIn("/up`", said)

    def test_text_cannot_leave_its_line(self) -> None:
        command = "/x ``` </details> | *b* `"
        new = self.site("new.lb", {**NONE, "vrrp": f'notify "{command}"'})
        said = self.lbc("diff", "/dev/null", new, "--format", "markdown")
        self.assertIn(f"\n  + `{command}`\n  ```\n", said)


if __name__ == "__main__":
    main()
