#!/usr/bin/python3
"""lbc killed at each of its writes: on the way from one site to another and back, when it removes everything, and when
it takes a failed change back. Whatever is left leads no packet astray, and the next run finishes the work."""

from __future__ import annotations

import re
import traceback
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lbctest.hosts import APPLY
from lbctest.lone_director import BY_NFT, NEW, OLD, STRACE, TABLE, TABLE_CALL, daemons, director, state
from lbctest.project import LBC
from lbctest.world import write_site

CALLS = ("sendto", "recvfrom" if BY_NFT else TABLE_CALL, "rename", "write")
SYNC = "sync { interface eth0; id 7 }\n"
BACKUP_ONLY = ("guard backup-only\nsync { interface eth0; id 8; instance vi1 }\n"
               "vrrp vi1 { vip 10.9.0.1/24; interface eth0; router-id 51; priority lb1 150, lb2 100 }\n")


def writes(call: str) -> bool:
    """Whether a line of strace's is a call that changes more than counters, what is printed, and a file without its
    name. By nftables only what is about its table: the rest is as it is by iptables."""
    if BY_NFT:
        return re.search(f"{TABLE}|MSG_NOSIGNAL", call) is not None  # libnftables is told by a socket of its own
    if call.startswith("sendto"):
        return not re.search(r"NLM_F_DUMP|0x300|nlctrl|GENL_ID_CTRL", call)
    if call.startswith("setsockopt"):
        return re.search(TABLE, call) is not None
    return not re.match(r"write\([12],|write\(\d+, .lbc record", call)


@dataclass(frozen=True)
class Kill:
    """A run that leads from one site to another, killed when it makes a call for a certain time; another of its calls
    may be made to fail before."""

    before: str
    after: str
    call: str
    number: int
    injection: str = ""


def kills(before: str, after: str, calls: list[str], first: int = 0, injection: str = "") -> list[Kill]:
    """One for each call that writes, and for the call after the last of them."""
    found = [i for i, call in enumerate(calls) if i >= first and writes(call)]
    if found and found[-1] + 1 < len(calls):
        found.append(found[-1] + 1)
    names = [call.split("(")[0] for call in calls]
    return [Kill(before, after, names[i], names[:i + 1].count(names[i]), injection) for i in found]


