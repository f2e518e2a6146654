"""Time and memory are bounded for every input, by what lists multiply to and not by how many there are: small inputs that
would take minutes or gigabytes end in a message or in "unknown", and big sites that people have go through."""

from __future__ import annotations

import json

from lbctest.hostile import DIRECTORS, SITE, Case, is_sanitized, main, run

MARKS = "marks 0x100000-0xffffff\n"
# lbc's heap reserves 256 MiB of addresses, and the programs' libraries are mapped.
MEMORY = None if is_sanitized() else (3 << 30) // 2
# The builds under a sanitizer are several times slower.
SLOWER = 8 if is_sanitized() else 1


def listed(what: str, count: int, each) -> str:
    return f"{what} {', '.join(each(i) for i in range(count))}; "


def vip(i: int) -> str:
    return f"10.{1 + i // 65536}.{i // 256 % 256}.{i % 256}"


def mac(i: int) -> str:
    return f"02:00:00:01:{i // 256:02x}:{i % 256:02x}"


def multiplied(vips: int, ports: int, interfaces: int, bypass: int) -> str:
    """A service whose lists multiply."""
    text = listed("vip", vips, vip) + listed("port tcp", ports, lambda i: str(1 + 2 * i))
    if interfaces:
        text += listed("interface", interfaces, lambda i: f"e{i}")
    if bypass:
        text += listed("bypass", bypass, mac)
    return MARKS + DIRECTORS + f"service web {{ {text}real lb1; real lb2 }}\n"


def services(count: int, more=lambda i: f"vip {vip(i)}; port tcp 80; ") -> str:
    return MARKS + DIRECTORS + "".join(f"service s{i} {{ {more(i)}real lb1; real lb2 }}\n" for i in range(count))


IPVS = MARKS + "ipvs keepalived\n"


# One director and as many real servers as its service can have with a check.
DIRECTOR = DIRECTORS.splitlines(keepends=True)[0]
REALS = "".join(f"real 10.{2 + i // 16}.{i % 16 * 16}.0-10.{2 + i // 16}.{i % 16 * 16 + 15}.255; " for i in range(60))


def checks(count: int) -> str:
    return "".join(f"check tcp port {i + 1}; " for i in range(count))


def checked(reals: str, count: int) -> str:
    return IPVS + DIRECTORS + f"service web {{ vip 10.1.0.1; port tcp 80; {reals}{checks(count)}}}\n"


def pooled(pool: str, count: int) -> str:
    return (IPVS + DIRECTORS + f"pool p {{ {pool}}}\n" +
            "".join(f"service s{i} {{ vip {vip(i)}; port tcp 80; pool p }}\n" for i in range(count)))


def nft(*items: dict) -> str:
    table = {"table": {"family": "inet", "name": "theirs", "handle": 1}}
    chain = {"chain": {"family": "inet", "table": "theirs", "name": "c", "handle": 1, "type": "filter",
                       "hook": "prerouting", "prio": 0, "policy": "accept"}}
    return json.dumps({"nftables": [table, *(item for item in items if "set" in item), chain,
                                    *(item for item in items if "rule" in item)]})


def nft_set(types: list[str] | str, elements: list) -> dict:
    return {"set": {"family": "inet", "table": "theirs", "name": "s", "handle": 2, "type": types, "flags": ["interval"],
                    "elem": elements}}


def nft_rule(*statements: dict) -> dict:
    return {"rule": {"family": "inet", "table": "theirs", "chain": "c", "handle": 3, "expr": list(statements)}}


def payload(field: str, protocol: str = "ip6") -> dict:
    return {"payload": {"protocol": protocol, "field": field}}


FULL = {"range": ["::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"]}  # 254 prefixes


class Bounded(Case):
    def lbc(self, *words, text: str | None = None, cpu: int = 60):
        return run(*words, text=text, cpu=cpu * SLOWER, memory=MEMORY, seconds=600)

    def refused(self, site: str, *parts: str) -> None:
        for command in (["check"], ["compile"], ["diff", "/dev/null"]):
            done = self.lbc(*command, "-", text=site, cpu=20)
            self.assertStatus(done, 2)
            for part in (*parts, "[too-large]"):
                self.assertIn(part, done.stderr.decode())


