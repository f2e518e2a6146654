"""Every .lb file here with its messages: runs `lbc check FILE`, or what its first line says behind `# run:`, and
compares the standard error with FILE's .stderr, and the exit status with what the messages ask for. The ids of all
messages must occur in some .stderr, but those about the machine: tests/unit/backends/machine_test.cpp has these.
LBC_UPDATE_GOLDEN=1 writes the .stderr files anew.

    errors.py LBC NAME     the case NAME.lb
    errors.py LBC --ids    whether each id has a case
"""
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def run(lbc, *arguments):
    return subprocess.run([lbc, *arguments], cwd=HERE, capture_output=True, text=True, timeout=60, check=False)


def arguments_of(case):
    first = case.read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    return first.removeprefix("# run: ").split() if first.startswith("# run: ") else ["check", case.name]


def check_case(lbc, case):
    """What is wrong with one case, or nothing."""
    result = run(lbc, *arguments_of(case))
    again = run(lbc, *arguments_of(case))
    expected_file = case.with_suffix(".stderr")
    if os.environ.get("LBC_UPDATE_GOLDEN"):
        expected_file.write_text(result.stderr)
    expected = expected_file.read_text() if expected_file.exists() else ""
    if result.stderr != expected:
        return f"expected\n{expected}\nand got\n{result.stderr}"
    if result.stderr != again.stderr:
        return "two runs differ"
    status = 2 if re.search(r": error: ", result.stderr) else 0
    if result.returncode != status:
        return f"exit status {result.returncode}, expected {status}"
    if "N5boost" in result.stderr or "spirit" in result.stderr:
        return "a type's name is part of a message"
    return None


def missing_ids(lbc):
    """Ids that no case has."""
    seen = set()
    for expected in HERE.glob("*.stderr"):
        seen.update(re.findall(r"\[([a-z-]+)\]$", expected.read_text(), re.MULTILINE))
    ids = {line.split()[0] for line in run(lbc, "explain").stdout.splitlines()}
    assert ids, "no ids"
    return sorted(one for one in ids - seen if not one.startswith("machine-"))


def main():
    lbc = os.path.abspath(sys.argv[1])
    if sys.argv[2] == "--ids":
        missing = missing_ids(lbc)
        sys.exit(f"no case has a message with the id {', '.join(missing)}" if missing else 0)
    problem = check_case(lbc, HERE / f"{sys.argv[2]}.lb")
    sys.exit(problem)


main()
