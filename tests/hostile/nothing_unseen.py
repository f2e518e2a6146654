"""Whoever reviews a change by `lbc diff` sees all of it: for every statement and option of the language, a change of its
value is a difference that has the old value and the new one. The list of statements comes from the readers themselves,
so a new one without a case here fails."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lbctest.hostile import Case, main, run

ROOT = Path(__file__).resolve().parent.parent.parent
COMPILER = ROOT / "compiler/site"
EVERYTHING = (ROOT / "tests/json/everything.lb").read_text(encoding="utf-8")
# What tests/json/everything.lb has no place for.
MORE = """
defaults { scheduler wrr }
service plain { vip 192.0.2.110; port tcp 90; mark 77; real 192.0.2.171; real 192.0.2.172 forward tun gue port 5600 }
"""
BASE = EVERYTHING + MORE

# A statement or option: what stands in BASE, what stands there after the change, and what the difference names.
CASES = {
    "file director": ("director lb2 {", "director lb3 { mac 02:00:00:00:00:03; address 192.0.2.13, 2001:db8::13; hostname h3 }\n"
                      "director lb2 {", "lb3", "joins the site, MAC 02:00:00:00:00:03, address 192.0.2.13, 2001:db8::13, hostname h3"),
    "file service": ("service any {", "service new { vip 192.0.2.120; port tcp 1; real 192.0.2.121 }\nservice any {",
                     "192.0.2.120:1/tcp", "192.0.2.121"),
    "file pool": ("    real  192.0.2.31\n", "    real  192.0.2.32\n", "192.0.2.31", "192.0.2.32"),
    "file vrrp": ("sync {", "vrrp v9 { vip 192.0.2.110/24; interface eth7; router-id 9; priority lb1 2 }\nsync {", "v9",
                  "192.0.2.110/24", "eth7"),
    "file let": ("198.51.100.0/28", "198.51.100.64/28", "198.51.100.0/28", "198.51.100.64/28"),
    "file defaults": ("defaults { scheduler wrr }", "defaults { scheduler lc }", "wrr to lc"),
    "file sync": ("eth3; id 7", "eth4; id 7", "eth3 to eth4"),
    "file marks": ("0x200-0x2ff", "0x300-0x3ff", "0x200-0x2ff", "0x300-0x3ff"),
    "file guard": ("guard local", "guard drop", "local to drop"),
    "file ipvs": ("ipvs  keepalived", "ipvs  lbc", "keepalived to lbc"),

    "Director mac": ("02:00:00:00:00:02", "02:00:00:00:00:22", "02:00:00:00:00:02", "02:00:00:00:00:22"),
    "Director address": ("address   192.0.2.12", "address   192.0.2.22", "192.0.2.12", "192.0.2.22"),
    "Director interface": ("eth0, bond+", "eth0, team+", "bond+", "team+"),
    "Director hostname": ("lb1.example", "lb9.example", "lb1.example to lb9.example"),

    "Draft description": ('both\\" families', 'two\\" families', "both", "two"),
    "Draft vip": ("vip  192.0.2.103", "vip  192.0.2.113", "192.0.2.103", "192.0.2.113"),
    "Draft port": ("port    udp 5000", "port    udp 5001", "5000", "5001"),
    "Draft mark": ("lb1 3, lb2 4", "lb1 5, lb2 4", "0x3", "0x5"),
    "Draft on": ("lb1 3, lb2 4\n    on          lb1, lb2", "lb1 3\n    on          lb1", "no longer balanced"),
    "Draft interface": ("interface   eth1", "interface   eth9", "eth1", "eth9"),
    "Draft bypass": ("bypass      02:00:00:00:00:99", "bypass      02:00:00:00:00:98", "02:00:00:00:00:99",
                     "02:00:00:00:00:98"),
    "Draft local": ("    local\n", "    local off\n", "own"),
    "Draft scheduler": ("mh mh-port, mh-fallback", "sh sh-port", "mh to sh"),
    "Draft forward": ("port tcp 90; mark 77;", "port tcp 90; mark 77; forward nat;", "dr to nat"),
    "Draft persistent": ("persistent  5m", "persistent  6m", "300s", "360s"),
    "Draft one-packet": ("    one-packet\n", "", "one-packet"),
    "Draft real": ("real 192.0.2.61", "real 192.0.2.62", "192.0.2.61", "192.0.2.62"),
    "Draft sorry": ("sorry 192.0.2.99:81 forward nat", "sorry 192.0.2.98:82 forward nat", "192.0.2.99", "192.0.2.98",
                    "81", "82"),
    "Draft check": ("port 8081", "port 8082", "port 8081 to 8082"),
    "Draft pool": ("    pool        shared\n", "    pool        shared\n    check ping\n", "ping"),
    "Draft quorum": ("quorum      2 hysteresis 1", "quorum      1", "quorum 2 to 1", "hysteresis 1 to unset"),
    "Draft quorum-up": ('"/bin/up web"', '"/bin/up2 web"', "/bin/up web", "/bin/up2 web"),
    "Draft quorum-down": ('"/bin/down web"', '"/bin/down2 web"', "/bin/down web", "/bin/down2 web"),
    "Draft alpha": ("    alpha\n    omega", "    omega", "alpha on to off"),
    "Draft omega": ("    omega\n", "", "omega on to off"),
    "Draft firewalled": ("    omega\n", "    omega\n    firewalled\n", "firewalled off to on"),
    "Draft inhibit-on-failure": ("    omega\n    inhibit-on-failure", "    omega", "inhibit-on-failure on to off"),

    "RealDraft check": ("check ping { every 1s", "check ping { every 9s", "every 1s to 9s"),
    "RealDraft notify-up": ('"/bin/up shop"', '"/bin/up2 shop"', "/bin/up shop", "/bin/up2 shop"),
    "RealDraft notify-down": ('"/bin/down shop"', '"/bin/down2 shop"', "/bin/down shop", "/bin/down2 shop"),
    "RealDraft inhibit-on-failure": ("        inhibit-on-failure\n", "", "inhibit-on-failure on to off"),

    "VrrpDraft vip": ("192.0.2.103/24", "192.0.2.103/25", "192.0.2.103/24", "192.0.2.103/25"),
    "VrrpDraft interface": ("interface     eth0", "interface     eth5", "eth0 to eth5"),
    "VrrpDraft router-id": ("router-id     51", "router-id     55", "51 to 55"),
    "VrrpDraft priority": ("priority      lb1 150", "priority      lb1 151", "150 to 151"),
    "VrrpDraft advert": ("advert        2s", "advert        3s", "2s to 3s"),
    "VrrpDraft nopreempt": ("nopreempt; group all", "group all", "nopreempt on to off"),
    "VrrpDraft preempt-delay": ("preempt-delay 10s", "preempt-delay 11s", "10s to 11s"),
    "VrrpDraft unicast": ("    unicast\n", "", "unicast on to off"),
    "VrrpDraft auth": ('"secret"', '"hidden"', "auth"),
    "VrrpDraft virtual-mac": ("    virtual-mac\n", "", "virtual-mac on to off"),
    "VrrpDraft track": ("eth1, eth2", "eth1, eth6", "eth1, eth2 to eth1, eth6"),
    "VrrpDraft notify": ('"/bin/role"', '"/bin/role2"', "/bin/role", "/bin/role2"),
    "VrrpDraft group": ("nopreempt; group all }", "nopreempt; group other }", "group all to other"),

    "SyncDraft interface": ("interface eth3", "interface eth4", "eth3 to eth4"),
    "SyncDraft id": ("id 7", "id 8", "id 7 to 8"),
    "SyncDraft instance": ("instance public;", "instance public6;", "public to public6"),
    "SyncDraft maxlen": ("maxlen 1400", "maxlen 1500", "1400 to 1500"),
    "SyncDraft group": ("224.0.0.99", "224.0.0.98", "224.0.0.99 to 224.0.0.98"),
    "SyncDraft port": ("port 8850", "port 8851", "8850 to 8851"),
    "SyncDraft ttl": ("ttl 2", "ttl 3", "ttl 2 to 3"),

    "check every": ("every 2s; timeout 250ms", "every 3s; timeout 250ms", "every 2s to 3s"),
    "check timeout": ("timeout 250ms", "timeout 350ms", "250ms to 350ms"),
    "check retries": ("retries 3", "retries 4", "retries 3 to 4"),
    "check retry-delay": ("retry-delay 2s", "retry-delay 3s", "2s to 3s"),
    "check warmup": ("warmup 4s", "warmup 5s", "4s to 5s"),
    "check port": ("udp { port 5000", "udp { port 5002", "5000 to 5002"),
    "check connect": ("connect 192.0.2.40", "connect 192.0.2.42", "192.0.2.40 to 192.0.2.42"),
    "check bind": ("bind 192.0.2.41", "bind 192.0.2.43", "192.0.2.41 to 192.0.2.43"),
    "check alpha": ("warmup 4s; alpha }", "warmup 4s }", "alpha on to off"),
    "check through-vip": ("reply; through-vip }", "reply }", "through-vip on to off"),
    "check payload": ("payload 00FF01", "payload 00FE01", "00ff01 to 00fe01"),
    "check reply": ("reply 1234", "reply 1235", "1234 to 1235"),
    "check reply-length": ("reply-length 4-512", "reply-length 4-513", "4-512 to 4-513"),
    "check path": ('path "/b"', 'path "/c"', '"/b"', '"/c"'),
    "check host": ('host "shop.example"', 'host "shop2.example"', '"shop.example" to "shop2.example"'),
    "check version": ("version 1.1", "version 1.0", "1.1 to 1.0"),
    "check sni": ("status 200; sni }", "status 200 }", "sni on to off"),
    "check helo": ('"mx.example"', '"mx2.example"', '"mx.example" to "mx2.example"'),
    "check name": ('"shop.example."', '"shop2.example."', '"shop.example." to "shop2.example."'),
    "check type": ("type AAAA", "type A", "AAAA to A"),
    "check command": ("/bin/check shop", "/bin/check2 shop", "/bin/check shop", "/bin/check2 shop"),
    "check dynamic": ("dynamic; user root", "user root", "dynamic on to off"),
    "check user": ("user root", "user nobody", "root to nobody"),
    "check instance": ("instance peer1", "instance peer2", "peer1 to peer2"),
    "check track": ("track load", "track load2", "load to load2"),
    "check file": ("/run/load", "/run/load2", "/run/load", "/run/load2"),
    "check weight": ("weight 2 }", "weight 3 }", "weight 2 to 3"),

    "read_check status": ("status 200-299, 302", "status 200-299, 303", "200-299, 302", "200-299, 303"),
    "read_check digest": ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdee",
                          "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdee"),
    "read_check regex": ("ok|fine", "ok|good", "ok|fine", "ok|good"),
    "read_real weight": ("nat weight 7", "nat weight 8", "weight 7 to 8"),
    "read_real forward": ("forward tun ipip", "forward dr", "tun ipip to dr"),
    "read_real connections": ("connections 100-1000", "connections 101-1001", "100-1000", "101-1001"),
    "read_real gre": ("forward tun gre csum", "forward tun", "tun gre csum to tun"),
    "read_real gue": ("forward tun gue port 5600", "forward tun", "tun gue port 5600 to tun"),
    "read_real ipip": ("forward tun ipip", "forward tun gre", "tun ipip to tun gre"),
    "read_real port": ("gue port 5600", "gue port 5700", "5600", "5700"),
    "read_real csum": ("gre csum", "gre", "tun gre csum to tun gre"),
    "read_real remcsum": ("remcsum connections", "csum connections", "remcsum to tun gue port 5555 csum"),
    "read_real nocsum": ("gre csum", "gre nocsum", "tun gre csum to tun gre"),
    "read_service_words engine": (" engine sip", "", "engine sip to 300s netmask 24"),
    "read_service_words netmask": ("netmask 24", "netmask 25", "netmask 24", "netmask 25"),
    "read_service_words hysteresis": ("hysteresis 1", "", "hysteresis 1 to unset"),
    "read_vrrp dev": ("/24 dev eth1", "/24 dev eth8", "dev eth1", "dev eth8"),
    "read_vrrp interface": ("track         interface eth1", "track         interface eth7", "eth1, eth2 to eth7, eth2"),
    "read_vrrp script": ("/bin/true alive", "/bin/true dead", "/bin/true alive", "/bin/true dead"),
    "read_vrrp weight": ("weight -20", "weight -21", "-20 to -21"),
    "read_vrrp every": ("every 3s", "every 4s", "3s to 4s"),
    "read_director off": ("    omega\n", "    omega off\n", "omega on to off"),
}
# Small sites, where what changes is which of several comes first, or a name: the parts of the file for keepalived that
# no statement's value shows. What stands in SMALL, what stands there after the change, and all that is said: a line,
# and whether it is disruptive.
SMALL = """
ipvs keepalived
director lb1 { mac 02:00:00:00:00:01; address 192.0.2.1, 192.0.2.11, 2001:db8::1, 2001:db8::11; interface eth0 }
director lb2 { mac 02:00:00:00:00:02; address 192.0.2.2, 2001:db8::2; interface eth0; hostname h2 }
service web { description "a"; vip 192.0.2.101, 192.0.2.102; port tcp 80; real 192.0.2.71; check tcp through-vip }
service dns { vip 192.0.2.103, 192.0.2.104; port udp 53; real 192.0.2.71; check dns name "x" }
vrrp v { vip 192.0.2.101/24; interface eth0; router-id 5; priority lb1 100, lb2 90; unicast lb1 192.0.2.1 }
vrrp w { vip 192.0.2.102/24, 2001:db8::9/64; interface eth0; router-id 6; priority lb1 100, lb2 90; advert 500ms }
"""
UNHEARD = "until all directors have it, they do not hear each other"
SMALL_CASES = {
    "address of unicast VRRP": (
        "unicast lb1 192.0.2.1 ", "unicast lb1 192.0.2.11 ",
        [(f"vrrp v: unicast address of lb1 192.0.2.1 to 192.0.2.11: {UNHEARD}", True)]),
    "first address, which is not VRRP's": (
        "192.0.2.1, 192.0.2.11", "192.0.2.11, 192.0.2.1",
        [("director lb1: address for checks 192.0.2.1 to 192.0.2.11", False)]),
    "first address, of checks": (
        "2001:db8::1, 2001:db8::11", "2001:db8::11, 2001:db8::1",
        [("director lb1: address for checks 2001:db8::1 to 2001:db8::11", False)]),
    "another address in the first one's place": (
        "192.0.2.2,", "192.0.2.22,",
        [("director lb2: address: added 192.0.2.22; removed 192.0.2.2", False),
         ("director lb2: address for checks 192.0.2.2 to 192.0.2.22", False),
         (f"vrrp v: unicast address of lb2 192.0.2.2 to 192.0.2.22: {UNHEARD}", True)]),
    "families in another order": ("192.0.2.2, 2001:db8::2", "2001:db8::2, 192.0.2.2", []),
    "first VIP of an instance": (
        "192.0.2.102/24, 2001:db8::9/64", "2001:db8::9/64, 192.0.2.102/24",
        [(f"vrrp w: family IPv4 to IPv6: {UNHEARD}", True)]),
    "first VIP, which checks go through": (
        "192.0.2.101, 192.0.2.102", "192.0.2.102, 192.0.2.101",
        [("service web: checks through the VIP: IPv4 192.0.2.101 to 192.0.2.102", False)]),
    "first VIP, which no check goes through": ("192.0.2.103, 192.0.2.104", "192.0.2.104, 192.0.2.103", []),
    "name of a director": (
        "lb1", "lb9", [("director lb9: was called lb1", False),
                       ("director lb9: hostname lb1 to lb9: its machine is the one with that name", False)]),
    "name of a director, not of its host": ("lb2", "lb9", [("director lb9: was called lb2", False)]),
    "host name that is the director's": ("; hostname h2", "; hostname lb2", [
        ("director lb2: hostname h2 to lb2: its machine is the one with that name", False)]),
    "host name said that is the default": ("::11; interface eth0", "::11; interface eth0; hostname lb1", []),
    "name of an instance": ("vrrp v ", "vrrp x ", [("vrrp x: was called v", False)]),
    "quotes in a description": ('"a"', '"a\\" to \\"\\\\b"', [
        ('service web: description "a" to "a\\" to \\"\\\\b"', False)]),
}
SECRETS = ("secret", "hidden")
# Words that are not seen when they change, and why that is right.
UNSEEN = {
    "file include": "the text of an included file stands in its place",
    "read_service_words network": "it says that a warning is not wanted",
}


def statements() -> set[str]:
    """What the readers know, by the table or the file that has it."""
    found = {"file include"}
    for path in COMPILER.glob("*.cpp"):
        text = path.read_text(encoding="utf-8")
        found |= {f"{table} {word}" for table, word in re.findall(r'StatementRule<(\w+)>\{\s*"([\w-]+)"', text)}
        found |= {f"file {word}" for word in re.findall(r'FileRule\{"([\w-]+)"', text)}
        found |= {f"check {word}" for word in re.findall(r'\bOption\{"([\w-]+)"', text)}
        found |= {f"{path.stem} {word}" for word in re.findall(r'in\.(?:option|accept)\("([\w-]+)"\)', text)}
    return found


class NothingUnseen(Case):
    maxDiff = None

    def difference(self, before: str, after: str, *options: str) -> dict:
        self.write("old.lb", before)
        self.write("new.lb", after)
        done = run("diff", "old.lb", "new.lb", "--format", "json", *options, cwd=self.folder)
        self.assertStatus(done, 0)
        return json.loads(done.stdout)

    def test_every_statement_has_a_case(self) -> None:
        known = statements()
        self.assertGreater(len(known), 90)
        self.assertEqual(known, set(CASES) | set(UNSEEN))

    def test_every_change_is_seen(self) -> None:
        for name, (old, new, *shown) in CASES.items():
            with self.subTest(statement=name):
                self.assertIn(old, BASE)
                after = BASE.replace(old, new, 1)
                self.assertNotEqual(after, BASE)
                said = self.difference(BASE, after)
                self.assertTrue(said["differs"])
                lines = [f"{change['subject']}: {change['text']}" for change in said["changes"]]
                for change in said["runs"]:
                    sides = (change["before"], change["after"])
                    lines.append(change["text"])
                    lines += [side["command"] for side in sides if side]
                    if all(sides):
                        lines.append(f"{sides[0]['user']} to {sides[1]['user']}")
                text = "\n".join(lines)
                for value in shown:
                    self.assertIn(value, text)
                for secret in SECRETS:
                    self.assertNotIn(secret, text.replace("the old secret", ""))

    def test_what_comes_first_and_names_are_seen(self) -> None:
        for name, (old, new, lines) in SMALL_CASES.items():
            with self.subTest(change=name):
                self.assertIn(old, SMALL)
                said = self.difference(SMALL, SMALL.replace(old, new))
                self.assertEqual([(f"{change['subject']}: {change['text']}", change["disruptive"])
                                  for change in said["changes"]], lines)
                self.assertEqual(said["differs"], bool(lines))

    def test_a_new_site_has_all_of_its_commands(self) -> None:
        self.write("new.lb", BASE)
        commands = re.findall(r'"(/(?:bin|run)/[^"]+)"', BASE)
        self.assertGreater(len(commands), 7)
        for options in ([], ["--format", "markdown"]):
            done = run("diff", "/dev/null", "new.lb", *options, cwd=self.folder)
            for command in commands:
                self.assertIn(f"+ `{command}`", done.stdout.decode())
        said = json.loads(run("diff", "/dev/null", "new.lb", "--format", "json", cwd=self.folder).stdout)
        self.assertEqual(sorted(change["after"]["command"] for change in said["runs"]), sorted(commands))
        self.assertTrue(all(change["before"] is None for change in said["runs"]))


if __name__ == "__main__":
    main()
