"""A host in a network namespace of its own: its addresses, programs run on it, and lbc."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field

from lbctest.namespaces import Inside, new_namespace
from lbctest.project import BACKEND, LBC

APPLY = (LBC, "apply", "--backend", BACKEND)


@dataclass
class Host:
    name: str
    number: int  # last byte of its addresses and of its MAC
    namespace: int = field(default_factory=new_namespace)

    @property
    def mac(self) -> str:
        return f"02:00:00:00:00:{self.number:02x}"

    @property
    def address(self) -> str:
        return f"10.0.0.{self.number}"

    @property
    def address6(self) -> str:
        return f"fd00::{self.number:x}"

    def run(self, *command: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess:
        with Inside(self.namespace):
            done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
        return done

    def ip(self, *commands: str) -> None:
        self.run("ip", "-batch", "-", text="".join(f"{command}\n" for command in commands))

    def sysctl(self, path: str, value: object) -> None:
        with Inside(self.namespace), open(f"/proc/sys/net/{path}", "w", encoding="ascii") as file:
            file.write(str(value))

    def lbc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        by = APPLY if arguments[0] == "apply" and "--backend" not in arguments else (LBC, arguments[0])
        return self.run(*by, *arguments[1:], check=check)
