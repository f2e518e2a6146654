"""A client that makes one connection after another while something else happens."""

from __future__ import annotations

import threading
import time

from lbctest.world import World


class Traffic:
    """Connections to one VIP from a thread of its own, as long as the block lasts. `lost` are those without an answer.
    """

    def __init__(self, world: World, vip: str):
        self.world, self.vip = world, vip
        self.made = 0
        self.lost: list[str] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.connect, daemon=True)

    def connect(self) -> None:
        while not self.stop.is_set():
            if len(self.world.tcp(self.vip, 1)) != 1:
                self.lost.append("; ".join(self.world.errors[-1:]) or "no answer")
            self.made += 1

    def wait_for(self, more: int = 5) -> None:
        """Until as many have been made from now on, so that some lie before, or after, what is tried."""
        goal, end = self.made + more, time.monotonic() + 60
        while self.made < goal and time.monotonic() < end:
            time.sleep(0.02)
        assert self.made >= goal, "the client makes no connections"

    def __enter__(self) -> Traffic:
        self.thread.start()
        self.wait_for()
        return self

    def __exit__(self, *_) -> None:
        self.stop.set()
        self.thread.join()
