"""Every .lb file here with its messages: runs `lbc check FILE`, or what its first line says behind `# run:`, and
compares the standard error with FILE's .stderr, and the exit status with what the messages ask for. The ids of all
messages must occur in some .stderr, but those about the machine: tests/unit/machine_test.cpp has one to itself.
LBC_UPDATE_GOLDEN=1 writes the .stderr files anew."""
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


def main():
    lbc = os.path.abspath(sys.argv[1])
    cases = sorted(HERE.glob("*.lb"))
    failed = 0
    seen = set()
    for case in cases:
        problem = check_case(lbc, case)
        if problem:
            failed += 1
            print(f"FAILED {case.name}: {problem}")
        if case.with_suffix(".stderr").exists():
            seen.update(re.findall(r"\[([a-z-]+)\]$", case.with_suffix(".stderr").read_text(), re.MULTILINE))
    ids = {line.split()[0] for line in run(lbc, "explain").stdout.splitlines()}
    ids = {one for one in ids if not one.startswith("machine-")}
    for missing in sorted(ids - seen):
        failed += 1
        print(f"FAILED no case has a message with the id {missing}")
    print(f"{len(cases)} cases, {len(ids)} ids, {failed} failed")
    sys.exit(1 if failed or not cases or not ids else 0)


main()
