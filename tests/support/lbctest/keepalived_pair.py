"""Two boxes on two wires, each in a network namespace of its own, with keepalived on each: who holds which address, and
what is advertised, in the order in which it happened. Everything ends with the process."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lbctest.hosts import Host
from lbctest.namespaces import Inside

PATIENCE = 60  # seconds until something must have happened at last
DOWN = 5  # a backup waits for less than four intervals before it becomes master (RFC 5798, 6.1)
ETH_P_ALL, PACKET_OUTGOING = 3, 4
RTM_NEWADDR, RTM_DELADDR, IFA_ADDRESS, IFA_LOCAL = 20, 21, 1, 2
ADDRESS_GROUPS = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
VRRP = 112
WIRES = ("eth0", "eth1")
NAMES = ("lb1", "lb2")


@dataclass(frozen=True)
class Event:
    box: str
    what: str  # "+" and "-": an address came or went; "advert"
    address: str = ""
    interval: float = 0  # seconds, that an advertisement says


class Box(Host):
    def __init__(self, name: str, number: int, folder: Path):
        super().__init__(name, number)
        self.folder = folder
        self.process: subprocess.Popen | None = None
        self.config, self.log = folder / f"{name}.conf", folder / f"{name}.log"

    def holds(self) -> set[str]:
        return {line.split()[3].split("/")[0] for line in self.run("ip", "-o", "addr", "show").stdout.splitlines()}

    def start(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")
        since = len(self.said())
        with Inside(self.namespace), open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["keepalived", "-n", "-l", "-D", "-P", "-f", self.config, "-i", self.name, "-p",
                 self.folder / f"{self.name}.pid", "-r", self.folder / f"{self.name}-vrrp.pid"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.wait_until_said("Startup complete", since)

    def reload(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")
        since = len(self.said())
        self.process.send_signal(signal.SIGHUP)
        self.wait_until_said("Reload complete", since)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=PATIENCE)
        self.process = None

    def change(self, text: str, by_restart: bool = False) -> None:
        """Has keepalived run with this text: it reads it again, or starts, or ends where there is no instance in it."""
        if "vrrp_instance" not in text:
            return self.stop()
        if by_restart:
            self.stop()
        return self.reload(text) if self.process else self.start(text)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def wait_until_said(self, words: str, since: int) -> None:
        end = time.monotonic() + PATIENCE
        while words not in self.said()[since:]:
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"{self.name} did not say {words!r}:\n{self.said()[since:]}")
            time.sleep(0.05)


class Pair:
    """`watched`: addresses that count. `longest`: of the intervals between advertisements, in seconds."""

    def __init__(self, folder: Path, watched: set[str], longest: float):
        self.watched, self.longest = watched, longest
        self.boxes = [Box(name, number, folder) for number, name in enumerate(NAMES, 1)]
        self.events: list[Event] = []
        self.changed = threading.Condition()
        self.selector = selectors.DefaultSelector()
        self.ends = threading.Event()
        first, second = self.boxes
        for wire in WIRES:
            first.run("ip", "link", "add", wire, "type", "veth", "peer", "name", wire, "netns",
                      f"/proc/{os.getpid()}/fd/{second.namespace}")
        for box in self.boxes:
            self._set_up(box)
        for wire in WIRES:
            with Inside(first.namespace):
                packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
                packets.bind((wire, ETH_P_ALL))
            self.selector.register(packets, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _set_up(self, box: Box) -> None:
        box.run("ip", "link", "set", "lo", "up")
        for number, wire in enumerate(WIRES):
            box.run("ip", "link", "set", wire, "address", f"02:00:00:00:{number:02x}:{box.number:02x}", "up")
            box.run("ip", "addr", "add", f"10.0.{number}.{box.number}/24", "dev", wire)
            box.run("ip", "addr", "add", f"fd00:{number}::{box.number}/64", "dev", wire, "nodad")
        with Inside(box.namespace):
            link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            link.bind((0, ADDRESS_GROUPS))
        self.selector.register(link, selectors.EVENT_READ, box.name)

    def _listen(self) -> None:
        while not self.ends.is_set():
            for key, _ in self.selector.select(0.2):
                data, origin = key.fileobj.recvfrom(65536)
                found = (advert_events(data, NAMES[0 if origin[2] == PACKET_OUTGOING else 1]) if key.data is None else
                         address_events(data, key.data))
                with self.changed:
                    self.events += [event for event in found if event.what == "advert" or event.address in self.watched]
                    self.changed.notify_all()

    def now(self) -> int:
        with self.changed:
            return len(self.events)

    def settle(self) -> set[str]:
        """Waits until roles last, and gives the boxes that hold the watched addresses. Intervals that advertisements
        say are added, not read off a clock: while one box advertised for so long that another, which does not hear it,
        would have become master, no address has moved. Of two masters one may be silent: keepalived begins its
        interval again with every advertisement that it ignores."""
        since = self.now()

        def lasts() -> bool:
            quiet = since
            for at in range(since, len(self.events)):
                if self.events[at].what != "advert":
                    quiet = at + 1
            adverts = [event for event in self.events[quiet:] if event.what == "advert"]
            said = {name: [event.interval for event in adverts if event.box == name] for name in NAMES}
            return any(sum(intervals) > DOWN * self.longest for intervals in said.values())

        with self.changed:
            if not self.changed.wait_for(lasts, timeout=PATIENCE):
                raise AssertionError(f"roles do not last\n{self.logs()}")
        held = {box.name: box.holds() & self.watched for box in self.boxes}
        return {name for name, addresses in held.items() if addresses}

    def moves(self, since: int) -> list[str]:
        """What addresses did since then: "lb1-", "lb2+", equal ones that follow each other once."""
        with self.changed:
            steps = [event.box + event.what for event in self.events[since:] if event.what != "advert"]
        return [step for at, step in enumerate(steps) if at == 0 or steps[at - 1] != step]

    def logs(self) -> str:
        return "\n".join(f"{box.name}: {box.said()[-3000:]}" for box in self.boxes)

    def close(self) -> None:
        for box in self.boxes:
            box.stop()
        self.ends.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()
        for box in self.boxes:
            os.close(box.namespace)


def address_events(data: bytes, box: str) -> Iterator[Event]:
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        message, data = data[:length], data[(length + 3) & ~3:] if length else b""
        if kind not in (RTM_NEWADDR, RTM_DELADDR):
            continue
        at, found = 24, {}
        while at + 4 <= length:
            size, name = struct.unpack_from("=HH", message, at)
            found[name] = message[at + 4:at + size]
            at += max((size + 3) & ~3, 4)
        raw = found.get(IFA_LOCAL, found.get(IFA_ADDRESS, b""))
        if raw:
            yield Event(box, "+" if kind == RTM_NEWADDR else "-", socket.inet_ntop(message[16], raw))


def advert_events(frame: bytes, box: str) -> Iterator[Event]:
    kind = struct.unpack_from("!H", frame, 12)[0] if len(frame) >= 42 else 0
    if kind == 0x0800 and frame[23] == VRRP:
        body = frame[14 + 4 * (frame[14] & 15):]
    elif kind == 0x86DD and len(frame) >= 62 and frame[20] == VRRP:
        body = frame[54:]
    else:
        return
    version, _, _, _, interval = struct.unpack_from("!BBBBH", body)
    yield Event(box, "advert", "", interval & 0xFF if version >> 4 == 2 else (interval & 0xFFF) / 100)
