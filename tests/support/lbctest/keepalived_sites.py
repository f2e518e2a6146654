"""Random sites, as text, with everything that keepalived has a word for."""

from __future__ import annotations

from random import Random


class Draw:
    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.six = rng.random() < 0.4

    def maybe(self, text: str, chance: float = 0.3) -> str:
        return text if self.rng.random() < chance else ""

    def some(self, *texts: str) -> str:
        return " ".join(self.maybe(f"{text};") for text in texts if text)

    def site(self) -> str:
        count = self.rng.choice((2, 2, 3))
        self.directors = [f"lb{i + 1}" for i in range(count)]
        blocks = ["ipvs keepalived" if self.rng.random() < 0.9 else "ipvs lbc", "guard off"]
        for i, name in enumerate(self.directors, 1):
            blocks.append(f"director {name} {{ mac 02:00:00:00:00:0{i}; address 10.0.0.{i}, fd00::{i}; interface eth0 "
                          f"{self.maybe(f'; hostname {name}.example')} }}")
        vrrps = self.rng.randrange(0, 4)
        blocks += [self.vrrp(i) for i in range(vrrps)]
        if self.rng.random() < 0.4:
            instance = f"instance v{self.rng.randrange(vrrps)};" if vrrps else ""
            blocks.append("sync { interface eth1; " + instance + self.some("id 3", "maxlen 1400", "group 224.0.0.9",
                                                                           "port 8849", "ttl 3") + " }")
        blocks += [self.service(i) for i in range(self.rng.randrange(1, 4))]
        return "\n".join(blocks) + "\n"

    def vrrp(self, i: int) -> str:
        rng = self.rng
        family = rng.choice((4, 6)) if self.six else 4
        vips = [f"10.1.{i}.{n}/24" if family == 4 else f"fd01::{i}:{n}/64" for n in range(1, rng.choice((2, 3, 40)))]
        if self.six and rng.random() < 0.3:
            vips.append(f"fd02::{i}/128" if family == 4 else f"10.2.{i}.1/32")
        vips[0] += self.maybe(" dev eth1")
        members = rng.sample(self.directors, rng.randrange(2, len(self.directors) + 1))
        priorities = ", ".join(f"{name} {rng.randrange(1, 255)}" for name in members)
        words = [f"vip {', '.join(vips)}", "interface eth0", f"router-id {10 + i}", f"priority {priorities}"]
        words.append(self.some(rng.choice(("advert 1s", "advert 250ms", "advert 3s")),
                               rng.choice(("nopreempt", "preempt-delay 3s", "preempt-delay 1500ms")), "unicast",
                               'auth "se $\\\\c"', "virtual-mac", "track interface eth1, eth2, eth0",
                               'track script "/bin/true a b" every 2s' + self.maybe(" weight -30"),
                               'track script "/bin/true" weight 20', 'notify "/bin/true x y"',
                               f"group g{rng.randrange(2)}"))
        return f"vrrp v{i} {{ {'; '.join(words)} }}"

    def forward(self) -> str:
        return "forward " + self.rng.choice(("dr", "dr", "nat", "tun", "tun gre", "tun gre csum", "tun gue port 5555",
                                             "tun gue port 5555 remcsum"))

    def check(self) -> str:
        common = self.some(self.rng.choice(("every 2s", "every 500ms")), "timeout 3s", "retries 2", "retry-delay 1500ms", "warmup 0",
                           "alpha")
        port = self.maybe("port 8080;", 0.7)
        connect = self.some("connect 10.0.0.77", "bind 10.0.0.1") if self.rng.random() < 0.6 else "through-vip;"
        return self.rng.choice((
            f"check ping {{ {common} }}",
            f"check tcp {{ {common} {port} {connect} }}",
            f"check udp {{ port 53; {common} {self.some('payload 00a1', 'reply 12', 'reply-length 1-40')} }}",
            f'check http {{ path "/a b" status 200, 300-399; {common} {port} '
            + self.some('path "/$x" regex "^a[0-9]+$"', 'host "www.example"', "version 1.1") + " }",
            f'check https {{ path "/" digest "0123456789abcdef0123456789abcdef"; {common} {port} '
            + self.some("sni") + " }",
            f"check smtp {{ {common} {port} {connect} " + self.some('helo "mx.example"') + " }",
            f'check dns {{ name "example.com"; {common} {port} ' + self.some("type A") + " }",
            f"check script {{ command \"/bin/true 'a b' c\"; {common} " + self.some("dynamic", "user root") + " }",
            "check bfd instance core",
            "check file { track load; weight 3 }",
        ))

    def real(self, address: str, forward: str) -> str:
        rng = self.rng
        inner = "\n".join([*(self.check() for _ in range(rng.choice((0, 0, 1, 2)))),
                          self.some('notify-up "/bin/true up"', 'notify-down "/bin/true down"', "inhibit-on-failure")])
        return (f"real {address} weight {rng.choice((0, 1, 1, 3, 100))} {forward} "
                + self.maybe(rng.choice(("connections 100", "connections 10-100"))) + (f" {{ {inner} }}" if inner.strip() else ""))

    def service(self, i: int) -> str:
        rng = self.rng
        families = ["10.1", "fd01"] if self.six and rng.random() < 0.6 else ["10.1"]
        ports = rng.choice(("tcp 80", "tcp 80, 443", "udp 53", "any", "tcp 25", "sctp 9"))
        words = [f"vip {', '.join(f'10.9.{i}.1' if f == '10.1' else f'fd09::{i}' for f in families)}", f"port {ports}",
                 f"mark {100 + i}"]
        for f in families:
            for n in range(rng.randrange(1, 5)):
                address = f"10.3.{i}.{n + 1}" if f == "10.1" else f"fd03::{i}:{n + 1}"
                words.append(self.real(address, self.maybe(self.forward())))
        words.append(self.some(rng.choice(("scheduler rr", "scheduler mh mh-port, mh-fallback", "scheduler sh sh-port",
                                           "scheduler twos", "scheduler wlc flag-3")),
                               self.forward(), rng.choice(("persistent", "persistent 60s netmask 24", "persistent 5m engine sip")),
                               rng.choice(("quorum 1", "quorum 2 hysteresis 1", "quorum 3")), "alpha", "omega",
                               "inhibit-on-failure", 'description "a } b"'))
        words += [self.check() for _ in range(rng.choice((0, 1, 2)))]
        if ports == "udp 53":
            words.append(self.maybe("one-packet"))
        for f in families:
            words.append(self.maybe(f"sorry {'10.3.0.99' if f == '10.1' else 'fd03::99'} "
                                    + self.maybe(self.forward())))
        newline = "\n    "
        return f"service s{i} {{ {newline.join(word for word in words if word.strip())} }}"
