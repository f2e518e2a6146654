"""Hosts on one bridge, each in a network namespace of its own, all in this process: servers that answer with their
name, a client that sends from ports of its choice, and a count of every frame on the wire.

The VIPs are on the NIC of the director that is active for them and on `lo` of every other server, and no server answers
ARP for what is on `lo`. Who is active is what the client's neighbour entry says, so nothing depends on the time that an
announcement takes. Everything ends with the process.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time

from lbctest.hosts import Host
from lbctest.namespaces import Inside, new_namespace
from lbctest.wire import Copies, inner_packet

PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 1, 1
SO_RCVBUFFORCE = 33
IP_FREEBIND, IPV6_FREEBIND = 15, 78
PATIENCE = 4.0  # seconds; nothing that is answered takes as long, and what is lost costs this once for all flows
GRACE = 0.7  # the same where as many answers have come as are expected: for one more, which would be wrong
SETTLED = 0.5  # for a connection that is not answered; its first packet has been balanced long before


def is_ipv6(address: str) -> bool:
    return ":" in address


class World:
    """`directors` and `reals` are names; every one of them serves. `vips` are addresses with the director that is
    active for each at first, or an empty name: VRRP's choice. `ports` are those of TCP and UDP on which all serve."""

    def __init__(self, directors: list[str], reals: list[str], vips: dict[str, str], ports: tuple[int, ...] = (80,),
                 serve_vips: bool = True):
        self.wire = new_namespace()
        self.client = Host("client", 10)
        self.directors = [Host(name, 11 + i) for i, name in enumerate(directors)]
        self.reals = [Host(name, 31 + i) for i, name in enumerate(reals)]
        self.hosts = {host.name: host for host in [self.client, *self.directors, *self.reals]}
        self.servers = [*self.directors, *self.reals]
        self.active = dict(vips)
        self.next_port = 20000
        self.asked = 0
        self.errors: list[str] = []  # of flows that were not answered
        self.make_network(serve_vips)
        self.selector = selectors.DefaultSelector()
        for host in self.servers:
            self.serve(host, list(vips), ports)
        threading.Thread(target=self.answer, daemon=True).start()
        self.capture = self.open_capture()

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    # ---- network

    def make_network(self, serve_vips: bool) -> None:
        with Inside(self.wire):
            lines = ["link add br0 type bridge", "link set br0 up"]
            for host in self.hosts.values():
                lines += [f"link add v-{host.name} type veth peer name eth0 address {host.mac} "
                          f"netns /proc/{os.getpid()}/fd/{host.namespace}",
                          f"link set v-{host.name} master br0 up"]
            subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)
        for host in self.hosts.values():
            # Before the addresses, so that nothing is announced that is not to be.
            for path in ("all", "default", "eth0", "lo"):
                host.sysctl(f"ipv4/conf/{path}/rp_filter", 0)
                if host is not self.client:
                    host.sysctl(f"ipv4/conf/{path}/arp_ignore", 1)
                    host.sysctl(f"ipv4/conf/{path}/arp_announce", 2)
            host.sysctl("ipv6/conf/all/accept_dad", 0)
            host.sysctl("ipv6/conf/eth0/accept_dad", 0)
            lines = ["link set lo up", "link set eth0 up", f"addr add {host.address}/24 dev eth0",
                     f"addr add {host.address6}/64 dev eth0 nodad"]
            if host is not self.client:
                for vip, active in self.active.items():
                    if active == host.name or serve_vips:
                        lines.append(self.address_line("add", host, vip, active))
            host.ip(*lines)
        self.point_client(*self.active)

    @staticmethod
    def address_line(verb: str, host: Host, vip: str, active: str) -> str:
        nodad = " nodad" if is_ipv6(vip) and verb == "add" else ""
        return f"addr {verb} {vip}/{128 if is_ipv6(vip) else 32} dev {'eth0' if host.name == active else 'lo'}{nodad}"

    def point_client(self, *vips: str) -> None:
        lines = []
        for vip in vips:
            lines.append(f"route replace {vip} dev eth0")
            if self.active[vip]:  # else whoever announces it
                lines.append(f"neigh replace {vip} lladdr {self[self.active[vip]].mac} dev eth0 nud permanent")
        self.client.ip(*lines)

    def move(self, to: str, *vips: str) -> None:
        """Makes another director the active one."""
        for name in {self.active[vip] for vip in vips} | {to}:
            host, lines = self[name], []
            for vip in vips:
                if name in (self.active[vip], to):
                    lines += [self.address_line("del", host, vip, self.active[vip]),
                              self.address_line("add", host, vip, to)]
            host.ip(*lines)
        self.active.update(dict.fromkeys(vips, to))
        self.point_client(*vips)

    def remembered(self, director: str, vip: str, kind: str) -> dict[int, str]:
        """The server that a director's IPVS has chosen for each of the client's flows."""
        names = {socket.inet_pton(socket.AF_INET6 if is_ipv6(address) else socket.AF_INET, address): host.name
                 for host in self.servers for address in (host.address, host.address6)}
        wanted = socket.inet_pton(socket.AF_INET6 if is_ipv6(vip) else socket.AF_INET, vip)
        # Not /proc/net, which is the namespace of the first thread.
        with Inside(self[director].namespace), open("/proc/thread-self/net/ip_vs_conn", encoding="ascii") as file:
            lines = [line.split() for line in file]
        found = {}
        for protocol, _, sport, to, _, real, *_ in lines[1:]:
            address, server = (bytes.fromhex(text.replace(":", "").strip("[]")) for text in (to, real))
            if protocol == kind.upper() and address == wanted:
                found[int(sport, 16)] = names[server]
        return found

    @staticmethod
    def tunnel_lines(host: Host) -> list[str]:
        """The ends of the tunnels that IPVS sends through. Its source can be the VIP, which is an address here too."""
        return [f"link add tun0 type ipip local {host.address}", "link set tun0 up",
                f"link add tun6 type ip6tnl mode ip6ip6 local {host.address6} allow-localremote", "link set tun6 up"]

    # ---- servers

    def serve(self, host: Host, vips: list[str], ports: tuple[int, ...]) -> None:
        with Inside(host.namespace):
            for port in ports:
                self.listen(host, port)
                for address in [*vips, host.address, host.address6]:
                    # One for each address, so that an answer comes from where the question went.
                    server = socket.socket(socket.AF_INET6 if is_ipv6(address) else socket.AF_INET, socket.SOCK_DGRAM)
                    server.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
                    if is_ipv6(address):
                        server.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
                    server.bind((address, port))
                    self.selector.register(server, selectors.EVENT_READ, (host.name, "udp"))

    def answer(self) -> None:
        while True:
            for key, _ in self.selector.select():
                name, kind = key.data
                try:
                    if kind == "listen":
                        self.selector.register(key.fileobj.accept()[0], selectors.EVENT_READ, (name, "tcp"))
                    elif kind == "udp":
                        _, sender = key.fileobj.recvfrom(65536)
                        key.fileobj.sendto(name.encode(), sender)
                    elif key.fileobj.recv(65536):
                        key.fileobj.sendall(name.encode())
                    else:
                        raise ConnectionError
                except OSError:
                    if kind == "tcp":
                        self.selector.unregister(key.fileobj)
                        key.fileobj.close()

    def listen(self, host: Host, port: int) -> None:
        with Inside(host.namespace):
            listener = socket.socket(socket.AF_INET6)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::", port))
        listener.listen(128)
        self.selector.register(listener, selectors.EVENT_READ, (host.name, "listen"))

    def stop_listening(self, host: Host) -> None:
        """Ends its TCP listeners."""
        for key in [key for key in self.selector.get_map().values() if key.data == (host.name, "listen")]:
            self.selector.unregister(key.fileobj)
            key.fileobj.close()

    # ---- client

    def ports(self, count: int) -> list[int]:
        """Ports that no flow has had: IPVS remembers a connection longer than a scene takes."""
        first, self.next_port = self.next_port, self.next_port + count
        return list(range(first, first + count))

    def open_flows(self, vip: str, port: int, sports: list[int], kind: int) -> dict[int, socket.socket]:
        """A socket for each port, connected or on its way."""
        flows = {}
        with Inside(self.client.namespace):
            for sport in sports:
                flow = socket.socket(socket.AF_INET6 if is_ipv6(vip) else socket.AF_INET, kind)
                flow.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if kind == socket.SOCK_STREAM:
                    # Closed by a reset, so that the port is free again at once.
                    flow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                flow.bind(("::" if is_ipv6(vip) else "", sport))
                flow.setblocking(False)
                try:
                    flow.connect((vip, port))
                except OSError as error:
                    if not isinstance(error, BlockingIOError):
                        self.errors.append(f"{sport}: connect: {error}")
                        flow.close()
                        continue
                flows[sport] = flow
                if kind == socket.SOCK_STREAM:
                    self.settle(flow)
        return flows

    @staticmethod
    def settle(flow: socket.socket) -> None:
        """Waits for a connection to be made, so that schedulers see them in order."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(flow, selectors.EVENT_WRITE)
            waiting.select(SETTLED)

    def ask(self, flows: dict[int, socket.socket], question: bytes, expected: int | None = None) -> dict[int, str]:
        """The name that answered each flow; a flow that nobody answered is not in it. `expected` is how many answers
        there should be, where it is not all; it shortens the wait for one more."""
        answers: dict[int, str] = {}
        with selectors.DefaultSelector() as waiting:
            for sport, flow in flows.items():
                try:
                    flow.send(question)
                    waiting.register(flow, selectors.EVENT_READ, sport)
                except OSError as error:
                    self.errors.append(f"{sport}: send: {error}")
            end = time.monotonic() + PATIENCE
            while waiting.get_map() and (left := end - time.monotonic()) > 0:
                for key, _ in waiting.select(left):
                    waiting.unregister(key.fileobj)
                    try:
                        if answer := key.fileobj.recv(65536):
                            answers[key.data] = answer.decode()
                    except OSError as error:
                        self.errors.append(f"{key.data}: receive: {error}")
                    if len(answers) == expected:
                        end = min(end, time.monotonic() + GRACE)
        return answers

    def tcp(self, vip: str, count: int = 12, port: int = 80, sports: list[int] | None = None,
            expected: int | None = None) -> dict[int, str]:
        """New connections: the name that answered each."""
        flows = self.open_flows(vip, port, sports or self.ports(count), socket.SOCK_STREAM)
        answers = self.ask(flows, b"tcp", expected)
        for flow in flows.values():
            flow.close()
        return answers

    def udp(self, vip: str, count: int = 12, port: int = 80, sports: list[int] | None = None,
            size: int = 16, expected: int | None = None) -> dict[int, str]:
        """One packet from each port; the flow is the same as before where the port is."""
        flows = self.open_flows(vip, port, sports or self.ports(count), socket.SOCK_DGRAM)
        self.asked += 1
        # Every packet is another one, also where IPv6 has no identification.
        answers = self.ask(flows, str(self.asked).encode().ljust(size), expected)
        for flow in flows.values():
            flow.close()
        return answers

    # ---- the wire

    def open_capture(self) -> socket.socket:
        with Inside(self.wire):
            capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
            capture.bind(("br0", 0))
            index = socket.if_nametoindex("br0")
        capture.setsockopt(263, PACKET_ADD_MEMBERSHIP, struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b""))
        capture.setblocking(False)
        return capture

    def copies(self) -> Copies:
        """Of the client's packets since the last call. Loops are over when the TTL is, which is at once."""
        time.sleep(0.3)
        found = Copies()
        while True:
            try:
                frame, address = self.capture.recvfrom(65536)
            except BlockingIOError:
                return found
            if address[2] != 4:  # PACKET_OUTGOING would be the bridge's own copy
                self.count(frame, found)

    def count(self, frame: bytes, found: Copies) -> None:
        packet = inner_packet(frame)
        if packet is None:
            return
        source, ttl, key = packet
        if source in (self.client.address, self.client.address6):
            found.seen[key] += 1
            found.sent[key] += frame[6:12] == bytes.fromhex(self.client.mac.replace(":", ""))
            found.lowest_ttl[key] = min(ttl, found.lowest_ttl.get(key, 255))


def site(world: World, services: str, extra: str = "") -> str:
    """A site file of the world's directors."""
    text = extra + "\n"
    for host in world.directors:
        text += f"director {host.name} {{ mac {host.mac}; address {host.address}, {host.address6}; interface eth0 }}\n"
    return text + services + "\n"


def write_site(text: str, path: str = "/run/site.lb") -> str:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def apply_all(world: World, text: str) -> None:
    """`lbc apply` on every director."""
    path = write_site(text)
    for host in world.directors:
        host.lbc("apply", path, "-d", host.name)


def note(text: str) -> None:
    """A line of a scene's own, for the table of the guards."""
    print(text, file=sys.stderr, flush=True)
