"""A network namespace of the test's own: devices to send crafted packets into, and the marks that the kernel gave them.

`enter` moves the process into a new namespace, which ends with the process. Each packet has a source address of its
own; nftables chains behind the mangle hooks note (source address, mark) and drop the packet, so nothing answers.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import time
from ipaddress import IPv4Address, IPv6Address, ip_address

from lbctest.model import Packet
from lbctest.namespaces import enter_new
from lbctest.project import skip

PROGRAMS = ("ip", "nft", "iptables-legacy", "iptables-nft")
OMITTED: list[str] = []  # what this machine cannot test; a run with something in it is a skipped one
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
ETH_P = {4: 0x0800, 6: 0x86DD}
SOURCES = {4: int(IPv4Address("10.192.0.0")), 6: int(IPv6Address("fd5e::"))}
TCP, UDP, SCTP, ICMP, ICMPV6, DEST_OPTIONS = 6, 17, 132, 1, 58, 60
SET_SIZE = 65536
RECORDERS = ("in", "sent", "out")  # behind PREROUTING, before OUTPUT, behind OUTPUT

RECORDER = f"""
table inet record {{
    set in4 {{ typeof ip saddr . meta mark; size {SET_SIZE}; flags dynamic; }}
    set in6 {{ typeof ip6 saddr . meta mark; size {SET_SIZE}; flags dynamic; }}
    set out4 {{ typeof ip saddr . meta mark; size {SET_SIZE}; flags dynamic; }}
    set out6 {{ typeof ip6 saddr . meta mark; size {SET_SIZE}; flags dynamic; }}
    set sent4 {{ typeof ip saddr . meta mark; size {SET_SIZE}; flags dynamic; }}
    set sent6 {{ typeof ip6 saddr . meta mark; size {SET_SIZE}; flags dynamic; }}
    chain prerouting {{
        type filter hook prerouting priority -140; policy accept;
        ip saddr 10.192.0.0/10 update @in4 {{ ip saddr . meta mark }} drop
        ip6 saddr fd5e::/16 update @in6 {{ ip6 saddr . meta mark }} drop
    }}
    chain before {{
        type filter hook output priority -160; policy accept;
        ip saddr 10.192.0.0/10 update @sent4 {{ ip saddr . meta mark }}
        ip6 saddr fd5e::/16 update @sent6 {{ ip6 saddr . meta mark }}
    }}
    chain output {{
        type filter hook output priority -140; policy accept;
        ip saddr 10.192.0.0/10 update @out4 {{ ip saddr . meta mark }} drop
        ip6 saddr fd5e::/16 update @out6 {{ ip6 saddr . meta mark }} drop
    }}
}}
"""


def run(*command: str, text: str | None = None) -> str:
    """A program's output; raises with what it said when it fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def enter() -> None:
    """Moves this process into a network namespace of its own, or ends the test as skipped."""
    if os.geteuid() != 0:
        skip("not root")
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        skip(f"no {', '.join(missing)}")
    try:
        enter_new()
    except OSError as error:
        skip(f"no network namespace: {error.strerror}")


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", "").replace("-", ""))


def payload(packet: Packet, sport: int) -> bytes:
    port = packet.port or 0
    if packet.protocol == TCP:
        return struct.pack("!HHIIBBHHH", sport, port, 1, 0, 5 << 4, packet.flags, 1024, 0, 0)
    if packet.protocol == UDP:
        return struct.pack("!HHHH", sport, port, 8 + packet.padding, 0)
    if packet.protocol == SCTP:
        return struct.pack("!HHII", sport, port, 0, 0) + struct.pack("!BBHIIHHI", 1, 0, 20, 1, 1500, 1, 1, 1)  # INIT
    if packet.protocol in (ICMP, ICMPV6):
        return struct.pack("!BBHHH", 8 if packet.protocol == ICMP else 128, 0, 0, 1, 1)
    return bytes(8)


CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def with_checksum(body: bytes, protocol: int, addresses: bytes) -> bytes:
    """The payload as conntrack takes it: one with a wrong checksum belongs to no connection (nf_checksum in utils.c)."""
    if protocol == SCTP:
        return body[:8] + struct.pack("<I", crc32c(body)) + body[12:]
    if protocol not in CHECKSUM_AT:
        return body
    pseudo = b"" if protocol == ICMP else addresses + struct.pack("!II", len(body), protocol)
    data = pseudo + body
    at = CHECKSUM_AT[protocol]
    return body[:at] + struct.pack("!H", checksum(data + bytes(len(data) % 2)) or 0xFFFF) + body[at + 2:]


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def datagram(packet: Packet, source: bytes) -> bytes:
    """The packet from its IP header on."""
    to = ip_address(packet.to).packed
    body = with_checksum(payload(packet, 40000 + source[-1]) + bytes(packet.padding), packet.protocol, source + to)
    if packet.family == 4:
        options = b"\x01\x01\x01\x00" if packet.options else b""
        head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, packet.service_class,
                           20 + len(options) + len(body), 0, 0, packet.hops, packet.protocol, 0) + source + to + options
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body
    following = packet.protocol
    if packet.options:
        body, following = struct.pack("!BB", packet.protocol, 0) + b"\x01\x04\0\0\0\0" + body, DEST_OPTIONS
    return struct.pack("!IHBB", 6 << 28 | packet.service_class << 20, len(body), following, packet.hops) + source + to + body


