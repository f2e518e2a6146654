#include "backends/emit/sh/sh.hpp"
#include "backends/restore/script_heading.hpp"
#include "compiler/base/shell_quote.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace lbc;

namespace {

Ruleset one_rule(Site const& site, MarkTable const& table, Family family) {
    Ruleset ruleset;
    ruleset.family = family;
    Chain chain{std::string(marks_chain), {}};
    for (MarkClass const& entry : table.classes) {
        if (entry.family() == family) {
            Rule rule;
            rule.when.destination = entry.destination;
            rule.then = SetMark{entry.mark};
            rule.comment = site.services[entry.service].name.value;
            chain.rules.push_back(rule);
        }
    }
    if (!chain.rules.empty()) {
        ruleset.chains = {chain};
        ruleset.entry_jumps = {{"PREROUTING", Rule{{}, Jump{chain.name}, ""}}};
    }
    return ruleset;
}

struct Sample {
    Site site;
    std::array<Plan, 2> plans;

    Sample() {
        site.directors.resize(2);
        site.directors[0].name.value = "lb1";
        site.directors[0].hostname = "lb1.example";
        site.directors[0].macs = {{*MacAddress::parse("08:00:27:9e:ef:a0"), {}},
                                  {*MacAddress::parse("00:00:5e:00:01:33"), {}}};
        site.directors[1].name.value = "lb-2.b";
        site.directors[1].hostname = "lb-2.b";
        Service web;
        web.name.value = "web";
        web.description = "$(reboot) `reboot`\nEND";
        web.on = {{DirectorId{0}, Fwmark{3}, false, {}}, {DirectorId{1}, Fwmark{4}, false, {}}};
        site.services = {web};
        for (std::size_t i = 0; i < plans.size(); ++i) {
            plans[i].director = DirectorId{i};
            MarkClass entry;
            entry.destination = Prefix::host(*IpAddress::parse("192.0.2.1"));
            entry.mark = web.on[i].mark;
            plans[i].marks.classes = {entry};
            VirtualService service;
            service.mark = entry.mark;
            plans[i].services = {service};
        }
    }

    [[nodiscard]] std::string script() const { return sh_script(site, plans, one_rule); }
};

} // namespace

TEST_SUITE("sh") {
    TEST_CASE("a word in single quotes") {
        CHECK(shell_quote("a b") == "'a b'");
        CHECK(shell_quote("it's") == "'it'\\''s'");
        CHECK(shell_quote("") == "''");
    }

    TEST_CASE("each director is known by name, host name and MAC, but not by a virtual MAC") {
        std::string const script = Sample().script();
        CHECK(script.contains("    'name/lb1' | 'host/lb1.example' | 'mac/08:00:27:9e:ef:a0') director='lb1' ;;\n"));
        CHECK(script.contains("    'name/lb-2.b' | 'host/lb-2.b') director='lb-2.b' ;;\n"));
        CHECK(script.contains("\ndirectors='lb1 lb-2.b'\n"));
    }

    TEST_CASE("rules and services stand in quoted here-documents, a family without rules not at all") {
        std::string const script = Sample().script();
        CHECK(script.contains("    'lb1/ipv4') cat <<'END' ;;\n"
                              ":LBC - [0:0]\n"
                              "\n"
                              "# web\n"
                              "-A LBC -d 192.0.2.1/32 -j MARK --set-xmark 0x3/0xffffffff\n"
                              "\n"
                              "-A PREROUTING -j LBC\n"
                              "END\n"));
        CHECK(script.contains("    'lb-2.b/services') cat <<'END' ;;\n"
                              "# web: $(reboot) `reboot` END\n"
                              "-A -f 4 -s wlc\n"
                              "END\n"));
        CHECK_FALSE(script.contains("'lb1/ipv6'"));
    }

    TEST_CASE("the marks of every director are the site's, also in a script for one") {
        Sample const sample;
        std::string const line = "\nfirst_mark=256 last_mark=4095 own_marks='3 4'\n";
        CHECK(sample.script().contains(line));
        CHECK(sh_script(sample.site, std::span(sample.plans).first(1), one_rule).contains(line));
    }

    TEST_CASE("with keepalived as owner there are marks alone, and the script says so") {
        Sample sample;
        sample.site.ipvs = IpvsOwner::keepalived;
        std::string const script = sample.script();
        CHECK(script.contains("# The virtual services of this site are keepalived's"));
        CHECK(script.contains("\nipvs=keepalived\n"));
        CHECK_FALSE(script.contains("/services')"));
    }

    TEST_CASE("sync daemons in both roles, where no VRRP instance steers them") {
        Sample sample;
        sample.site.sync = Sync{};
        sample.site.sync->interface = "eth'1";
        sample.site.sync->id = 7;
        std::string const script = sample.script();
        CHECK(script.contains("\nsync=yes #"));
        CHECK(script.contains("\nsync_daemon() { \"$@\" --mcast-interface 'eth'\\''1' --syncid 7; }\n"));
        CHECK(script.contains("*'(mcast=eth'\\''1, syncid=7, maxlen='*', group=224.0.0.81, port=8848, ttl=1)')"));
        sample.site.sync->instance = 0;
        CHECK(sample.script().contains("\nsync=no #"));
    }

    TEST_CASE("backup-only sets the switch") {
        Sample sample;
        CHECK(sample.script().contains("\nsysctls=''\n"));
        sample.plans[0].backup_only = true;
        CHECK(sample.script().contains("\nsysctls='/proc/sys/net/ipv4/vs/backup_only=1'\n"));
    }

    TEST_CASE("equal sites give equal bytes") { CHECK(Sample().script() == Sample().script()); }

    TEST_CASE("for nft the same, with sets and rules, and nothing of iptables") {
        Sample const sample;
        auto const script = sh_script(sample.site, sample.plans, one_rule, MarkTool::nft);
        CHECK(script.starts_with(script_heading_of_nft));
        CHECK_FALSE(script.starts_with(script_heading));
        CHECK(script.contains("    'lb1/sets') cat <<'END' ;;\n# Made where it is missing"));
        CHECK(script.contains("    'lb-2.b/rules') cat <<'END' ;;\n# All rules change"));
        CHECK(script.contains("    'lb-2.b/services') cat <<'END' ;;\n"));
        CHECK_FALSE(script.contains("IPTABLES"));
        CHECK_FALSE(sample.script().contains("$NFT"));
    }
}
