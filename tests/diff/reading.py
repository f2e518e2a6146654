"""What `lbc diff --format json` says, read as docs/schema/diff.schema.json words it, and with nothing else."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from random import Random

from lbctest.model import DROPPED, NO_STATION, Packet, interface_matches


def class_holds(packets: dict, packet: Packet) -> bool:
    """Whether a packet is in a class of packets."""
    family = 4 if packets["family"] == "ipv4" else 6
    to = ip_address(packet.to)
    if packet.family != family or to not in ip_network(packets["destination"]):
        return False
    if any(to in ip_network(inner) for inner in packets["except"]):
        return False
    if packets["sent_here"] != (packet.device is None) or packets["carried"] != packet.mark:
        return False
    if not ports_hold(packets, packet):
        return False
    return packet.device is None or (any(enters(where, packet.device) for where in packets["interfaces"]) and
                                     source_holds(packets["sources"], packet.mac))


def ports_hold(packets: dict, packet: Packet) -> bool:
    protocol = packet.protocol if packet.protocol in packets["named_protocols"] else None
    port = packet.port or 0  # of a protocol without ports, the range is a whole one
    return any(ports["protocol"] == protocol and any(first <= port <= last for first, last in ports["ranges"])
               for ports in packets["ports"])


def enters(where: dict, device: str) -> bool:
    if "name" in where:
        return where["name"] == device
    return interface_matches(where["pattern"], device) and not any(interface_matches(p, device)
                                                                   for p in where["except"])


def source_holds(sources: dict, mac: str | None) -> bool:
    if mac in (None, NO_STATION):
        return sources["without"]
    return mac in sources["macs"] or (sources["others"] and mac not in sources["named_macs"])


def traffic_of(diff: dict, director: str) -> list[dict]:
    found = [entry["packets"] for entry in diff["traffic"] if entry["director"] == director]
    assert len(found) <= 1, f"{director} stands {len(found)} times in the traffic"
    return found[0] if found else []


def marks_said(classes: list[dict], packet: Packet) -> tuple[int, int] | None:
    """The marks before and after of the class that a packet is in, None where it is in none."""
    found = [c for c in classes if class_holds(c, packet)]
    assert len(found) <= 1, f"{packet} is in {len(found)} classes:\n{json.dumps(found)}"
    if not found:
        return None
    before, after = found[0]["before"], found[0]["after"]
    assert before != after, f"a class without a change: {found[0]}"
    assert not any(o["unknown"] for o in (before, after)), f"no own rule is unknown: {found[0]}"
    assert packet.mark or not any(o["dropped"] for o in (before, after)), f"nothing without a mark drops: {found[0]}"
    return tuple(DROPPED if o["dropped"] else o["mark"] for o in (before, after))


def packets_of(rng: Random, packets: dict, macs: list[str], devices: list[str]) -> list[Packet]:
    """Packets in a class of packets, at its borders, and beside it."""
    net = ip_network(packets["destination"])
    numbers = {0, net.num_addresses - 1, rng.randrange(net.num_addresses)}
    addresses = {str(net[n]) for n in numbers} | {str(ip_network(inner)[0]) for inner in packets["except"]}
    targets = []
    for ports in packets["ports"]:
        protocol = ports["protocol"] or rng.choice([p for p in (1, 2, 50, 89, 253)
                                                    if p not in packets["named_protocols"]])
        for first, last in ports["ranges"]:
            edges = {max(first - 1, 0), first, last, min(last + 1, 65535)}
            targets += [(protocol, port if protocol in (6, 17, 132) else None) for port in edges]
    targets += [(1, None), (6, rng.randrange(65536))]
    found = []
    for to in sorted(addresses):
        for protocol, port in rng.sample(targets, min(6, len(targets))):
            if packets["sent_here"]:
                found.append(Packet(None, None, to, protocol, port, packets["carried"]))
            else:
                named = [w["name"] for w in packets["interfaces"] if "name" in w]
                device = rng.choice([*devices, *named])
                mac = rng.choice([*packets["sources"]["macs"], *macs, None])
                found.append(Packet(device, mac, to, protocol, port))
    return found
