"""A branch of an outsider, checked out or looked at: nothing of it runs, whatever it changes, with the files of lbc used
as docs/git.md says, and by lbc itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lbctest.hostile import LBC, SITE, Case, main

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples" / "git"
PAGES = Path(__file__).resolve().parent.parent.parent / "docs"


class WorkTree(Case):
    def setUp(self) -> None:
        super().setUp()
        self.ran = self.folder / "ran"
        self.evil = self.write("evil.sh", f"#!/bin/sh\necho $0 $* >>{self.ran}\ncat 2>/dev/null\n")
        self.evil.chmod(0o755)
        self.repository = self.folder / "repository"
        self.installed = self.folder / "share/lbc/git"
        self.installed.mkdir(parents=True)
        for path in EXAMPLES.iterdir():
            target = self.installed / path.name.removesuffix(".in")
            target.write_text(path.read_text().replace("@LBC_GIT@", str(self.installed)))
            target.chmod(path.stat().st_mode)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LBC": LBC, "GIT_CONFIG_NOSYSTEM": "1",
                            "TMPDIR": str(self.folder), "GIT_PAGER": "cat",
                            **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                               for what, value in (("NAME", "a"), ("EMAIL", "a@example.org"))}}
        self.repository.mkdir()
        self.git("init", "-q", "-b", "main")
        # As the page says.
        self.git("config", "--local", "include.path", str(self.installed / "config"))
        (self.repository / ".git/hooks").mkdir(exist_ok=True)
        (self.repository / ".git/hooks/pre-commit").symlink_to(self.installed / "pre-commit")
        self.write("repository/.gitattributes", (EXAMPLES / ".gitattributes").read_text())
        self.write("repository/site.lb", subprocess.run([LBC, "fmt", "-"], input=SITE.encode(), capture_output=True,
                                                        check=True).stdout)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "first")

    def run_program(self, *words: str | Path, status: int | None = 0) -> str:
        done = subprocess.run([*map(str, words)], cwd=self.repository, env=self.environment, capture_output=True,
                              timeout=120, check=False, stdin=subprocess.DEVNULL)
        said = (done.stdout + done.stderr).decode(errors="replace")
        if status is not None:
            self.assertEqual(done.returncode, status, f"{words}: {said}")
        return said

    def git(self, *words: str, **more) -> str:
        return self.run_program("git", *words, **more)

    def branch(self) -> None:
        """A branch with everything that a stranger could hope to be run."""
        self.git("checkout", "-q", "-b", "evil")
        for name in ("config", "review.sh", "comment.sh", "diff-driver.sh", "textconv.sh", "log.sh", "pre-commit"):
            for folder in ("tools/lbc", "examples/git", ".githooks", "hooks"):
                path = self.write(f"repository/{folder}/{name}", self.evil.read_text())
                path.chmod(0o755)
        for folder in ("tools/lbc", "."):
            self.write(f"repository/{folder}/config",
                       f"[core]\n\tfsmonitor = {self.evil}\n\thooksPath = hooks\n[diff \"lbc\"]\n\ttextconv = {self.evil}\n"
                       f"\tcommand = {self.evil}\n[filter \"x\"]\n\tsmudge = {self.evil}\n\tclean = {self.evil}\n"
                       f"[alias]\n\tlbc-diff = !{self.evil}\n")
        self.write("repository/.gitattributes", "*.lb diff=lbc filter=x merge=x\n* diff=lbc\n")
        self.write("repository/.gitmodules", f"[submodule \"x\"]\n\tpath = x\n\turl = ext::{self.evil}\n"
                                             f"\tupdate = !{self.evil}\n")
        for name in ("lbc", "sh", "git", "diff", "sed", "awk"):
            self.write(f"repository/{name}", self.evil.read_text()).chmod(0o755)
        text = (self.repository / "site.lb").read_text()
        self.write("repository/site.lb", text.replace("tcp 80", "tcp 81"))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "evil", status=None)

    def test_nothing_of_a_branch_runs(self) -> None:
        self.branch()
        self.git("checkout", "-q", "main")
        self.git("checkout", "-q", "evil")
        for words in (("status",), ("diff", "main", "--", "site.lb"), ("diff", "main"), ("log", "-p", "-2"),
                      ("show", "HEAD:site.lb"), ("lbc-diff", "main"), ("lbc-log",), ("log", "-p", "--ext-diff")):
            self.git(*words, status=None)
        self.assertIn("81", self.git("lbc-diff", "main", "HEAD"))
        self.assertIn("81", self.git("diff", "main", "--", "site.lb"))
        said = self.run_program("sh", self.installed / "review.sh", "main", "HEAD")
        self.assertIn("81", said)
        self.write("repository/more.lb", "broken {\n")
        self.git("add", "more.lb")
        self.assertIn("more.lb: not in the layout", self.git("commit", "-m", "x", status=1))
        for name in ("HEAD:site.lb", ":site.lb", "main:./site.lb", "site.lb"):
            self.run_program(LBC, "check", name)
        self.assertFalse(self.ran.exists(), self.ran.exists() and self.ran.read_text())

    def test_lbc_fetches_nothing_and_runs_nothing_that_the_repository_names(self) -> None:
        for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "remote.origin.uploadpack", "diff.external",
                    "core.alternateRefsCommand", "filter.x.smudge", "core.gitProxy"):
            self.git("config", key, str(self.evil))
        # A partial clone, of which a blob is missing: git would fetch it by what the repository names.
        blob = self.git("rev-parse", "HEAD:site.lb").strip()
        self.git("config", "remote.origin.url", f"ext::{self.evil}")
        self.git("config", "protocol.ext.allow", "always")
        self.git("config", "remote.origin.promisor", "true")
        self.git("config", "remote.origin.partialclonefilter", "blob:none")
        self.git("config", "extensions.partialClone", "origin")
        (self.repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
        hook = self.write("repository/.git/hooks/post-index-change", self.evil.read_text())
        hook.chmod(0o755)
        self.run_program(LBC, "check", "HEAD:site.lb", status=2)
        self.run_program(LBC, "check", ":site.lb", status=2)
        self.assertFalse(self.ran.exists(), self.ran.exists() and self.ran.read_text())

    def test_no_name_of_a_branch_stands_for_another_revision(self) -> None:
        self.branch()
        short = {name: self.git("rev-parse", "--short", name).strip() for name in ("main", "evil")}
        review = ("sh", self.installed / "review.sh", "main", "evil")
        honest = self.run_program(*review)
        self.assertIn("81", honest)
        self.assertIn("81", self.git("lbc-diff", "main", "evil"))
        # Files with the names by which revisions are looked at, and tags with the ids of others.
        for name in ("main", "HEAD", "", *short.values(), self.git("rev-parse", "main").strip()):
            self.write(f"repository/{name}:site.lb", (self.repository / "site.lb").read_text())
        self.assertEqual(self.run_program(*review), honest)
        self.assertIn("81", self.git("lbc-diff", "main", "evil"))
        self.git("tag", short["main"], "evil")
        self.git("tag", short["evil"], "main")
        self.assertEqual(self.run_program(*review), honest)
        self.write("repository/site.lb", "broken {\n")
        self.git("add", "site.lb")
        self.git("commit", "-m", "x", status=1)

    def test_no_terminal_obeys_a_name(self) -> None:
        name = "repository/a\x1b]0;x\x07\u009b8m.lb"
        self.write(name, (self.repository / "site.lb").read_text())
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x\x1b]0;y\x07\u202e subject")
        self.write(name, SITE + "# more\n")
        for words in (("diff",), ("lbc-log",)):
            said = self.git(*words)
            self.assertNotRegex(said, "[\x1b\x07\u009b\u202e]")
            self.assertIn("?", said)

    def test_what_ships_names_no_path_of_a_work_tree(self) -> None:
        for path in (*EXAMPLES.iterdir(), PAGES / "git.md"):
            text = path.read_text()
            self.assertNotIn("tools/lbc", text, path)
            self.assertNotRegex(text, r"include\.path \.", path)
            for line in text.splitlines():
                if "uses:" in line:
                    self.assertRegex(line, r"@[0-9a-f]{40} # v", path)


if __name__ == "__main__":
    main()