class Sites(Bounded):
    def test_vips_times_interfaces_times_macs(self) -> None:
        self.refused(multiplied(150, 1, 150, 150), "150 VIPs times 150 interfaces times 150 MACs of `bypass`", "1000000")

    def test_vips_times_ports(self) -> None:
        self.refused(multiplied(5000, 5000, 0, 0), "5000 VIPs times 5000 ranges of ports", "prefixes")

    def test_services_together(self) -> None:
        many = services(300, lambda i: listed("vip", 200, lambda v: vip(200 * i + v)) +
                        listed("port tcp", 200, lambda p: str(1 + 2 * p)))
        self.refused(many, "the site's directors together have more than 4000000")

    def test_directors(self) -> None:
        self.refused("".join(f"director d{i} {{ mac {mac(i)}; address {vip(i)}; interface eth0 }}\n"
                             for i in range(2000)), "each of 2000 directors")

    def test_words_that_names_stand_for(self) -> None:
        lets = "let a0 = 1000\n" + "".join(f"let a{i + 1} = $a{i}, $a{i}\n" for i in range(16))
        self.refused(MARKS + DIRECTORS + lets + "".join(
            f"service s{i} {{ vip {vip(i)}; port tcp $a15; real lb1; real lb2 }}\n" for i in range(200)),
            "names stand for more than 4000000 words")


    def test_checks_times_real_servers(self) -> None:
        self.refused(checked("real 10.2.0.0-10.2.15.255; ", 1999),
                     "16375808 checks of real servers, which count 8 each", "fewer checks")

    def test_paths_of_checks(self) -> None:
        paths = "\n".join(f'path "/{i}"' for i in range(2000))
        self.refused(IPVS + DIRECTORS + f"service web {{ vip 10.1.0.1; port tcp 80; real 10.2.0.0-10.2.15.255; "
                     f"check http {{ {paths} }} }}\n", "16384000 checks of real servers")

    def test_checks_of_a_pool_times_services(self) -> None:
        """The first services are too much already, so no rule looks at the rest."""
        pool = "real 10.2.0.0-10.2.0.255; " + checks(299)
        self.refused(pooled(pool, 1500), "checks of real servers, which count 8 each", "fewer checks")

    def test_checks_that_are_read(self) -> None:
        """A pool's are made for each service, those of a real server for each address."""
        self.refused(pooled("real 10.2.0.1; " + checks(1999), 5000), "more than 500000 checks", "fewer checks")
        self.refused(checked(f"real 10.2.0.0-10.2.15.255 {{ {checks(1999)} }} ", 0), "more than 500000 checks")


class Comparisons(Bounded):
    def test_kinds_of_packets(self) -> None:
        """As many combinations as a service may have: there is no saying whether packets fare differently, and none that
        they do not."""
        site = self.write("site.lb", multiplied(60, 1, 60, 60))
        done = self.lbc("diff", "/dev/null", site, cpu=240)
        self.assertStatus(done, 0)
        self.assertIn(b"what becomes of packets is not compared", done.stdout)
        self.assertNotIn(b"no difference", done.stdout)
        self.assertEqual(self.lbc("diff", "--exit-code", "/dev/null", site, cpu=240).returncode, 1)

    def test_an_interface_and_a_bypass_each(self) -> None:
        """Sources that no rule of an interface asks for are not told apart there."""
        site = self.write("site.lb", services(300, lambda i: f"vip 192.0.2.1; port tcp {i + 1}; interface e{i}; "
                                                             f"bypass {mac(i)}; "))
        done = self.lbc("diff", "/dev/null", site, cpu=15)
        self.assertStatus(done, 0)
        self.assertIn(b" changes, 0 disruptive", done.stdout)


