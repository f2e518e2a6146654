"""Random changes of a site, such as operators make; and rewrites of its text that change nothing."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from ipaddress import ip_network
from random import Random

from lbctest.draw import FORWARDS, INTERFACES, Draw, conflict
from lbctest.model import Director, Real, Service, Site

SCHEDULERS = ("scheduler rr", "scheduler wrr", "scheduler lc", "scheduler sh sh-port", "scheduler mh mh-fallback")
PERSISTENCE = ("persistent", "persistent 10m", "persistent 10m netmask 24", "persistent engine sip")
REAL_OPTIONS = ("", "weight 0", "weight 1", "weight 3", "connections 100", "weight 2 connections 50-100")


def is_sound(site: Site) -> bool:
    services = site.services
    if not services or not site.directors or any(not s.vips or not s.reals or not s.claims for s in services):
        return False
    return not any(conflict(site, a, b) for i, a in enumerate(services) for b in services[:i])


class Editor:
    """Makes the sites that stand behind one change or several; the draw is the one that made the old site."""

    def __init__(self, rng: Random, draw: Draw):
        self.rng, self.draw = rng, draw

    def edited(self, old: Site, count: int, kinds: tuple[str, ...]) -> tuple[Site, list[str]]:
        """A sound site that `count` edits lead to, or fewer where some make no sense, and their names."""
        site, done = old, []
        for kind in self.rng.choices(kinds, k=count):
            tried = deepcopy(site)
            getattr(self, kind)(tried)
            if is_sound(tried) and tried != site:
                site, done = tried, [*done, kind]
        return site, done

    def one(self, site: Site) -> Service:
        return self.rng.choice(site.services)

    def port_added(self, site: Site) -> None:
        claim = self.rng.choice(self.one(site).claims)
        if claim.protocol != "any":
            claim.ranges = [*claim.ranges, *self.draw.ranges()]
            claim.ranges = [r for i, r in enumerate(claim.ranges)
                            if not any(r[0] <= other[1] and other[0] <= r[1] for other in claim.ranges[:i])]

    def ports_changed(self, site: Site) -> None:
        self.one(site).claims = self.draw.claims()

    def vip_added(self, site: Site) -> None:
        service = self.one(site)
        vip = ip_network(self.draw.vip())
        networks = [ip_network(v) for v in service.vips]
        if vip.version in {n.version for n in networks} and not any(vip.overlaps(n) for n in networks
                                                                    if n.version == vip.version):
            service.vips.append(vip.compressed if vip.num_addresses > 1 else str(vip.network_address))

    def vip_removed(self, site: Site) -> None:
        service = self.one(site)
        if len(service.vips) > 1:
            service.vips.remove(self.rng.choice(service.vips))

    def mac_changed(self, site: Site) -> None:
        macs = self.rng.choice(site.directors).macs
        index = self.rng.randrange(len(macs))
        if macs[index].startswith("02:"):
            macs[index] = self.draw.mac()

    def mac_added(self, site: Site) -> None:
        self.rng.choice(site.directors).macs.append(self.draw.mac())

    def address_changed(self, site: Site) -> None:
        director = self.rng.choice(site.directors)
        number = self.rng.randrange(100, 200)
        director.addresses = [f"10.100.0.{number}", f"fd00:100::{number:x}"]

    def director_added(self, site: Site) -> None:
        number = len(site.directors) + 40
        added = Director(f"new{number}", [self.draw.mac()], [f"10.100.0.{number}", f"fd00:100::{number:x}"],
                         list(self.rng.choice(INTERFACES)))
        for service in site.services:
            if isinstance(service.marks, dict) and service.on is None:
                service.marks[added.name] = self.draw.free_marks.pop()
            if service.forward != "nat" and not service.forward.startswith("tun") and self.rng.random() < 0.5:
                service.reals.append(Real(added.name))
        site.directors.append(added)

    def director_removed(self, site: Site) -> None:
        gone = self.rng.choice(site.directors)
        if len(site.directors) < 2:
            return
        site.directors.remove(gone)
        for service in site.services:
            service.reals = [r for r in service.reals if r.target != gone.name]
            if isinstance(service.marks, dict):
                service.marks.pop(gone.name, None)
            if service.on:
                service.on = [name for name in service.on if name != gone.name]
        site.services = [s for s in site.services if s.on != []]

    def interface_changed(self, site: Site) -> None:
        kind = self.rng.randrange(3)
        if kind == 0:
            self.rng.choice(site.directors).interfaces = list(self.rng.choice(INTERFACES))
        elif kind == 1:
            self.one(site).interfaces = list(self.rng.choice(INTERFACES)) or None
        else:
            site.interfaces = [] if site.interfaces else ["eth+"]

    def bypass_changed(self, site: Site) -> None:
        if self.rng.random() < 0.3:
            site.bypass = [] if site.bypass else [self.draw.mac()]
            return
        macs = [self.draw.mac(), *(mac for d in site.directors for mac in d.macs)]
        some = self.rng.sample(macs, self.rng.randint(1, len(macs)))
        self.one(site).bypass = some if self.rng.random() < 0.7 else None

    def mark_changed(self, site: Site) -> None:
        service = self.one(site)
        names = service.on or [d.name for d in site.directors]
        fresh = [self.draw.free_marks.pop() for _ in names]
        service.marks = self.rng.choice((None, fresh[0], dict(zip(names, fresh, strict=True))))

    def guard_changed(self, site: Site) -> None:
        site.guard = self.rng.choice((None, "local", "drop", "off"))

    def range_changed(self, site: Site) -> None:
        site.range = self.rng.choice((None, (0x200, 0x23F), (0x10000, 0x10FFF)))

    def local_toggled(self, site: Site) -> None:
        service = self.one(site)
        service.local = not service.local

    def renamed(self, site: Site) -> None:
        service = self.one(site)
        service.name = f"renamed-{service.name}"

    def on_changed(self, site: Site) -> None:
        service, names = self.one(site), [d.name for d in site.directors]
        service.on = self.rng.choice((None, [self.rng.choice(names)]))
        if isinstance(service.marks, dict):
            old = service.marks
            service.marks = {name: old.get(name) or self.draw.free_marks.pop() for name in service.on or names}

    def service_added(self, site: Site) -> None:
        service = self.draw.service(site, f"added{self.rng.randrange(99)}")
        site.services.insert(self.rng.randrange(len(site.services) + 1), service)

    def service_removed(self, site: Site) -> None:
        site.services.remove(self.one(site))

    def real_added(self, site: Site) -> None:
        service = self.one(site)
        family = ip_network(service.vips[0]).version
        target = f"10.60.0.{self.rng.randrange(1, 99)}" if family == 4 else f"fd00:60::{self.rng.randrange(1, 99):x}"
        if all(r.target != target for r in service.reals):
            service.reals.append(Real(target, options=self.rng.choice(REAL_OPTIONS)))

    def director_real(self, site: Site) -> None:
        """A director becomes a real server by direct routing."""
        service = self.rng.choice([s for s in site.services if s.forward == "dr"] or site.services)
        free = [d for d in site.directors if not site.is_real(d, service, ("dr", "tun", "nat"))]
        if free and service.forward == "dr":
            service.reals.append(Real(self.rng.choice(free).name))

    def real_removed(self, site: Site) -> None:
        service = self.one(site)
        service.reals.remove(self.rng.choice(service.reals))

    def real_changed(self, site: Site) -> None:
        self.rng.choice(self.one(site).reals).options = self.rng.choice(REAL_OPTIONS)

    def forward_changed(self, site: Site) -> None:
        self.one(site).forward = self.rng.choice(FORWARDS)

    def scheduler_changed(self, site: Site) -> None:
        service = self.one(site)
        service.options = [o for o in service.options if not o.startswith("scheduler")]
        service.options += self.rng.sample(SCHEDULERS, self.rng.randint(0, 1))

    def persistence_changed(self, site: Site) -> None:
        service = self.one(site)
        service.options = [o for o in service.options if o.startswith("scheduler")]
        if all(c.protocol == "udp" for c in service.claims) and self.rng.random() < 0.5:
            service.options.append("one-packet")
        elif self.rng.random() < 0.8:
            service.options.append(self.rng.choice(PERSISTENCE))


# What changes marks comes more often than what does not.
MARKS = ("port_added", "ports_changed", "vip_added", "vip_removed", "mac_changed", "mac_added", "director_added",
         "director_removed", "interface_changed", "bypass_changed", "mark_changed", "guard_changed", "range_changed",
         "local_toggled", "renamed", "on_changed", "service_added", "service_removed")
SERVICES = ("real_added", "director_real", "real_removed", "real_changed", "forward_changed", "scheduler_changed",
            "persistence_changed", "address_changed")
ALL = MARKS + SERVICES
# What changes who knows whom, and who sends to whom.
ROLES = ("mac_changed", "mac_added", "director_added", "director_removed", "guard_changed", "director_real",
         "real_removed", "on_changed", "interface_changed", "service_removed", "vip_added", "forward_changed",
         "bypass_changed", "ports_changed")


def shuffled(rng: Random, items: list | None) -> list | None:
    return rng.sample(items, len(items)) if items else items


def rewritten(rng: Random, site: Site) -> Site:
    """The same site in another order, which has no meaning."""
    directors = [replace(d, macs=shuffled(rng, d.macs), addresses=shuffled(rng, d.addresses),
                         interfaces=shuffled(rng, d.interfaces)) for d in site.directors]
    services = [replace(s, vips=shuffled(rng, s.vips), reals=shuffled(rng, s.reals), on=shuffled(rng, s.on),
                        claims=shuffled(rng, [replace(c, ranges=shuffled(rng, c.ranges)) for c in s.claims]),
                        interfaces=shuffled(rng, s.interfaces), bypass=shuffled(rng, s.bypass), pool=rng.random() < 0.5)
                for s in site.services]
    return replace(site, directors=shuffled(rng, directors), services=shuffled(rng, services),
                   interfaces=shuffled(rng, site.interfaces), bypass=shuffled(rng, site.bypass))


def commented(rng: Random, text: str) -> str:
    """With comments and empty lines between lines and behind them."""
    lines = []
    for line in text.splitlines():
        lines += ["# é service { } \"", ""][:rng.choice((0, 0, 1, 2))]
        lines.append(line + rng.choice(("", "", "   # behind it", "\t")))
    return "\n".join(lines) + "\n"
