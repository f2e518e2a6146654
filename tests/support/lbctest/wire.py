"""What is on the wire of a world: copies of each packet of the client's."""

from __future__ import annotations

import collections
import socket
import struct
from dataclasses import dataclass, field

TCP, UDP = 6, 17


@dataclass
class Copies:
    """What the wire saw of each of the client's packets. A client that says the same twice, as TCP does of what is not
    acknowledged in time, has sent two packets: copies are counted for each time that it was the client who sent it."""

    seen: collections.Counter = field(default_factory=collections.Counter)
    sent: collections.Counter = field(default_factory=collections.Counter)
    lowest_ttl: dict = field(default_factory=dict)

    def each(self) -> list[int]:
        return [-(-count // max(self.sent[key], 1)) for key, count in self.seen.items()]

    def most(self) -> int:
        return max(self.each(), default=0)

    def looped(self) -> int:
        """Packets that went round: none that is forwarded once is on the wire more than twice."""
        return sum(count > 2 for count in self.each())


def inner_packet(frame: bytes) -> tuple[str, int, bytes] | None:
    """The source, the TTL and what stays the same on the way, of an IP packet or of the one in its tunnel."""
    kind, data = struct.unpack_from("!H", frame, 12)[0], frame[14:]
    if kind == 0x0800 and data[9] in (4, 41):
        kind, data = (0x0800 if data[9] == 4 else 0x86DD), data[(data[0] & 15) * 4:]
    elif kind == 0x86DD and data[6] == 41:
        data = data[40:]
    if kind == 0x0800:
        length = struct.unpack_from("!H", data, 2)[0]
        # Identification and fragment offset tell packets with the same payload apart.
        return (socket.inet_ntop(socket.AF_INET, data[12:16]), data[8],
                data[4:8] + bytes([data[9]]) + data[(data[0] & 15) * 4:length])
    if kind == 0x86DD and data[6] in (TCP, UDP, 44):
        length = struct.unpack_from("!H", data, 4)[0]
        return socket.inet_ntop(socket.AF_INET6, data[8:24]), data[7], data[6:7] + data[40:40 + length]
    return None