class Lab:
    """Devices of a director under test. Every device but `lo` and the tunnel is one end of a veth pair."""

    recorder, recorders = RECORDER, RECORDERS

    def __init__(self, ethernet: tuple[str, ...], tunnel: str | None = None):
        self.number = 0
        self.macs, self.sockets, self.marks = {"lo": "00:00:00:00:00:00"}, {}, {}
        self.tunnel, self.tunnel_fd = None, -1
        run("ip", "link", "set", "lo", "up")
        for number, name in enumerate(ethernet):
            self._add_pair(name, f"far{number}", f"02:aa:00:00:00:{number:02x}")
            self._open(name, f"far{number}")
        self._open("lo", "lo")
        if tunnel:
            self._add_tunnel(tunnel)
        run("ip", "route", "add", "default", "dev", ethernet[0])
        run("ip", "-6", "address", "add", "fd00:ffff::1/64", "dev", ethernet[0], "nodad")
        run("ip", "-6", "route", "add", "default", "dev", ethernet[0])
        run("nft", "-f", "-", text=self.recorder)
        self.raw = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
                    6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)}

    def close(self) -> None:
        for sock in (*self.sockets.values(), *self.raw.values()):
            sock.close()
        if self.tunnel:
            os.close(self.tunnel_fd)

    @property
    def devices(self) -> list[str]:
        return [*self.macs, *([self.tunnel] if self.tunnel else [])]

    def _add_pair(self, name: str, far: str, mac: str) -> None:
        run("ip", "link", "add", "name", name, "address", mac, "type", "veth", "peer", "name", far)
        with open(f"/proc/sys/net/ipv6/conf/{far}/disable_ipv6", "w", encoding="ascii") as file:
            file.write("1")
        run("ip", "link", "set", far, "up")
        run("ip", "link", "set", "dev", name, "up")
        self.macs[name] = mac

    def _open(self, name: str, far: str) -> None:
        self.sockets[name] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sockets[name].bind((far, 0))
        self.marks[self.sockets[name]] = 0

    def _add_tunnel(self, name: str) -> None:
        """A device without Ethernet addresses, as a tunnel's end is one; without /dev/net/tun there is none."""
        try:
            self.tunnel_fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(self.tunnel_fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        except OSError as error:
            OMITTED.append(f"no device without Ethernet addresses: {error}")
            return
        run("ip", "link", "set", "dev", name, "up")
        self.tunnel = name

    def _source(self, family: int) -> bytes:
        self.number += 1
        return (SOURCES[family] + self.number).to_bytes(4 if family == 4 else 16, "big")

    def _set_mark(self, sock: socket.socket, mark: int) -> None:
        if self.marks.get(sock, 0) != mark:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, struct.pack("I", mark))
            self.marks[sock] = mark

    def send(self, packet: Packet, source: bytes | None = None) -> bytes:
        """Lets a packet enter the director; returns its source address, by default one not used before."""
        source = source or self._source(packet.family)
        data = datagram(packet, source)
        if packet.device == self.tunnel:
            os.write(self.tunnel_fd, data)
        else:
            sock = self.sockets[packet.device]
            self._set_mark(sock, packet.mark)
            sock.send(mac_bytes(self.macs[packet.device]) + mac_bytes(packet.mac) +
                      struct.pack("!H", ETH_P[packet.family]) + data)
        return source

    def send_own(self, packet: Packet) -> bytes:
        """Lets the director itself send a packet; returns its source address."""
        source = self._source(packet.family)
        sock = self.raw[packet.family]
        self._set_mark(sock, packet.mark)
        try:
            sock.sendto(datagram(packet, source), (packet.to, 0))
        except PermissionError:
            pass  # a chain dropped it, as the recorder does with every one
        return source

    def measure(self, entering: list[Packet], leaving: list[Packet]) -> tuple[list[int], list[int | None]]:
        """The mark of each packet behind PREROUTING, and of each one of the director's own behind OUTPUT (None: it
        was dropped there)."""
        self.forget()
        inward = [self.send(packet) for packet in entering]
        outward = [self.send_own(packet) for packet in leaving]
        seen = self.read()
        for index, packet in enumerate(entering):  # a full queue drops; a second loss is a failure
            if inward[index] not in seen["in"]:
                inward[index] = self.send(packet)
        deadline = time.monotonic() + 10
        while not (seen["in"].keys() >= set(inward) and seen["sent"].keys() >= set(outward)):
            if time.monotonic() > deadline:
                lost = [p for source, p in zip(inward, entering) if source not in seen["in"]]
                lost += [p for source, p in zip(outward, leaving) if source not in seen["sent"]]
                raise RuntimeError(f"{len(lost)} packets never reached the hooks, the first is {lost[0]}")
            time.sleep(0.05)
            seen = self.read()
        return [seen["in"][source] for source in inward], [seen["out"].get(source) for source in outward]

    def forget(self) -> None:
        run("nft", "-f", "-", text="".join(f"flush set inet record {name}{family}\n" for name in self.recorders
                                           for family in (4, 6)))

    def read(self) -> dict[str, dict[bytes, int]]:
        """By recorder, the mark of each source address that it has noted."""
        seen: dict[str, dict[bytes, int]] = {name: {} for name in self.recorders}
        for name, source, mark in self.noted():
            if source in seen[name]:
                raise RuntimeError(f"{ip_address(source)} has two marks, {seen[name][source]:#x} and {mark:#x}")
            seen[name][source] = mark
        return seen

    @staticmethod
    def noted() -> list[tuple[str, bytes, int]]:
        """Every (recorder, source address, mark) there is."""
        noted = []
        for item in json.loads(run("nft", "-j", "list", "table", "inet", "record"))["nftables"]:
            for element in item.get("set", {}).get("elem", []):
                address, mark = element["concat"] if "concat" in element else element["elem"]["val"]["concat"]
                noted.append((item["set"]["name"][:-1], ip_address(address).packed, mark))
        return noted
