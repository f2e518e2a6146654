"""Makes what fuzzers begin with out of what is there: dictionaries of the words that lbc's readers know, sites, pairs
of them and foreign tables as other tests draw them, and messages of a kernel. `seeds.py FOLDER`"""

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path
from random import Random

from lbctest import draw, edits, keepalived_sites
from lbctest.draw_rules import Rules
from lbctest.model import Packet

ROOT = Path(__file__).parent.parent.parent
DRAWN = 20  # of each kind
WORD = re.compile(r'"(-{0,2}[A-Za-z][A-Za-z0-9_-]*)"')
SOURCES = {
    "site": ["compiler/site/read_*.cpp", "compiler/site/values.cpp", "compiler/site/resolve.cpp", "compiler/site/load.cpp",
             "compiler/site/service_draft.hpp"],
    "rules": ["backends/restore/r*.cpp", "backends/ipset/ipset_text.cpp", "backends/nft/nft_json_value.cpp",
              "backends/nft/read_nft_json.cpp", "backends/nft/nft_words.cpp"],
}
EXTRA = {"site": ["192.0.2.1", "2001:db8::1", "/24", "02:00:00:00:00:01", "0-65535", "%% new\\x0a", "$"],
         "rules": ["-A LBC", ":LBC - [0:0]", "*mangle", "COMMIT", "[1:2] ", "#ipset ", "0x3/0xffffffff",
                   "{\\\"nftables\\\":["]}


def dictionary(name: str) -> str:
    words = set(EXTRA[name])
    for pattern in SOURCES[name]:
        for path in ROOT.glob(pattern):
            words.update(WORD.findall(path.read_text(encoding="utf-8")))
    return "".join(f'"{word}"\n' for word in sorted(words))


def attribute(number: int, payload: bytes) -> bytes:
    size = 4 + len(payload)
    return struct.pack("=HH", size, number) + payload + bytes(-size % 4)


def text(number: int, value: str) -> bytes:
    return attribute(number, value.encode() + b"\0")


def attributes(form: str, **by_number: int) -> bytes:
    return b"".join(attribute(int(name[1:]), struct.pack(form, value)) for name, value in by_number.items())


def nested(number: int, *parts: bytes) -> bytes:
    return attribute(number, b"".join(parts))


def ipvs_messages() -> dict[str, bytes]:
    """linux/ip_vs.h"""
    half = attributes("=H", _1=2)
    service = nested(1, half, attributes("=I", _5=3), text(6, "wlc"), attribute(7, struct.pack("=II", 1, 0xffffffff)),
                     attributes("=I", _8=300, _9=0xffffff), text(11, "sip"))
    address = nested(1, half, attributes("=H", _2=6), attribute(3, bytes([192, 0, 2, 1]) + bytes(12)),
                     attributes(">H", _4=80), text(6, "rr"))
    real = nested(2, attribute(1, bytes([10, 0, 0, 1]) + bytes(12)), attributes(">H", _2=80),
                  attributes("=I", _3=3, _4=1, _5=0, _6=0, _7=1, _8=2, _9=3), attributes("=H", _11=2))
    daemon = nested(3, attributes("=I", _1=1), text(2, "eth1"), attributes("=I", _3=7), attributes("=H", _4=1472))
    return {"service": service, "address": address, "real": real, "daemon": daemon}


def ipset_message() -> bytes:
    """linux/netfilter/ipset/ip_set.h"""
    entry = nested(0x8007, nested(0x8001, attribute(0x4001, bytes([192, 0, 2, 1]))), attribute(0x4004, b"\0\x50"),
                   attribute(7, b"\x06"), attribute(0x401b, struct.pack(">II", 3, 0xffffffff)))
    return attribute(1, b"\x06") + text(2, "LBC-4-0123456789abcdef") + text(3, "hash:ip,port") + nested(0x8008, entry)