class Dumps(Bounded):
    def verify(self, dump: str, cpu: int = 40):
        return self.lbc("verify", self.write("site.lb", SITE), "-d", "lb1", "--against", self.write("dump.json", dump),
                        cpu=cpu)

    def test_depth_of_json(self) -> None:
        deep = "[" * 100_000 + "]" * 100_000
        for dump in ('{"nftables":[{"rule":{"expr":[{"weird":%s}]}}]}' % deep, '{"nftables":' + '{"a":' * 100_000,
                     '{"nftables":' + "[" * 1_000_000):
            where = [self.write("site.lb", SITE), "-d", "lb1", "--against", self.write("dump.json", dump)]
            for command in (["verify"], ["trace", "--to", "192.0.2.10:80"]):
                done = self.lbc(*command, *where, cpu=20)
                self.assertStatus(done, 2)
                self.assertIn(b"it nests deeper than 64 levels", done.stderr)

    def test_prefixes_of_concatenated_ranges(self) -> None:
        """lbc knows one destination of an element; what has two is not looked into."""
        for columns in (2, 3, 4):
            done = self.verify(nft(nft_set(["ipv6_addr"] * columns, [{"concat": [FULL] * columns}] * 3)), cpu=10)
            self.assertNotIn(b"cannot", done.stderr)
            self.assertIn(done.returncode, (0, 1))

    def test_a_mark_by_a_concatenation_is_unknown(self) -> None:
        mark = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 4096}}
        look = {"match": {"op": "==", "left": {"concat": [payload("saddr", "ip"), payload("daddr", "ip")]}, "right": "@s"}}
        pair = {"concat": [{"range": ["10.0.0.1", "10.0.0.254"]}, {"range": ["192.0.2.1", "192.0.2.254"]}]}
        done = self.verify(nft(nft_set(["ipv4_addr", "ipv4_addr"], [pair]), nft_rule(look, mark)))
        self.assertStatus(done, 1)
        self.assertNotIn(b"every packet has", done.stdout)

    def test_elements_of_all_sets(self) -> None:
        sets = []
        for i in range(40):
            one = nft_set("ipv6_addr", [FULL] * 400)
            one["set"]["name"] = f"s{i}"
            sets.append(one)
        self.assertIn(self.verify(nft(*sets)).returncode, (0, 1))

    def test_rules_times_elements(self) -> None:
        """Each rule becomes one for each element of the set that it asks, and a table with too many is unknown."""
        look = {"match": {"op": "==", "left": payload("daddr"), "right": "@s"}}
        done = self.verify(nft(nft_set("ipv6_addr", [FULL] * 40), *[nft_rule(look, {"accept": None})] * 1000))
        self.assertStatus(done, 1)
        self.assertNotIn(b"every packet has", done.stdout)

    def test_chains_times_base_chains(self) -> None:
        """Each base chain may lead to every other chain, and stands before or behind every other one."""
        named = {"family": "inet", "table": "t"}
        count = range(20_000)
        match = {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "192.0.2.9"}}
        mark = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 9}}
        bases = [{"chain": {**named, "name": f"b{i}", "type": "filter", "hook": "prerouting", "prio": i % 1000}}
                 for i in count]
        others = [{"chain": {**named, "name": f"c{i}"}} for i in count]

        def rules(chain: str, effect) -> list[dict]:
            return [{"rule": {**named, "chain": f"{chain}{i}", "expr": [match, effect(i)]}} for i in count]

        for items in (bases + rules("b", lambda i: mark),
                      bases + others + rules("b", lambda i: {"jump": {"target": "c0"}}) +
                      rules("c", lambda i: {"jump": {"target": f"c{min(i + 1, count[-1])}"}})):
            done = self.verify(json.dumps({"nftables": [{"table": {"family": "inet", "name": "t"}}, *items]}), cpu=20)
            self.assertStatus(done, 1)

    def test_ports_times_rules(self) -> None:
        """Rules that lbc does not know, of packets that others have cut by port."""
        rules = [f"-A PREROUTING -p tcp --dport {2 * i + 1} -m weird -j MARK --set-mark {i + 1}" for i in range(3000)]
        rules += ["-A PREROUTING -p tcp -m weird -j MARK --or-mark 1"] * 6000
        dump = self.write("dump.rules", "\n".join(["*mangle", ":PREROUTING ACCEPT", *rules, "COMMIT", ""]))
        done = self.lbc("verify", self.write("site.lb", SITE), "-d", "lb1", "--against", dump, cpu=120)
        self.assertStatus(done, 1)
        self.assertNotIn(b"every packet has", done.stdout)


