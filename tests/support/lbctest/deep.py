"""A namespace whose packets are followed as far as IPVS would see them: through every table before it."""

from __future__ import annotations

import os
import time

from lbctest import net
from lbctest.model import Packet

# Of each place the packets that came, with their marks: before all tables, and where IPVS has its hooks.
PLACES = {"arrived": ("prerouting", -400, ""), "in": ("input", 98, " drop"),
          "leaving": ("output", -400, ""), "out": ("output", -95, " drop")}
SOURCES = {"4": ("ip", "10.192.0.0/10"), "6": ("ip6", "fd5e::/16")}


def recorder() -> str:
    lines = ["table inet record {"]
    for name, (hook, priority, verdict) in PLACES.items():
        rules = []
        for number, (family, sources) in SOURCES.items():
            lines.append(f"set {name}{number} {{ typeof {family} saddr . meta mark; size {net.SET_SIZE}; "
                         "flags dynamic; }")
            rules.append(f"{family} saddr {sources} update @{name}{number} {{ {family} saddr . meta mark }}{verdict}")
        lines += [f"chain {name} {{ type filter hook {hook} priority {priority}; policy accept;", *rules, "}"]
    return "\n".join([*lines, "}", ""])


class DeepLab(net.Lab):
    recorder, recorders = recorder(), tuple(PLACES)

    def __init__(self, ethernet: tuple[str, ...], tunnel: str | None = None):
        super().__init__(ethernet, tunnel)
        self.pairs = len(ethernet)
        # Whatever a packet's destination is, it is delivered here; sources are none of these.
        for to in ("8.0.0.0/7", "10.0.0.0/9", "fd00::/16"):
            net.run("ip", "-6" if ":" in to else "-4", "route", "add", "local", to, "dev", "lo")
        for device in ("all", "default", *self.devices):
            with open(f"/proc/sys/net/ipv4/conf/{device}/rp_filter", "w", encoding="ascii") as file:
                file.write("0")

    def provide(self, name: str, has_mac: bool) -> None:
        """A device of this name, with Ethernet addresses or without; one of the other kind makes way."""
        if name in (self.macs if has_mac else ("lo", self.tunnel)):
            return
        if name in self.devices:
            net.run("ip", "link", "delete", "dev", name)
            self.forget_device(name)
        if has_mac:
            far, mac = f"far{self.pairs}", f"02:aa:00:00:00:{self.pairs:02x}"
            self.pairs += 1
            self._add_pair(name, far, mac)
            self._open(name, far)
        else:
            if self.tunnel:
                os.close(self.tunnel_fd)  # which ends the tunnel that there was
                self.tunnel = None
            self._add_tunnel(name)

    def forget_device(self, name: str) -> None:
        if name == self.tunnel:
            os.close(self.tunnel_fd)
            self.tunnel = None
        else:
            del self.macs[name]
            self.sockets.pop(name).close()

    def outcomes(self, packets: list[Packet]) -> list[int | None]:
        """The mark with which each packet comes to IPVS, None for one that rules have dropped. A packet without a
        device is the director's own."""
        self.forget()
        sources = [self.send(p) if p.device else self.send_own(p) for p in packets]
        seen = self.read()
        deadline = time.monotonic() + 10
        while missing := set(sources) - seen["arrived"].keys() - seen["leaving"].keys():
            if time.monotonic() > deadline:
                lost = [p for source, p in zip(sources, packets) if source in missing]
                raise RuntimeError(f"{len(lost)} packets never arrived, the first is {lost[0]}")
            time.sleep(0.05)
            seen = self.read()
        seen = self.read()  # all have arrived, so what is not behind the tables now has been dropped
        return [seen["in" if p.device else "out"].get(source) for source, p in zip(sources, packets)]
