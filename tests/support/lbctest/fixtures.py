"""Sites that several tests share. Each has a director lb1 under test and a peer lb2."""

from __future__ import annotations

from lbctest.model import Claim, Director, Real, Service, Site

PEER_MACS = ["02:00:00:00:00:02", "02:00:00:00:00:03"]
CLIENT_MAC = "02:c1:00:00:00:01"
BYPASS_MAC = "02:00:00:00:00:77"
VIPS = ["10.0.0.8", "fd00:1::8"]


def directors() -> list[Director]:
    return [Director("lb1", ["02:00:00:00:00:01"], ["10.100.0.1", "fd00:100::1"]),
            Director("lb2", list(PEER_MACS), ["10.100.0.2", "fd00:100::2"])]


def web(mark: int = 3) -> Service:
    return Service("web", list(VIPS), [Claim("tcp", [(80, 80), (8000, 8099)])], [Real("lb1"), Real("lb2")],
                   marks={"lb1": mark, "lb2": 4}, bypass=[BYPASS_MAC], local=True)


def dns() -> Service:
    """More ports than one rule can hold, and a tunnel that ends on lb1."""
    return Service("dns", ["10.0.1.0/24"], [Claim("udp", [(n, n) for n in range(53, 93, 2)])],
                   [Real("10.50.0.1"), Real("lb1")], forward="tun", interfaces=["eth1+"])


def known_site() -> Site:
    """A site in which every kind of rule has a packet of its own."""
    return Site(directors(), [web(), dns()], guard="local")


def small_site() -> Site:
    """The same service `web`, without a guard and with fewer rules than `known_site`."""
    return Site(directors(), [web()], guard="off")


def moved_site() -> Site:
    """`web` with another mark, behind services of its neighbours."""
    others = [Service(f"other{n}", [f"10.0.0.{n}", f"fd00:1::{n:x}"], [Claim("any", [])],
                      [Real("10.50.0.2"), Real("fd00:50::2")], marks=100 + n) for n in (7, 9)]
    return Site(directors(), [*others, web(mark=7)], guard="drop")
