"""Random sites without mistakes, and packets that lie on and beside every border of what a site says."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from random import Random

from lbctest.model import ANY_PORT, PROTOCOLS, WITH_PORTS, Claim, Director, Meaning, Packet, Real, Service, Site

ETHERNET = ("eth0", "eth1", "eth10", "br-lan.1234567")
TUNNEL = "tun0"
VRRP_MAC = "00:00:5e:00:01:33"
INTERFACES = ([], [], ["eth0"], ["eth0", "eth1"], ["eth+"], ["eth1+"], ["eth1"], ["br-lan.1234567"], [TUNNEL],
              ["eth0", TUNNEL], ["+"], ["nowhere7"])
PORTS = (1, 22, 53, 80, 81, 443, 1023, 1024, 8080, 65534, 65535)
FORWARDS = ("dr", "dr", "dr", "nat", "tun", "tun ipip", "tun gre", "tun gue port 5555")
FEW, MANY = 9, 60  # services; of the latter, a tree has branches
MARKS = (1, 3, 4, 0x101, 0x7FF, 0x4000, 0x10000, 0x80000000, 0xDEADBEEF, 0xFFFFFFFF)


def patterns_overlap(a: list[str], b: list[str]) -> bool:
    """Whether a packet can enter by both of two `interface` lists; an empty one is any interface."""
    def one(x: str, y: str) -> bool:
        if x.endswith("+") and y.endswith("+"):
            return x[:-1].startswith(y[:-1]) or y[:-1].startswith(x[:-1])
        if y.endswith("+"):
            x, y = y, x
        return y.startswith(x[:-1]) if x.endswith("+") else x == y
    return not a or not b or any(one(x, y) for x in a for y in b)


def claims_overlap(a: Claim, b: Claim) -> bool:
    if "any" in (a.protocol, b.protocol):
        return True
    return a.protocol == b.protocol and any(x[0] <= y[1] and y[0] <= x[1] for x in a.ranges for y in b.ranges)


def conflict(site: Site, a: Service, b: Service) -> bool:
    """Whether two services claim one packet on some director. What `local` says of two that differ in the interface
    alone is left open by the language, so that counts too."""
    if not any(ip_network(x).overlaps(ip_network(y)) for x in a.vips for y in b.vips
               if ip_network(x).version == ip_network(y).version):
        return False
    if not any(claims_overlap(x, y) for x in a.claims for y in b.claims):
        return False
    def where(service: Service, director: Director) -> list[str]:
        return service.interfaces or site.interfaces or director.interfaces
    return any((a.on is None or d.name in a.on) and (b.on is None or d.name in b.on) and
               ((a.local and b.local) or patterns_overlap(where(a, d), where(b, d))) for d in site.directors)


class Draw:
    """Draws one site; the same random state gives the same site."""

    def __init__(self, rng: Random):
        self.rng = rng
        self.used: set[str] = set()
        self.free_marks = [*MARKS, *rng.sample(range(1, 2**32 - 1), 300)]
        rng.shuffle(self.free_marks)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def mac(self) -> str:
        while True:
            mac = "02:" + ":".join(f"{self.rng.choice((0, 1, 0x7F, 0xFE, self.rng.randrange(256))):02x}"
                                   for _ in range(5))
            if mac not in self.used and not mac.startswith("02:aa"):
                self.used.add(mac)
                return mac

    def site(self, most: int = FEW) -> Site:
        """With up to so many services."""
        rng = self.rng
        directors = [Director(rng.choice(("lb{}", "LB-{}.a", "_d{}")).format(n),
                              [self.mac() for _ in range(rng.randint(1, 3))],
                              [f"10.100.0.{n}", f"fd00:100::{n:x}"], list(rng.choice(INTERFACES)))
                     for n in range(1, rng.choice((1, 2, 2, 3, 4)) + 1)]
        if len(directors) > 1 and self.chance(0.2):
            for director in directors[:2]:
                director.macs.append(VRRP_MAC)
        site = Site(directors, [], rng.choice((None, None, "local", "local", "drop", "off")),
                    rng.choice((None, None, (0x200, 0x23F), (0x10000, 0x10FFF), (0xFFFFFF00, 0xFFFFFFFE))))
        if self.chance(0.15):
            site.interfaces = ["eth+", TUNNEL]
        if self.chance(0.2):
            site.bypass = [self.mac()]
        for number in range(rng.randint(1, most)):
            service = self.service(site, f"s{number}")
            if not any(conflict(site, service, other) for other in site.services):
                site.services.append(service)
        return site

    def vip(self) -> str:
        rng = self.rng
        kind = rng.randrange(10)
        if kind < 5:
            return f"10.0.0.{rng.randrange(8, 16)}"
        if kind < 6:
            return str(ip_network((f"10.0.{rng.randrange(4)}.0", rng.randint(22, 31)), strict=False))
        if kind < 9:
            return f"fd00:1::{rng.randrange(8, 16):x}"
        return str(ip_network((f"fd00:1:0:{rng.randrange(4)}::", rng.choice((62, 64, 100, 127))), strict=False))

    def vips(self) -> list[str]:
        vips: list[str] = []
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            vip = ip_network(self.vip())
            if not any(vip.version == ip_network(v).version and vip.overlaps(ip_network(v)) for v in vips):
                text = vip.exploded if self.chance(0.3) else vip.compressed
                vips.append(text.partition("/")[0] if vip.num_addresses == 1 else text)
        return vips

    def ranges(self) -> list[tuple[int, int]]:
        """Ranges that may touch and never overlap."""
        rng = self.rng
        if self.chance(0.15):
            return [ANY_PORT]
        ranges: list[tuple[int, int]] = []
        for _ in range(rng.choice((1, 1, 2, 5, 24))):
            first = rng.choice((rng.choice(PORTS), rng.randint(1, 65535), rng.randint(1, 60)))
            last = min(65535, first + rng.choice((0, 0, 0, 1, 2, 500)))
            if not any(first <= b and a <= last for a, b in ranges):
                ranges.append((first, last))
        return ranges

    def claims(self) -> list[Claim]:
        if self.chance(0.12):
            return [Claim("any", [])]
        protocols = self.rng.sample(sorted(PROTOCOLS), self.rng.choice((1, 1, 1, 2, 3)))
        return [Claim(protocol, self.ranges()) for protocol in protocols]

    def reals(self, site: Site, vips: list[str], forward: str) -> list[Real]:
        rng = self.rng
        reals, families = [], sorted({ip_network(vip).version for vip in vips})
        if forward.startswith("tun") and len(families) == 1 and self.chance(0.3):  # a tunnel to the other family
            return [Real("10.50.0.7" if families == [6] else "fd00:50::7")]
        for family in families:
            net = "10.50.0." if family == 4 else "fd00:50::"
            reals += [Real(f"{net}{n}") for n in rng.sample(range(1, 99), rng.randint(1, 2))]
            if forward != "nat" and self.chance(0.15):  # a director without its name, and one in a range
                own = rng.choice(site.directors).addresses[0 if family == 4 else 1]
                reals.append(Real(own if self.chance(0.5) else f"{own}-{ip_address(own) + 2}"))
        if forward != "nat" and self.chance(0.6):
            named = rng.sample(site.directors, rng.randint(1, len(site.directors)))
            reals += [Real(d.name) for d in named if not any({*site.addresses(r)} & {*d.addresses} for r in reals)]
        if forward == "dr" and self.chance(0.2):
            rng.choice(reals).forward = "tun"
        rng.shuffle(reals)
        return reals

    def service(self, site: Site, name: str) -> Service:
        rng = self.rng
        vips, forward, names = self.vips(), rng.choice(FORWARDS), [d.name for d in site.directors]
        on = sorted(rng.sample(names, rng.randint(1, len(names))), key=names.index) if self.chance(0.3) else None
        kind, marks = rng.randrange(3), None
        if kind == 1:
            marks = self.free_marks.pop()
        elif kind == 2:
            marks = {director: self.free_marks.pop() for director in on or names}
        macs = [self.mac(), *(mac for d in site.directors for mac in d.macs)]
        return Service(name, vips, self.claims(), self.reals(site, vips, forward), forward, marks, on,
                       (list(rng.choice(INTERFACES)) or None) if self.chance(0.3) else None,
                       rng.sample(macs, rng.randint(1, len(macs))) if self.chance(0.3) else None,
                       self.chance(0.3), self.chance(0.25))


def near(mac: str) -> list[str]:
    """MACs that differ in one bit of the first or the last byte, and stay a single station's."""
    first, last = int(mac[:2], 16), int(mac[-2:], 16)
    return [f"{first ^ 4:02x}{mac[2:]}", f"{mac[:-2]}{last ^ 1:02x}", f"{mac[:-2]}{last ^ 0x80:02x}"]


