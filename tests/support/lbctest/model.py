"""The meaning of a site file, as the language reference words it: the mark of every packet on every director.

Written from the reference alone, so that an agreement with the compiler is worth something. A site is a handful of
dataclasses; `Site.to_lb` prints its source, `Meaning` says what one director does with a packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

ANY_PORT = (0, 65535)
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
WITH_PORTS = frozenset(PROTOCOLS.values())
IPIP, IPV6_IN_IP, GRE = 4, 41, 47

NO_STATION = "00:00:00:00:00:00"  # nobody's address, so no packet with it has a sender's

DROPPED = None  # what `Meaning.outgoing` says of a packet that does not leave


@dataclass(frozen=True)
class Packet:
    """A packet at the director's door, or, with device None, one that the director itself sends."""

    device: str | None
    mac: str | None  # its source MAC; None on a device without Ethernet addresses
    to: str
    protocol: int
    port: int | None = None
    mark: int = 0  # the mark that it already has
    options: bool = False  # IPv4 options or an IPv6 extension header stand before the payload
    hops: int = 64  # TTL or hop limit
    service_class: int = 0  # TOS or traffic class
    flags: int = 2  # of TCP; SYN
    padding: int = 0  # bytes behind the transport header

    @property
    def family(self) -> int:
        return ip_address(self.to).version


@dataclass
class Director:
    name: str
    macs: list[str]
    addresses: list[str]
    interfaces: list[str] = field(default_factory=list)


@dataclass
class Real:
    target: str  # an address, a range of addresses or a director's name
    forward: str | None = None
    options: str = ""  # further ones, without a meaning for marks


@dataclass
class Claim:
    """`port PROTO PORTS`; protocol "any" is every protocol."""

    protocol: str
    ranges: list[tuple[int, int]]

    def holds(self, packet: Packet) -> bool:
        if self.protocol == "any":
            return True
        if packet.protocol != PROTOCOLS[self.protocol] or packet.port is None:
            return False
        return any(first <= packet.port <= last for first, last in self.ranges)

    def to_lb(self) -> str:
        if self.protocol == "any":
            return "port any"
        texts = ["any" if r == ANY_PORT else str(r[0]) if r[0] == r[1] else f"{r[0]}-{r[1]}" for r in self.ranges]
        return f"port {self.protocol} {', '.join(texts)}"


@dataclass
class Service:
    name: str
    vips: list[str]
    claims: list[Claim]
    reals: list[Real]
    forward: str = "dr"
    marks: int | dict[str, int] | None = None  # None: allocated
    on: list[str] | None = None  # None: every director
    interfaces: list[str] | None = None  # None: the site's default, then the director's
    bypass: list[str] | None = None  # None: the site's default
    local: bool = False
    pool: bool = False  # the real servers stand in a pool
    options: list[str] = field(default_factory=list)  # statements without a meaning for marks

    def to_lb(self) -> str:
        lines = [f"vip {', '.join(self.vips)}"]
        lines += [claim.to_lb() for claim in self.claims]
        if isinstance(self.marks, int):
            lines.append(f"mark {self.marks:#x}")
        elif self.marks:
            lines.append("mark " + ", ".join(f"{name} {mark:#x}" for name, mark in self.marks.items()))
        bypass = [mac.upper().replace(":", "-") for mac in self.bypass or []]  # the other way to write a MAC
        for keyword, values in (("on", self.on), ("interface", self.interfaces), ("bypass", bypass)):
            if values:
                lines.append(f"{keyword} {', '.join(values)}")
        if self.local:
            lines.append("local")
        lines += [f"forward {self.forward}", *self.options]
        reals = [f"real {r.target}" + (f" forward {r.forward}" if r.forward else "") +
                 (f" {r.options}" if r.options else "") for r in self.reals]
        text = ""
        if self.pool:
            text = f"pool {self.name}-pool {{\n" + "".join(f"    {line}\n" for line in reals) + "}\n"
            reals = [f"pool {self.name}-pool"]
        return text + f"service {self.name} {{\n" + "".join(f"    {line}\n" for line in lines + reals) + "}\n"


@dataclass
class Site:
    directors: list[Director]
    services: list[Service]
    guard: str | None = None  # None: not written
    range: tuple[int, int] | None = None  # of allocated marks; None: not written
    interfaces: list[str] = field(default_factory=list)  # of `defaults`
    bypass: list[str] = field(default_factory=list)  # of `defaults`
    extra: str = ""  # statements without a meaning for marks

    @property
    def mark_range(self) -> tuple[int, int]:
        return self.range or (0x100, 0xFFF)

    def director(self, name: str) -> Director:
        return next(d for d in self.directors if d.name == name)

    def is_real(self, director: Director, service: Service, methods: tuple[str, ...]) -> bool:
        """Whether the director is a real server of the service by one of these methods."""
        return any((r.forward or service.forward).split()[0] in methods and
                   set(self.addresses(r)) & set(director.addresses) for r in service.reals)

    def addresses(self, real: Real) -> list[str]:
        """A real server's addresses: a director's own, a range's, or the one written."""
        named = [d for d in self.directors if d.name == real.target]
        if named:
            return named[0].addresses
        first, _, last = real.target.partition("-")
        count = int(ip_address(last)) - int(ip_address(first)) if last else 0
        return [str(ip_address(first) + n) for n in range(count + 1)]

    def guard_mode(self) -> str:
        if self.guard:
            return self.guard
        real = any(self.is_real(d, s, ("dr", "tun")) for d in self.directors for s in self.services)
        return "local" if real else "off"

    def to_lb(self) -> str:
        text = f"guard {self.guard}\n" if self.guard else ""
        text += f"marks {self.range[0]:#x}-{self.range[1]:#x}\n" if self.range else ""
        defaults = [f"    {word} {', '.join(values)}\n" for word, values in
                    (("interface", self.interfaces), ("bypass", self.bypass)) if values]
        text += "defaults {\n" + "".join(defaults) + "}\n" if defaults else ""
        for director in self.directors:
            text += f"director {director.name} {{\n"
            for word, values in (("mac", director.macs), ("address", director.addresses),
                                 ("interface", director.interfaces)):
                text += f"    {word} {', '.join(values)}\n" if values else ""
            text += "}\n"
        return text + self.extra + "".join(service.to_lb() for service in self.services)


