#!/usr/bin/python3
"""The script of `lbc compile --emit sh --backend nft`, in the namespaces of run.py, with a real nft.

    nft_script.py LBC SITE...
"""

import json
import re
import shutil

import run
from lbctest.project import skip

FOREIGN = """
table inet lbc-other {
    chain prerouting {
        type filter hook prerouting priority -200;
        iifname "eth7" counter packets 5 bytes 500 meta mark set 0x10
    }
}
"""


def nft(*arguments, text=None) -> str:
    done = run.run("nft", *arguments, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def script_of(site):
    return run.script_of(site, "--backend", "nft")


def listing() -> list[str]:
    """Elements of a hash come in any order."""
    text = nft("list", "ruleset")
    return sorted(re.sub(r"elements = \{(.*?)\}", lambda m: " ".join(sorted(re.split(r",\s*", m[1].strip()))), text,
                         flags=re.S).splitlines())


class NftScript(run.Case):
    def setUp(self):
        super().setUp()
        nft("flush", "ruleset")

    def sites(self):
        """Each with its script and a director's name."""
        for site in (run.HERE / "site.lb", *run.EXAMPLES):
            script = script_of(site)
            yield site, script, re.search("^directors='([^ ']*)", script.read_text(), re.MULTILINE)[1]

    def each_shell(self):
        for shell in run.SHELLS:
            self.setUp()
            yield {"shell": shell, "LBC_ONLY": "marks"}

    def test_every_script_is_clean(self):
        for site in (run.HERE / "later.lb", run.HERE / "keepalived.lb", *(site for site, *_ in self.sites())):
            for checker in (("shellcheck", "-s", "sh"), ("dash", "-n"), ("busybox", "sh", "-n")):
                with self.subTest(site=str(site), checker=checker):
                    done = run.run(*checker, script_of(site))
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_it_leaves_what_the_text_alone_leaves(self):
        """Also a second time, and whatever was there."""
        for how in self.each_shell():
            for site, script, name in self.sites():
                self.go(script, "apply", name, **how)
                after = listing()
                self.go(script, "apply", name, **how)
                self.assertEqual(listing(), after)
                nft("flush", "ruleset")
                nft("-f", "-", text=run.run(run.LBC, "compile", site, "-d", name, "--emit", "nft").stdout)
                self.assertEqual(listing(), after)
            self.go(script, "remove", **how)
            self.assertEqual(listing(), [])
            self.go(script, "remove", **how)

    def test_other_tables_stay(self):
        nft("-f", "-", text=FOREIGN)
        before = nft("-a", "list", "ruleset")
        for site in ("site.lb", "later.lb", "site.lb"):
            self.go(script_of(run.HERE / site), "apply", "lb1", LBC_ONLY="marks")
            after = nft("-a", "list", "ruleset")
            self.assertTrue(after.startswith(before), after)
        self.go(script_of(run.HERE / "site.lb"), "remove", LBC_ONLY="marks")
        self.assertEqual(nft("-a", "list", "ruleset"), before)

    def test_nothing_of_the_site_is_interpreted(self):
        for how in self.each_shell():
            self.go(script_of(run.HERE / "site.lb"), "apply", "lb1", **how)
            self.assertFalse((run.SCRATCH / "hacked").exists())

    def fake_nft(self, fails_at: int):
        """An nft of which the load with this number fails; the check before them is none."""
        count = run.SCRATCH / "count"
        count.write_text("0")
        return run.program(run.SCRATCH / "bad" / "nft", f"""
            case $*, in *-c*) exec nft "$@" ;; -f*) ;; *) exec nft "$@" ;; esac
            n=$(($(cat {count}) + 1)); echo $n >{count}
            [ $n != {fails_at} ] || {{ echo "no memory" >&2; exit 1; }}
            exec nft "$@"
        """)

    def test_a_run_that_ends_between_two_steps(self):
        """Whichever step it is: the rules are the old ones or the new, and the next run finishes."""
        old, new = script_of(run.HERE / "later.lb"), script_of(run.HERE / "site.lb")
        self.go(new, "apply", "lb1", LBC_ONLY="marks")
        wanted = listing()
        rules = {}
        for script in (old, new):
            self.go(script, "apply", "lb1", LBC_ONLY="marks")
            rules[script] = self.rules()
        for step in range(1, 6):
            self.go(old, "apply", "lb1", LBC_ONLY="marks")
            said = self.go(new, "apply", "lb1", status=1, LBC_ONLY="marks", NFT=str(self.fake_nft(step)))
            self.assertIn("no memory", said)
            self.assertEqual(self.rules(), rules[old if step < 3 else new], f"step {step}")
            self.go(new, "apply", "lb1", LBC_ONLY="marks")
            self.assertEqual(listing(), wanted)

    def rules(self) -> list[str]:
        """The rules, with the elements that they find, by whatever name."""
        text = re.sub("b_", "", nft("list", "chain", "inet", "lbc", "prerouting"))
        used = sorted(re.findall("@(\\w+)", nft("list", "chain", "inet", "lbc", "prerouting")))
        found = []
        for name in used:
            kind = "set" if name.endswith("peers") else "map"
            elements = json.loads(nft("-j", "list", kind, "inet", "lbc", name))["nftables"][1][kind].get("elem", [])
            found.append(name.removeprefix("b_") + str(sorted(map(json.dumps, elements))))
        return text.splitlines() + sorted(found)

    def test_rules_that_nft_does_not_take(self):
        nft("-f", "-", text="table inet lbc { set peers { type ipv4_addr; }; }\n")
        before = nft("list", "ruleset")
        said = self.go(script_of(run.HERE / "site.lb"), "apply", "lb1", status=3)
        self.assertIn("nft does not take the rules; nothing was changed", said)
        self.assertEqual(nft("list", "ruleset"), before)
        self.assertFalse(self.state.exists(), "ipvsadm has changed something")

    def test_without_nft(self):
        script = script_of(run.HERE / "site.lb")
        said = self.go(script, "apply", "lb1", status=3, NFT="/nonexistent/nft")
        self.assertIn("there is no /nonexistent/nft; nothing was changed", said)
        self.go(script, "apply", "lb1", NFT="/nonexistent/nft", LBC_ONLY="ipvs")
        self.go(script, "remove", NFT="/nonexistent/nft")
        self.assertEqual(listing(), [])

    def test_show(self):
        script = script_of(run.HERE / "site.lb")
        self.assertNotIn("table", self.go(script, "show"))
        self.go(script, "apply", "lb1")
        said = self.go(script, "show")
        self.assertIn("# nft list table inet lbc\ntable inet lbc {\n", said)
        self.assertIn("FWM  3 sh\n", said)

    def test_chains_of_iptables_are_told(self):
        for kind in run.KINDS:
            self.setUp()
            self.go(run.script_of(run.HERE / "site.lb"), "apply", "lb1", kind=kind)
            said = self.go(script_of(run.HERE / "site.lb"), "apply", "lb1")
            for family in ("ip", "ip6"):
                self.assertIn(f"lbc: {family}tables-{kind} has chains of lbc in its mangle table", said)
            self.go(run.script_of(run.HERE / "site.lb"), "remove", kind=kind)
            self.assertNotIn("chains of lbc", self.go(script_of(run.HERE / "site.lb"), "apply", "lb1"))

    def test_a_script_for_iptables_tells_of_others(self):
        by_iptables = run.script_of(run.HERE / "site.lb")
        self.go(script_of(run.HERE / "site.lb"), "apply", "lb1")
        for kind, other in zip(run.KINDS, reversed(run.KINDS)):
            said = self.go(by_iptables, "apply", "lb1", kind=kind)
            self.assertIn("lbc: nftables has the table inet lbc, which marks too", said)
            self.assertNotIn(f"tables-{kind} has", said)
            self.assertIn(f"lbc: ip6tables-{kind} has chains", self.go(by_iptables, "apply", "lb1", kind=other))
            self.go(by_iptables, "remove", kind=kind)
            self.go(by_iptables, "remove", kind=other)
        self.go(script_of(run.HERE / "site.lb"), "remove")
        self.assertNotIn("marks too", self.go(by_iptables, "apply", "lb1"))


if __name__ == "__main__":
    if not shutil.which("nft"):
        skip("missing here: nft")
    run.enter()
    run.main()
