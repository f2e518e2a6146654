"""What the tests with git share: a repository in a folder of its own, without the settings of this user."""
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent / "examples" / "git"

DIRECTORS = """director lb1 {
    mac       02:00:00:00:00:01
    address   10.0.0.1
    interface eth0
}

director lb2 {
    mac       02:00:00:00:00:02
    address   10.0.0.2
    interface eth0
}
"""


def service(name, vip, *reals):
    """In the canonical layout."""
    lines = "".join(f"    real {real}\n" for real in reals)
    return f"service {name} {{\n    vip  {vip}\n    port tcp 80\n{lines}}}\n"


WEB = service("web", "192.0.2.10", "lb1", "lb2")
MORE = service("web", "192.0.2.10", "lb1", "lb2", "10.0.0.7")
SITE = DIRECTORS + "\n" + WEB


class Repository:
    def __init__(self, lbc, folder):
        self.lbc_path = os.path.abspath(lbc)
        self.root = pathlib.Path(folder)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.root.parent / "home"), "LC_ALL": "C.UTF-8",
            "LBC": self.lbc_path,
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": str(self.root.parent),
            **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "2024-01-01T00:00:00Z"))}}
        # An lbc by its name, for what calls it so.
        programs = self.root.parent / "bin"
        programs.mkdir()
        (programs / "lbc").symlink_to(self.lbc_path)
        self.environment["PATH"] = f"{programs}:{self.environment['PATH']}"
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")

    def run(self, *words, status=0, cwd=".", text=None, **environment):
        """A program in the repository; all that it printed. Its status must be the given one, None is any."""
        result = subprocess.run(words, cwd=self.root / cwd, input=text, capture_output=True, timeout=60, check=False,
                                env={**self.environment, **environment}, encoding="utf-8", errors="surrogateescape")
        said = result.stdout + result.stderr
        assert status is None or result.returncode == status, f"{words}: status {result.returncode}\n{said}"
        return said

    def git(self, *words, **more):
        return self.run("git", *words, **more)

    def lbc(self, *words, **more):
        return self.run(self.lbc_path, *words, **more)

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, files, message="change"):
        """Puts the files and commits all that there is; the commit's id."""
        for name, text in files.items():
            self.put(name, text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def use_examples(self):
        """The ready-made files as docs/git.md has them used: installed, and so out of the repository."""
        self.installed = self.root.parent / "share/lbc/git"
        self.installed.mkdir(parents=True)
        for path in EXAMPLES.iterdir():
            target = self.root if path.name == ".gitattributes" else self.installed
            target /= path.name.removesuffix(".in")
            target.write_text(path.read_text().replace("@LBC_GIT@", str(self.installed)))
            target.chmod(path.stat().st_mode)
        self.git("config", "--local", "include.path", str(self.installed / "config"))


def contains(text, *parts):
    for part in parts:
        assert part in text, f"no {part!r} in:\n{text}"


def lacks(text, *parts):
    for part in parts:
        assert part not in text, f"{part!r} in:\n{text}"


def main(cases):
    """Each case is a function that gets a repository without a commit."""
    lbc, failed = sys.argv[1], 0
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(Repository(lbc, pathlib.Path(folder) / "repository"))
            except AssertionError:
                failed += 1
                print(f"FAILED {case.__name__}")
                traceback.print_exc(file=sys.stdout)
    print(f"{len(cases)} cases, {failed} failed")
    sys.exit(1 if failed or not cases else 0)