def interface_matches(pattern: str, device: str) -> bool:
    return device.startswith(pattern[:-1]) if pattern.endswith("+") else pattern == device


def tunnel_protocols(forward: str, family: int) -> tuple[int, int | None]:
    """The outer packet's protocol for an inner packet of a family, and its UDP port."""
    words = forward.split()
    if "gue" in words:
        return PROTOCOLS["udp"], int(words[words.index("port") + 1])
    if "gre" in words:
        return GRE, None
    return (IPIP if family == 4 else IPV6_IN_IP), None


class Meaning:
    """What one director does with packets. `allocated` gives the mark of services without one, by name, and the guard
    mark stands under None; both are the implementation's choice."""

    def __init__(self, site: Site, director: str, allocated: dict[str | None, int]):
        self.site, self.me, self.allocated = site, site.director(director), allocated
        self.mode = site.guard_mode()
        self.peers = {mac for d in site.directors if d.name != director for mac in d.macs}
        self.services = [s for s in site.services if s.on is None or director in s.on]
        self.networks = [(s, [ip_network(vip) for vip in s.vips]) for s in self.services]

    def mark_of(self, service: Service) -> int:
        if isinstance(service.marks, int):
            return service.marks
        return service.marks[self.me.name] if service.marks else self.allocated[service.name]

    def addressed(self, packet: Packet) -> Service | None:
        """The service whose VIPs, protocol and ports the packet is for, wherever it comes in."""
        return next(self._addressed(packet), None)

    def _addressed(self, packet: Packet):
        to = ip_address(packet.to)
        for service, networks in self.networks:
            if any(to in n for n in networks if n.version == to.version) and any(c.holds(packet)
                                                                                 for c in service.claims):
                yield service

    def enters(self, service: Service, device: str) -> bool:
        patterns = service.interfaces or self.site.interfaces or self.me.interfaces
        return not patterns or any(interface_matches(p, device) for p in patterns)

    def incoming(self, packet: Packet) -> int:
        """The mark of a packet behind PREROUTING."""
        if packet.device == "lo":
            return packet.mark
        if packet.mac in self.peers:
            # It may come by another network than clients do, and IPVS may remember it all the same.
            guarded = self.mode in ("local", "drop") and self.addressed(packet) is not None
            return self.allocated[None] if guarded else packet.mark
        service = next((s for s in self._addressed(packet) if self.enters(s, packet.device)), None)
        if service is None:
            return packet.mark
        bypass = service.bypass if service.bypass is not None else self.site.bypass
        if packet.mac in bypass:
            return packet.mark
        if packet.mac in (None, NO_STATION) and self.site.is_real(self.me, service, ("tun",)):
            return packet.mark
        return self.mark_of(service)

    def outgoing(self, packet: Packet) -> int | None:
        """The mark of a packet of the director's own behind OUTPUT, or DROPPED."""
        # Without peers nothing ever gets the guard mark.
        guarded = bool(self.peers) and self.mode in ("local", "drop") and packet.mark == self.allocated.get(None)
        to = ip_address(packet.to)
        if guarded and any((packet.to, packet.protocol) == end[:2] and end[2] in (None, packet.port)
                           for s in self.services for end in self.tunnel_ends(s)):
            return DROPPED
        if guarded and any(to in n for _, networks in self.networks for n in networks if n.version == to.version):
            return 0 if self.mode == "local" else DROPPED
        service = next((s for s in self._addressed(packet) if s.local), None)
        return self.mark_of(service) if service else packet.mark

    def tunnel_ends(self, service: Service) -> list[tuple[str, int, int | None]]:
        """Address, protocol and UDP port of the outer packets that carry a service to its real servers in tunnels.
        VIPs of a family without real servers of its own use the other family's."""
        reals = [(address, real.forward or service.forward) for real in service.reals
                 for address in self.site.addresses(real)]
        ends = []
        for family in sorted({ip_network(vip).version for vip in service.vips}):
            same = [r for r in reals if ip_address(r[0]).version == family]
            ends += [(address, *tunnel_protocols(forward, family)) for address, forward in same or reals
                     if forward.startswith("tun")]
        return ends
