"""The list of a compiled tree, from a stranger: what it names is removed where lbc has made it, and that is said."""

from __future__ import annotations

from lbctest.hostile import DIRECTORS, SITE, Case, is_sanitized, main, run

SLOWER = 8 if is_sanitized() else 1

HEADER = "# Files of `lbc compile --emit all`, which removes those that it no longer makes.\n"


class Manifest(Case):
    def test_files_of_others_stay(self) -> None:
        for name in ("notes.txt", "site.lb", "lb1/notes", "real/x/networkd/etc/passwd", "a/b/iptables.rules", "README"):
            with self.subTest(name):
                site = self.write("site.lb", SITE)
                self.write(name, SITE if name == "site.lb" else "mine")
                self.write("MANIFEST", HEADER + name + "\n")
                done = run("compile", site, "--emit", "all", "-o", self.folder)
                self.assertStatus(done, 3)
                self.assertIn(f"MANIFEST` lists `{name}`, and lbc makes no file of that name; take the line out",
                              done.stderr.decode())
                self.assertTrue((self.folder / name).is_file())
                self.assertFalse((self.folder / "rules.sh").exists())

    def test_a_name_behind_a_link(self) -> None:
        """It is refused by its name, wherever it leads."""
        self.write("theirs/notes", "mine")
        (self.folder / "lb3").symlink_to("theirs")
        self.write("MANIFEST", HEADER + "lb3/notes\n")
        done = run("compile", self.write("site.lb", SITE), "--emit", "all", "-o", self.folder)
        self.assertStatus(done, 3)
        self.assertIn("MANIFEST` lists `lb3/notes`, and lbc makes no file of that name", done.stderr.decode())

    def test_many_names_of_none(self) -> None:
        """What lbc gives no name to is asked of the file system once each."""
        self.write("MANIFEST", HEADER + "".join(f"{i:07x}\n" for i in range(500_000)))
        site = self.write("site.lb", SITE)
        self.assertStatus(run("compile", site, "--emit", "all", "-o", self.folder, cpu=60 * SLOWER), 0)
        self.assertIn("lb1/iptables.rules\n", (self.folder / "MANIFEST").read_text(encoding="utf-8"))

    def test_what_goes_is_said(self) -> None:
        out = self.folder / "out"
        site = self.write("site.lb", SITE + "service more { vip 192.0.2.11; port tcp 80; real 10.0.0.9 }\n")
        self.assertStatus(run("compile", site, "--emit", "all", "-o", out), 0)
        before = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
        self.write("site.lb", DIRECTORS[:DIRECTORS.index("director lb2")])
        done = run("compile", site, "--emit", "all", "-o", out)
        self.assertStatus(done, 0)
        gone = before - {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
        self.assertIn("lb2/iptables.rules", gone)
        self.assertIn("real/10.0.0.9/ifupdown", gone)
        self.assertIn("real/lb2/networkd/etc/sysctl.d/90-lbc.conf", gone)
        self.assertEqual({line.split()[2].removeprefix(f"{out}/").rstrip(",")
                          for line in done.stderr.decode().splitlines() if line.startswith("lbc: removed ")}, gone)
        self.assertFalse((out / "real").exists())


if __name__ == "__main__":
    main()