def borders(network: str, rng: Random) -> list[str]:
    net = ip_network(network)
    first, size = int(net.network_address), net.num_addresses
    numbers = {first - 1, first, first + rng.randrange(size), first + size - 1, first + size}
    return [str(ip_address(n) if net.version == 4 else ip_address(n.to_bytes(16, "big"))) for n in sorted(numbers)]


class Packets:
    """Draws packets for one director of a site."""

    def __init__(self, rng: Random, meaning: Meaning, devices: list[str]):
        self.rng, self.meaning, self.devices, self.site = rng, meaning, devices, meaning.site
        known = {mac for d in self.site.directors for mac in d.macs} | set(self.site.bypass)
        known |= {mac for s in self.site.services for mac in s.bypass or []}
        self.special = sorted(known) + sorted({m for mac in known for m in near(mac)} - known)
        self.clients = ["02:c1:00:00:00:01", "00:00:00:00:00:00", "fe:ff:ff:ff:ff:ff"]
        self.known_marks = sorted({m for m in meaning.allocated.values() if m} | {0x4D2})

    def every_target(self, service: Service) -> tuple[list[tuple], list[tuple]]:
        """Addresses, protocols and ports along a service's borders: those inside, and those on either side."""
        addresses = sorted({a for vip in service.vips for a in borders(vip, self.rng)})
        ports: dict[int, set[int]] = {p: {80, self.rng.randrange(65536)} for p in WITH_PORTS}
        for claim in service.claims:
            for first, last in claim.ranges:
                ports[PROTOCOLS[claim.protocol]] |= {max(first - 1, 0), first, last, min(last + 1, 65535)}
        kinds = [(p, port) for p in sorted(ports) for port in sorted(ports[p])] + [(1, None), (47, None), (50, None)]
        every = [(a, 58 if p == 1 and ":" in a else p, port) for a in addresses for p, port in kinds]
        networks = [ip_network(vip) for vip in service.vips]
        inside = [(a, p, port) for a, p, port in every if any(ip_address(a) in n for n in networks if n.version == (
            6 if ":" in a else 4)) and any(c.holds(Packet(None, None, a, p, port)) for c in service.claims)]
        return inside, every

    def targets(self, service: Service, limit: int) -> list[tuple[str, int, int | None]]:
        return [t for some in self.every_target(service) for t in self.rng.sample(some, min(limit // 2, len(some)))]

    def whole(self) -> tuple[list[Packet], list[Packet]]:
        """Every target inside a service, from every kind of sender, on every device; and the director's own."""
        meaning, entering, leaving = self.meaning, [], []
        macs = [self.clients[0], *sorted(meaning.peers), *{b for s in meaning.services for b in s.bypass or []}]
        for service in meaning.services:
            for to, protocol, port in self.every_target(service)[0]:
                entering += [Packet(device, None if device == TUNNEL else mac, to, protocol, port)
                             for device in self.devices for mac in (macs[:1] if device == TUNNEL else macs)]
                leaving += [Packet(None, None, to, protocol, port, mark) for mark in (0, *self.known_marks)]
            leaving += self.tunnelled(service)
        return entering, leaving

    def incoming(self, per_service: int = 70) -> list[Packet]:
        packets = []
        for service in self.site.services:
            for to, protocol, port in self.targets(service, per_service):
                macs = [self.rng.choice(self.clients), *self.rng.sample(self.special, min(3, len(self.special)))]
                packets += [self.one(to, protocol, port, mac) for mac in macs]
        self.rng.shuffle(packets)
        return packets

    def one(self, to: str, protocol: int, port: int | None, mac: str) -> Packet:
        device = self.rng.choice((*self.devices, "eth0", "eth0"))
        options = self.rng.random() < 0.1
        if device == TUNNEL:
            return Packet(device, None, to, protocol, port, 0, options)
        mark = self.rng.choice((0, 0, 0, *self.known_marks))
        return Packet(device, mac, to, protocol, port, mark, options)

    def outgoing(self, per_service: int = 15) -> list[Packet]:
        """Packets of the director's own. The language is silent on the guard mark towards what this director does not
        balance, as no such packet comes about, so none is drawn."""
        marks = [0, *self.known_marks]
        mine = [self.rng.choice(marks) for _ in range(2)]
        packets = [Packet(None, None, to, protocol, port, mark) for s in self.site.services
                   for to, protocol, port in self.targets(s, per_service) for mark in (*mine, marks[-1], 0)]
        elsewhere = [ip_network(v) for s in self.site.services if s not in self.meaning.services for v in s.vips]
        guard = self.meaning.allocated.get(None)
        packets = [replace(p, mark=0) if p.mark == guard and any(
            ip_address(p.to) in n for n in elsewhere if n.version == p.family) else p for p in packets]
        return packets + [p for s in self.meaning.services for p in self.tunnelled(s)]

    def tunnelled(self, service: Service) -> list[Packet]:
        """Outer packets to the service's real servers in tunnels."""
        return [Packet(None, None, to, protocol, port, mark) for to, protocol, port in
                self.meaning.tunnel_ends(service) for mark in (0, self.meaning.allocated.get(None, 0x4D2))]