class Bench:
    """A director that is brought from site to site. It has a lock of its own, as a box has."""

    def __init__(self, name: str):
        self.host, self.calls = director(), f"/run/{name}.calls"
        self.lock = f"XTABLES_LOCKFILE=/run/{name}.lock"
        self.strangers = state(self.host)[0]
        self.path: str | None = None  # its site

    @staticmethod
    def command(path: str) -> list[str]:
        return [*APPLY, path, "-d", "lb1"] if path else [LBC, "remove"]

    def bring_to(self, path: str) -> None:
        self.host.run("env", self.lock, *self.command(path))
        self.path = path

    def traced(self, path: str, *injections: str) -> tuple[int, list[str]]:
        """The status of a run, and its calls."""
        done = self.host.run("env", self.lock, *STRACE, "-o", self.calls, "-e", f"trace={','.join(CALLS)}",
                             *(word for injection in injections if injection for word in ("-e", f"inject={injection}")),
                             *self.command(path), check=False)
        self.path = None
        with open(self.calls, encoding="utf-8", errors="replace") as file:
            return done.returncode, re.findall(rf"^(?:\d+ +)?((?:{'|'.join(CALLS)})\(.*)", file.read(), re.MULTILINE)

    def whole_state(self) -> tuple:
        return *state(self.host), daemons(self.host)


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.benches = [Bench("one"), Bench("two")]  # one for each processor

    def setUp(self):
        self.bench = self.benches[0]
        self.sites: dict[str, tuple] = {}  # the state that each is to have, by its file

    def site(self, name: str, text: str) -> str:
        path = write_site(text, f"/run/{name}.lb") if text else ""
        self.bench.bring_to(path)
        self.sites[path] = self.bench.whole_state()
        return path

    def check_between(self, bench: Bench, one: str, two: str) -> None:
        """A killed run's state: the old or the new tables, or, of nftables, one that marks as they do; and a service for
        each mark; others' things as they were."""
        now = state(bench.host)
        if BY_NFT:
            self.assertTrue(self.holds(bench, one) or self.holds(bench, two))
        for i in (1, 2):
            if BY_NFT:
                marks = self.marks(bench, "IPv6" if i == 2 else "IPv4")
            else:
                self.assertIn(now[i], (self.sites[one][i], self.sites[two][i]))
                marks = {int(mark, 16) for mark in re.findall(r"-A LBC .*--set-xmark (0x\w+)/", "\n".join(now[i]))}
            found = {int(key.split()[1]) for key in now[0] if key.startswith("-f") and key.endswith("-6") == (i == 2)}
            self.assertLessEqual(marks, found)
        for key, lines in bench.strangers.items():
            self.assertEqual(now[0][key], lines)

    def holds(self, bench: Bench, path: str) -> bool:
        """Whether every packet has the mark that a site says; without one, whether there is no table."""
        if not path:
            return state(bench.host) == self.sites[path] or self.marks(bench, "IPv4") == set()
        dump = f"{bench.calls}.json"
        with open(dump, "w", encoding="utf-8") as file:
            file.write(bench.host.run("nft", "-j", "list", "ruleset").stdout)
        return bench.host.lbc("verify", path, "-d", "lb1", "--against", dump, check=False).returncode == 0

    @staticmethod
    def marks(bench: Bench, family: str) -> set[int]:
        """Of all elements, those that no rule asks yet or any more among them."""
        text = bench.host.run("nft", "list", "ruleset").stdout
        return {int(mark, 16) for address, mark in re.findall(r"([\da-f.:]+)(?:/\d+)? \. [^,]*? : 0x(\w+)", text)
                if (":" in address) == (family == "IPv6")}

    def kill(self, bench: Bench, kill: Kill) -> None:
        """Kills a run, and lets another finish its work."""
        if bench.path != kill.before:
            bench.bring_to(kill.before)
        status, _ = bench.traced(kill.after, f"{kill.call}:signal=KILL:when={kill.number}", kill.injection)
        self.assertIn(status, (-9, 137))
        self.check_between(bench, kill.before, kill.after)
        bench.bring_to(kill.after)
        self.assertEqual(bench.whole_state(), self.sites[kill.after])

    def kill_each(self, *several: list[Kill]) -> None:
        """On both benches at once. Of several lists each bench takes from one after the other, so that one kill leaves
        what the next begins with."""
        failures = []

        def work(number: int) -> None:
            turns = [some[number::2] for some in several]
            for place in range(max(map(len, turns))):
                for kill in (some[place] for some in turns if place < len(some)):
                    try:
                        self.kill(self.benches[number], kill)
                    except Exception:  # of any kind: the next ones are tried all the same
                        failures.append(f"{kill}\n{traceback.format_exc(limit=-2)}")

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, range(2)))
        self.assertEqual(len(failures), 0, "\n".join(failures))

    def trace(self, before: str, after: str) -> list[Kill]:
        if self.bench.path != before:
            self.bench.bring_to(before)
        status, calls = self.bench.traced(after)
        self.assertEqual(status, 0)
        found = kills(before, after, calls)
        if not BY_NFT:
            self.assertEqual(sum(kill.call == TABLE_CALL for kill in found), 2, calls)
        self.assertGreater(len(found), 2 if BY_NFT else 4, calls)
        return found

    def test_between_two_sites(self):
        """Services, marks and sync daemons come and go, and backup_only."""
        old, new = self.site("old", SYNC + OLD), self.site("new", BACKUP_ONLY + NEW)
        self.kill_each(self.trace(old, new), self.trace(new, old))

    def test_remove(self):
        old, nothing = self.site("old", SYNC + OLD), self.site("", "")
        self.kill_each(self.trace(old, nothing))

    def test_while_a_failed_change_is_taken_back(self):
        """The second table is refused, or the first request after it, or the answer for the second set of nftables is
        lost; and the process is killed at each write that follows, of those calls that are not made to fail."""
        old, new = self.site("old", SYNC + OLD), self.site("new", BACKUP_ONLY + NEW)
        self.bench.bring_to(old)
        calls = self.bench.traced(new)[1]
        table = [i for i, call in enumerate(calls) if re.search(TABLE, call)][1]
        answer = "recvfrom" if BY_NFT else "sendto"
        after = next(i for i in range(table, len(calls)) if calls[i].startswith(answer) and (BY_NFT or writes(calls[i])))
        found = []
        for failing in (after,) if BY_NFT else (table, after):
            name = calls[failing].split("(")[0]
            number = sum(call.startswith(name) for call in calls[:failing + 1])
            injection = f"{name}:error=ENOMEM:when={number}"
            self.bench.bring_to(old)
            status, told = self.bench.traced(new, injection)
            self.assertEqual(status, 4)
            self.assertEqual(self.bench.whole_state(), self.sites[old])
            found.append([kill for kill in kills(old, new, told, failing + 1, injection) if kill.call != name])
            self.assertTrue(found[-1], told)
        self.kill_each([kill for some in found for kill in some])


if __name__ == "__main__":
    unittest.main(verbosity=2)