class BigSites(Bounded):
    """What people have is not refused."""

    def test_many_services(self) -> None:
        site = self.write("site.lb", services(50_000))
        for command in (["check"], ["compile", "-d", "lb1"]):
            self.assertStatus(self.lbc(*command, site, cpu=60), 0)

    def test_difference_of_many_services(self) -> None:
        old = self.write("old.lb", services(10_000))
        new = self.write("new.lb", services(10_000).replace("port tcp 80;", "port tcp 81;", 1))
        done = self.lbc("diff", old, new, cpu=120)
        self.assertStatus(done, 0)
        self.assertNotIn(b"not compared", done.stdout)
        self.assertIn(b":81/tcp", done.stdout)

    def test_interfaces_and_macs_of_many_services(self) -> None:
        directors = "".join(f"director lb{i} {{ mac {mac(i)}; address 172.16.0.{i + 1}; interface e0, e1, e2, e3 }}\n"
                            for i in range(5))
        bypass = "defaults { " + listed("bypass", 8, lambda i: mac(1000 + i)) + "}\n"
        many = "".join(f"service s{i} {{ vip {vip(i)}; port tcp 80; real lb0; real lb1 }}\n" for i in range(10_000))
        done = self.lbc("check", "-", text=MARKS + directors + bypass + many)
        self.assertStatus(done, 0)

    def test_checks_of_many_services(self) -> None:
        site = self.write("site.lb", pooled('real 172.16.0.1-172.16.0.10; check http { path "/" } ', 10_000))
        self.assertStatus(self.lbc("check", site), 0)
        self.assertStatus(self.lbc("compile", "--emit", "keepalived", "-d", "lb1", site, cpu=120), 0)

    def test_checks_of_a_service(self) -> None:
        """What is the same is found without a look at all of them."""
        site = self.write("site.lb", checked("real 10.2.0.0-10.2.0.15; ", 12_000))
        self.assertStatus(self.lbc("compile", "--emit", "keepalived", "-d", "lb1", site, cpu=30), 0)
        site = self.write("site.lb", IPVS.replace("0xffffff", "0x1ffffff") + DIRECTOR +
                          f"service web {{ vip 10.1.0.1; port tcp 80; {REALS}check tcp {{ through-vip }} }}\n")
        self.assertStatus(self.lbc("compile", "--emit", "keepalived", "-d", "lb1", site, cpu=20), 0)

    def test_ports_of_checks(self) -> None:
        """A service's ports are not walked through for each of its real servers."""
        ports = listed("port tcp", 30_000, lambda i: str(1001 + 2 * i))
        done = self.lbc("check", "-", cpu=10,
                        text=IPVS + DIRECTOR + f"service web {{ vip 10.1.0.1; {ports}{REALS}check tcp }}\n")
        self.assertStatus(done, 2)
        self.assertIn(b"has no port", done.stderr)

    def test_a_network_of_vips(self) -> None:
        site = MARKS + DIRECTORS + "service web { vip 192.0.2.0/24; port any; real lb1; real lb2 }\n"
        for command in (["check", "-"], ["compile", "--prove", "-"], ["diff", "/dev/null", "-"]):
            self.assertStatus(self.lbc(*command, text=site), 0)

    def test_many_rules_of_others(self) -> None:
        site = self.write("site.lb", SITE)
        own = self.lbc("compile", "--emit", "iptables", "-d", "lb1", site).stdout.decode()
        theirs = "".join(f"-A BLOCKED -s 10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32 -j DROP\n" for i in range(400_000))
        dump = ("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:BLOCKED - [0:0]\n"
                "-A INPUT -j BLOCKED\n" + theirs + "COMMIT\n")
        done = self.lbc("verify", site, "-d", "lb1", "--against", self.write("dump.rules", own + dump))
        self.assertStatus(done, 0)
        self.assertIn(b"packet has the site's mark", done.stdout)


if __name__ == "__main__":
    main()
