"""Every example with all that is compiled from it: runs `lbc compile --emit all` and compares the tree with the one in
this folder. Twice, since equal input gives equal bytes. LBC_UPDATE_GOLDEN=1 writes the trees anew.

    golden.py LBC NAME FILE    the example FILE, whose tree is NAME/
"""
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
EXAMPLES = ROOT / "examples"
# What scripts have of each is the file, to the byte: a tree here has one line for it.
SHELL_PARTS = {path: path.read_text() for path in sorted((ROOT / "backends/emit").rglob("*.sh"))}
SCRIPTS = {"rules.sh": 3, "realserver.sh": 2}  # and how many parts they have


def compile_tree(lbc, site, folder):
    """The tree of a site, as a map from paths to texts. Runs below `examples`, so that no path of the machine is part
    of the input."""
    result = subprocess.run([lbc, "compile", site.relative_to(EXAMPLES), "--emit", "all", "-o", folder], cwd=EXAMPLES,
                            capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        sys.exit(f"{site.name}: exit status {result.returncode}\n{result.stderr}")
    check = subprocess.run([lbc, "compile", site.relative_to(EXAMPLES), "--check", "-o", folder], cwd=EXAMPLES,
                           capture_output=True, text=True, timeout=60, check=False)
    if check.returncode != 0 or check.stdout:
        sys.exit(f"{site.name}: a tree just made is out of date\n{check.stdout}{check.stderr}")
    texts = {path: without_parts(path, text) for path, text in tree(folder).items()}
    # What is of each real server's machine is many small files: here it is one.
    machines = {path: texts.pop(path) for path in sorted(texts) if path.startswith("real/")}
    texts["real"] = "".join(f"==== {path} ====\n{text}\n" for path, text in machines.items())
    texts["messages"] = result.stderr
    return texts


def without_parts(path, text):
    """A script without the parts that are the same for every site."""
    found = 0
    for part, same in SHELL_PARTS.items():
        found += text.count(same)
        text = text.replace(same, f"#### {part.relative_to(ROOT)}\n")
    if found != SCRIPTS.get(path, 0):
        sys.exit(f"{path} has {found} parts")
    return text


def tree(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def compare(name, expected, actual):
    failed = 0
    for path in sorted(expected.keys() | actual.keys()):
        before, after = (texts.get(path, "").splitlines(keepends=True) for texts in (expected, actual))
        if (path in expected) != (path in actual) or before != after:
            failed += 1
            sys.stdout.writelines(difflib.unified_diff(before, after, f"{name}/{path}", "now"))
    return failed


def main():
    lbc = os.path.abspath(sys.argv[1])
    name, site = sys.argv[2], EXAMPLES / sys.argv[3]
    failed = 0
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        actual = compile_tree(lbc, site, pathlib.Path(first))
        if compile_tree(lbc, site, pathlib.Path(second)) != actual:
            failed += 1
            print(f"FAILED {name}: two runs differ")
    golden = HERE / name
    if os.environ.get("LBC_UPDATE_GOLDEN"):
        shutil.rmtree(golden, ignore_errors=True)
        for path, text in actual.items():
            (golden / path).parent.mkdir(parents=True, exist_ok=True)
            (golden / path).write_text(text)
    failed += compare(name, tree(golden), actual)
    print(f"{len(actual)} artefacts, {failed} failed")
    sys.exit(1 if failed or not actual else 0)


main()