def nft_message() -> bytes:
    """linux/netfilter/nf_tables.h: nfgenmsg, table, set, elements"""
    first = nested(0x8001, attribute(0x8001, bytes([192, 0, 2, 1])))
    behind = nested(0x8001, attribute(0x8001, bytes([192, 0, 2, 2])))
    element = nested(0x8001, first, nested(0x8002, attribute(0x8001, b"\3\0\0\0")))
    end = nested(0x8001, behind, attribute(3, struct.pack(">I", 1)))
    return bytes([1, 0, 0, 0]) + text(1, "lbc") + text(2, "s") + nested(0x8003, element, end)


def byte_seeds() -> dict[str, bytes]:
    """By the number of their reader in fuzz_bytes.cpp."""
    listing = b"100644 blob 0123\tsite.lb\x00120000 blob 0456\ta\x00100644 0789 0\tb/c.lb\x00160000 commit 0abc\td\0"
    seeds = {
        "manifest": b"\0lb1/iptables.rules\nreal/192.0.2.1/networkd/10-lbc.network\nrules.sh\n",
        "record": b"\1lbc record 1\nmark 0x3\nsysctl net.ipv4.vs.conn_reuse_mode 1\nsync\nreload\n",
        "git-tree": b"\2" + listing + b'\xffinclude "b/*.lb"\n',
        "ipset": b"\6" + ipset_message(),
    }
    for name, message in ipvs_messages().items():
        seeds[f"ipvs-{name}"] = b"\5" + message
    for shape in (0x00, 0x40, 0x80, 0xc0, 0xc1, 0x43):
        seeds[f"nft-message-{shape:02x}"] = bytes([7, shape]) + nft_message()
        key = bytes([4, 192, 0, 2, 1]) + bytes(28) + bytes([0]) + bytes(32)
        seeds[f"nft-keys-{shape:02x}"] = bytes([8, shape]) + key + key.replace(b"\xc0\0\2\1", b"\xc0\0\2\5")
    return seeds


def site_of_keepalived(number: int) -> str:
    return keepalived_sites.Draw(Random(number)).site()


def pair_of_sites(number: int) -> list[str]:
    rng = Random(number)
    one = draw.Draw(rng)
    old = one.site()
    new, _ = edits.Editor(rng, one).edited(old, rng.choice((1, 2, 4)), edits.ALL)
    return [old.to_lb(), new.to_lb()]


def foreign_tables(number: int) -> str:
    packets = [Packet(to="192.0.2.100", protocol=6, port=443, device="eth0", mac="02:00:5e:10:00:02"),
               Packet(to="192.0.2.101", protocol=17, port=10500, device=None, mac=None)]
    own = (ROOT / "tests/golden/dual-stack/edge1/iptables.rules").read_text(encoding="utf-8")
    rules = Rules(Random(number), packets, [0x20])
    return rules.table("raw").text() + own + rules.table("filter").text()


def write_drawn(out: Path) -> None:
    for number in range(DRAWN):
        (out / f"emit/drawn-{number}.lb").write_text(site_of_keepalived(number), encoding="utf-8")
        pair = pair_of_sites(number)
        (out / f"emit/drawn-marks-{number}.lb").write_text(pair[0], encoding="utf-8")
        (out / f"diff/drawn-{number}.lb").write_text("%% new\n".join(pair), encoding="utf-8")
        (out / f"dump/drawn-{number}.rules").write_text(foreign_tables(number), encoding="utf-8")


def main() -> None:
    out = Path(sys.argv[1])
    for name in ("site", "tables", "emit", "diff", "dump", "bytes"):
        (out / name).mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        (out / f"{name}.dict").write_text(dictionary(name), encoding="utf-8")
    for case in sorted((ROOT / "tests/diff/cases").iterdir()):
        pair = [(case / side).read_bytes() for side in ("old.lb", "new.lb")]
        (out / "diff" / f"{case.name}.lb").write_bytes(b"%% new\n".join(pair))
    everything = (ROOT / "tests/json/everything.lb").read_bytes()
    (out / "diff/everything.lb").write_bytes(everything + b"%% new\n" + everything.replace(b"weight 0", b"weight 1"))
    write_drawn(out)
    for name, message in byte_seeds().items():
        (out / "bytes" / name).write_bytes(message)


main()
