"""The two sites of a comparison: their files, what they compile to, and what `lbc diff` says of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from lbctest import harness
from lbctest.model import Meaning, Packet, Site

FLAGS = {"-fallback": "flag-1", "-port": "flag-2"}  # IPVS has one name for both (linux/ip_vs.h)


@dataclass
class Side:
    """A site and what it compiles to."""

    site: Site
    file: str
    plans: dict[str, dict]
    allocated: dict[str | None, int]
    collided: bool
    known_as: dict[str, str] = field(default_factory=dict)  # directors that have another name on the other side

    def names(self) -> list[str]:
        """Directors, by the names that the comparison has for them."""
        return [self.known_as.get(d.name, d.name) for d in self.site.directors]

    def own(self, director: str) -> str:
        return next((own for own, name in self.known_as.items() if name == director), director)

    def meaning(self, director: str) -> Meaning | None:
        return Meaning(self.site, self.own(director), self.allocated) if director in self.names() else None

    def services(self, director: str) -> dict[tuple[int, str], dict]:
        """A director's virtual services, by mark and family."""
        return {(s["mark"], s["family"]): s for s in self.plans.get(self.own(director), {"virtual_services": []})[
            "virtual_services"]}

    def rules(self, director: str) -> list:
        return self.plans.get(self.own(director), {"rulesets": []})["rulesets"]


def write(text: str, name: str) -> str:
    return harness.write(text, harness.SCRATCH / name)


def side_of(site: Site, name: str, text: str | None = None) -> Side | None:
    """None where lbc refuses the site."""
    file = write(text or site.to_lb(), name)
    done = harness.lbc("compile", file, "--emit", "json")
    if done.returncode == 2:
        return None
    if done.returncode != 0:
        raise AssertionError(f"lbc compile: status {done.returncode}\n{done.stderr}\n{site.to_lb()}")
    said = json.loads(done.stdout)
    allocated: dict[str | None, int] = {}
    for service, read in zip(site.services, said["site"]["services"], strict=True):
        if service.marks is None:
            allocated[service.name] = read["on"][0]["mark"]
    if "mark" in said["site"]["guard"]:
        allocated[None] = said["site"]["guard"]["mark"]
    return Side(site, file, {plan["director"]: plan for plan in said["plans"]}, allocated,
                "mark-collision" in done.stderr)


def pair(old: Side, new: Side) -> None:
    """Directors without one of their name on the other side are those that share a MAC or an address there."""
    new_names, old_names = new.names(), old.names()
    left = [d for d in old.site.directors if d.name not in new_names]
    for director in new.site.directors:
        if director.name in old_names:
            continue
        same = next((d for d in left if {m for m in d.macs if not is_vrrp(m)} & set(director.macs) or
                     set(d.addresses) & set(director.addresses)), None)
        if same is not None:
            left.remove(same)
            old.known_as[same.name] = director.name


def is_vrrp(mac: str) -> bool:
    return mac.startswith(("00:00:5e:00:01:", "00:00:5e:00:02:"))


def diff(old: Side, new: Side, *options: str) -> dict:
    return json.loads(harness.lbc_ok("diff", old.file, new.file, "--format", "json", *options))


def status(old: Side, new: Side) -> int:
    return harness.lbc("diff", old.file, new.file, "--exit-code").returncode


def all_names(old: Side, new: Side) -> list[str]:
    return list(dict.fromkeys([*new.names(), *old.names()]))


def model_marks(old: Meaning | None, new: Meaning | None, packet: Packet) -> tuple[int, int]:
    """The marks that a packet has by either site; a director that a site lacks leaves them."""
    marks = []
    for meaning in (old, new):
        if meaning is None:
            marks.append(packet.mark)
        else:
            marks.append(meaning.outgoing(packet) if packet.device is None else meaning.incoming(packet))
    return marks[0], marks[1]


def parameters(service: dict) -> tuple:
    """What IPVS has of a virtual service, but for its real servers."""
    scheduler = service["scheduler"]
    flags = {next((to for end, to in FLAGS.items() if flag.endswith(end)), flag) for flag in scheduler["flags"]}
    persistent = dict(service.get("persistent") or {})
    if persistent.get("netmask") == (32 if service["family"] == "ipv4" else 128):
        del persistent["netmask"]
    return (scheduler["name"], frozenset(flags), service["one_packet"], json.dumps(persistent, sort_keys=True))


def reals(service: dict) -> dict[tuple[str, int], tuple]:
    return {(r["address"], r.get("port", 0)): (r["weight"], json.dumps(r["forward"], sort_keys=True),
                                               json.dumps(r.get("connections"), sort_keys=True))
            for r in service["real_servers"]}


def fail_with(old: Side, new: Side, seed: object, what: str) -> str:
    return f"seed {seed}: {what}\n--- old ---\n{old.site.to_lb()}\n--- new ---\n{new.site.to_lb()}"
