"""The marks that the kernel sets, against those that the model says, and against what `lbc verify` says: where it finds
nothing, every packet has the site's mark; where it finds a difference, the packet that it names has it."""

from __future__ import annotations

from lbctest import harness, net
from lbctest.deep import DeepLab
from lbctest.model import NO_STATION, WITH_PORTS, Meaning, Packet


def show(mark: int | None) -> str:
    return "dropped" if mark is None else f"{mark:#x}"


def differences(lab: net.Lab, meaning: Meaning, entering: list[Packet], leaving: list[Packet]) -> list[str]:
    """Packets whose mark in the kernel is not the model's."""
    wrong = []
    marks_in, marks_out = lab.measure(entering, leaving)
    for packet, mark in zip(entering, marks_in, strict=True):
        if mark != meaning.incoming(packet):
            wrong.append(f"{packet}: kernel {show(mark)}, language {show(meaning.incoming(packet))}")
    for packet, mark in zip(leaving, marks_out, strict=True):
        if mark != meaning.outgoing(packet):
            wrong.append(f"own {packet}: kernel {show(mark)}, language {show(meaning.outgoing(packet))}")
    return wrong


def proof(director: str) -> dict:
    """Of the rules of this namespace."""
    return harness.proved(str(harness.SITE), director)


def witness_of(fault: dict) -> Packet:
    said = fault["witness"]
    port = said["port"] if said["protocol"] in WITH_PORTS else None
    mac = NO_STATION if said["interface"] == "lo" else said["source_mac"]
    return Packet(said["interface"], mac, said["destination"], said["protocol"], port, said["mark"])


def can_be_sent(witness: dict) -> bool:
    """Not where all that is known of the destination is that rules name it not, nor with a MAC on `lo`."""
    return (witness["destination"].startswith(("10.", "8.", "9.", "fd00:")) and
            not (witness["interface"] == "lo" and witness["source_mac"]))


class Judge:
    def __init__(self, lab: DeepLab, meaning: Meaning):
        self.lab, self.meaning = lab, meaning
        self.marks = {meaning.mark_of(service) for service in meaning.services}
        if meaning.peers and None in meaning.allocated:  # without peers, the guard's is a mark like any other
            self.marks.add(meaning.allocated[None])

    def wanted(self, packet: Packet) -> int | None:
        return self.meaning.incoming(packet) if packet.device else self.meaning.outgoing(packet)

    def wrong(self, packets: list[Packet]) -> dict[Packet, str]:
        """Those that were not dropped, have not the site's mark, and are not others' to mark with one of their own."""
        found = {}
        for packet, mark in zip(packets, self.lab.outcomes(packets), strict=True):
            wanted = self.wanted(packet)
            others = wanted == packet.mark and mark not in self.marks
            if mark is not None and mark != wanted and not others:
                found[packet] = f"{packet}: kernel {show(mark)}, language {show(wanted)}, and lbc finds no fault"
        return found

    def misses(self, faults: list[dict]) -> list[str]:
        """What is wrong with differences' own packets, once they are sent; those that no device here takes are not."""
        found: list[str] = []
        batch: list[tuple[dict, Packet]] = []
        kinds: dict[str, bool] = {}  # of devices, with Ethernet addresses or without: one of the other kind is a new batch

        def send() -> None:
            marks = self.lab.outcomes([packet for _, packet in batch])
            found.extend(text for (fault, packet), mark in zip(batch, marks, strict=True)
                         if (text := self.miss(fault, packet, mark)))
            batch.clear()
            kinds.clear()

        for fault in faults:
            packet = witness_of(fault)
            if packet.device is not None:
                has_mac = packet.mac is not None
                if kinds.get(packet.device, has_mac) != has_mac:
                    send()
                kinds[packet.device] = has_mac
                self.lab.provide(packet.device, has_mac)
            if packet.device is None or packet.device in self.lab.devices:
                batch.append((fault, packet))
        send()
        return found

    def miss(self, fault: dict, packet: Packet, mark: int | None) -> str:
        wanted = self.wanted(packet)
        said = [None if outcome["dropped"] else outcome["mark"] for outcome in fault["possible"]]
        site = None if fault["packets"]["before"]["dropped"] else fault["packets"]["before"]["mark"]
        if said == [mark] and site == wanted != mark:
            return ""
        return (f"{packet}: kernel {show(mark)}, language {show(wanted)}; lbc says {said}, and {show(site)} of the site"
                f"\n  {fault['decision']}")
