#!/usr/bin/python3
"""Sends one TCP SYN as a raw frame: packet.py INTERFACE FROM-MAC TO-MAC FROM-ADDRESS TO-ADDRESS PORT (IPv4)."""
import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(source, destination, port):
    tcp = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 5 << 4, 0x02, 64240, 0, 0)
    pseudo = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, socket.IPPROTO_TCP, 0) + source + destination
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + tcp


def main():
    interface, from_mac, to_mac, source, destination, port = sys.argv[1:]
    packet = syn(socket.inet_aton(source), socket.inet_aton(destination), int(port))
    frame = bytes.fromhex(to_mac.replace(":", "")) + bytes.fromhex(from_mac.replace(":", "")) + b"\x08\x00" + packet
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((interface, 0))
        raw.send(frame)


if __name__ == "__main__":
    main()
