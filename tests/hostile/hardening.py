"""The program is built with what a compiler and a linker can do against a fault in it: read from the binary itself."""

from __future__ import annotations

import platform
import re
import subprocess
import unittest

from lbctest.hostile import LBC, Case, is_sanitized, main


def readelf(*options: str) -> str:
    return subprocess.run(["readelf", "-W", *options, LBC], capture_output=True, text=True, check=True).stdout


@unittest.skipIf(is_sanitized(), "a sanitizer looks for the faults themselves")
class Hardening(Case):
    def test_position_independent(self) -> None:
        self.assertRegex(readelf("-h"), r"Type:\s+DYN")

    def test_relocations_are_read_only(self) -> None:
        self.assertIn("GNU_RELRO", readelf("-l"))
        self.assertRegex(readelf("-d"), r"FLAGS_1\).*\bNOW\b")

    def test_stack_is_not_executable(self) -> None:
        self.assertRegex(readelf("-l"), r"GNU_STACK(\s+0x[0-9a-f]+){5}\s+RW\s")

    def test_stack_protector_and_fortified_calls(self) -> None:
        symbols = readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"\b__\w+_chk@")

    def test_assertions(self) -> None:
        symbols = readelf("--dyn-syms")
        self.assertIn("__glibcxx_assert_fail", symbols)
        self.assertRegex(symbols, r"\b__assert_fail@")

    @unittest.skipUnless(platform.machine() == "x86_64", "of this processor family")
    def test_stack_clash_and_control_flow(self) -> None:
        code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", LBC], capture_output=True, text=True,
                              check=True).stdout
        # Large frames are probed page by page: room for a page, with a write behind it.
        self.assertTrue(re.search(r"sub\s+\$0x1000,%rsp\n\s*[0-9a-f]+:\s+or[a-z]*\s+\$0x0,", code))
        # Functions that can be called by their address begin with endbr64. The program's note does not say so on Debian,
        # whose start-up code is built without.
        self.assertGreater(code.count("endbr64"), 1000)


if __name__ == "__main__":
    main()
