#include "cli/program/environment.hpp"

#include "tests/support/machine.hpp"
#include "tests/support/memory_files.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

using namespace lbc;

namespace {

constexpr auto two_boxes =
    "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1, 2001:db8::1 }\n"
    "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2, 2001:db8::2; hostname box2.example }\n"
    "service web { vip 10.9.9.1, 2001:db8::9; port tcp 80; mark 3; real lb1; real lb2 }\n";

/// A machine with one good file and one bad one.
struct SiteMachine : test::Machine {
    explicit SiteMachine(std::string site = two_boxes)
        : Machine({{"site.lb", std::move(site)},
                   {"bad.lb", "service web { vip 10.9.9.1; port tcp 70000; real 10.0.0.7 }\n"}}) {}
};

bool has(std::ostringstream const& stream, std::string_view text) {
    return stream.str().find(text) != std::string::npos;
}

/// What `apply` asks once the change is made: it is no part of it.
bool looks_at_all_rules(std::string_view call) { return call == "read nftables" || call.starts_with("read netfilter"); }

} // namespace

TEST_CASE("help and version are answers, wrong usage is status 2") {
    SiteMachine m;
    CHECK(m.run({"--version"}) == 0);
    CHECK(m.run({"--help"}) == 0);
    CHECK(has(m.out, "compile"));
    for (auto const* command : {"check", "fmt", "compile", "diff", "trace", "verify", "apply", "remove", "status",
                                "confirm", "rollback", "explain"}) {
        CHECK(m.run({command, "--help"}) == 0);
        CHECK_FALSE(m.out.str().empty());
    }
    CHECK(m.run({}) == 2);
    CHECK(m.run({"chekc", "site.lb"}) == 2);
    CHECK(m.run({"compile", "site.lb", "--emit", "perl"}) == 2);
    CHECK(m.run({"compile", "site.lb", "--emit", "all"}) == 2);
    CHECK(m.run({"compile", "site.lb", "--emit", "all", "-o", "-"}) == 2);
    CHECK(m.run({"compile", "site.lb", "--check"}) == 2);
    CHECK(m.run({"compile", "site.lb", "--emit", "sh", "--check", "-o", "-"}) == 2);
    CHECK(m.run({"compile", "site.lb", "--emit", "networkd", "--real", "lb1"}) == 2);
    CHECK(m.run({"compile", "site.lb", "--real", "lb1"}) == 2);
    CHECK(m.run({"compile", "site.lb", "-o", ""}) == 2);
    CHECK(m.run({"compile", "site.lb", "-d", ""}) == 2);
    CHECK(m.run({"apply", "site.lb", "--only", "rules"}) == 2);
    CHECK(m.run({"apply", "site.lb", "--drain", "3s", "--confirm-within", "1m"}) == 2);
    CHECK(m.run({"apply", "site.lb", "--only", "marks", "--wait", "soon"}) == 2);
    CHECK(m.kernel.log.empty());
}

TEST_CASE("an error in the file is status 2, and the kernel is not asked") {
    SiteMachine m;
    for (auto const& arguments : {std::vector<std::string>{"check", "bad.lb"},
                                  {"compile", "bad.lb"},
                                  {"apply", "bad.lb", "--only", "marks", "-d", "lb1"},
                                  {"check", "no-such.lb"}}) {
        CHECK(m.run(arguments) == 2);
        CHECK(m.out.str().empty());
        CHECK(has(m.err, "; nothing was written") == (arguments.front() != "check"));
    }
    CHECK(m.kernel.log.empty());
    CHECK(m.run({"check", "bad.lb", "--message-format", "json"}) == 2);
    CHECK(has(m.err, "\"id\":\"port-range\""));
}

TEST_CASE("check counts when asked") {
    SiteMachine m;
    CHECK(m.run({"check", "site.lb"}) == 0);
    CHECK(m.out.str().empty());
    CHECK(m.run({"check", "-v", "site.lb"}) == 0);
    CHECK(m.out.str() == "site.lb: directors 2, services 1, real servers 4, vrrp 0, errors 0, warnings 0\n"
                         "proved: no packet is balanced twice\n");
}

TEST_CASE("compile speaks of one director where its output can hold only one") {
    SiteMachine m;
    CHECK(m.run({"compile", "site.lb", "--emit", "iptables"}) == 2);
    CHECK(has(m.err, "lb1, lb2"));
    CHECK(m.run({"compile", "site.lb", "--emit", "iptables", "-d", "lb2"}) == 0);
    CHECK(has(m.out, "--mac-source 02:00:00:00:00:01"));
    CHECK(m.run({"compile", "site.lb", "-d", "lb3"}) == 2);
    CHECK(has(m.err, "did you mean `lb1`?"));
}

TEST_CASE("compile speaks of one machine of real servers where its output can hold only one") {
    SiteMachine m("director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1, fd00::1 }\n"
                  "service web { vip 10.9.9.1, 2001:db8::9; port tcp 80; real lb1; real 10.0.0.7; real 2001:db8::7\n"
                  "real 10.0.0.8 forward nat }\n");
    CHECK(m.run({"compile", "site.lb", "--emit", "ifupdown"}) == 2);
    CHECK(has(m.err, "`--emit ifupdown` is for one machine; name it with --real: lb1, 10.0.0.7, 2001:db8::7"));
    CHECK(m.run({"compile", "site.lb", "--emit", "ifupdown", "--real", "10.0.0.8"}) == 2);
    CHECK(has(m.err, "`10.0.0.8` is no real server by `dr` or `tun` of this site; it has: lb1, 10.0.0.7, 2001:db8::7"));
    CHECK(m.run({"compile", "site.lb", "--emit", "ifupdown", "-d", "lb1"}) == 0);
    CHECK(has(m.out, "for lb1."));
    CHECK(m.run({"compile", "site.lb", "--emit", "ifupdown", "--real", "10.0.0.7", "--real", "2001:db8::7"}) == 0);
    CHECK(has(m.out, "replace 10.9.9.1/32 "));
    CHECK(has(m.out, "replace 2001:db8::9/128 "));
    CHECK(m.run({"compile", "site.lb", "--emit", "realserver"}) == 0);
    CHECK(has(m.out, "\nnames='lb1 10.0.0.7 2001:db8::7'\n"));
}

TEST_CASE("a site of nat alone asks nothing of its real servers") {
    SiteMachine m("director lb1 { address 10.0.0.1 }\n"
                  "service web { vip 10.9.9.1; port tcp 80; forward nat; real 10.0.0.7 }\n");
    CHECK(m.run({"compile", "site.lb", "--emit", "realserver"}) == 2);
    CHECK(has(m.err, "no real server of this site is reached by `dr` or `tun`"));
}

TEST_CASE("a director is found by name, by host name and by MAC") {
    SiteMachine m;
    auto const dry = [&](Host& host) {
        return m.run({"apply", "site.lb", "--only", "marks", "--dry-run"}, &host) == 0 ? m.out.str().substr(0, 4)
                                                                                       : "none";
    };
    test::NamedHost by_name("lb1.example.net");
    test::NamedHost by_hostname("box2.example");
    test::NamedHost by_mac("elsewhere", {*MacAddress::parse("02:00:00:00:00:02")});
    test::NamedHost stranger("elsewhere", {*MacAddress::parse("02:00:00:00:00:99")});
    CHECK(dry(by_name) == "lb1:");
    CHECK(dry(by_hostname) == "lb2:");
    CHECK(dry(by_mac) == "lb2:");
    CHECK(dry(stranger) == "none");
    CHECK(has(m.err, "lb1, lb2"));
    CHECK(m.writes() == 0);
}

TEST_CASE("a MAC of VRRP says nothing about which director a machine is") {
    SiteMachine m("director a { mac 02:00:00:00:00:01, 00:00:5e:00:01:33 }\n"
                  "director b { mac 02:00:00:00:00:02, 00:00:5e:00:01:33 }\n"
                  "service web { vip 10.9.9.1; port tcp 80; real 10.0.0.7 }\n");
    auto const moving = *MacAddress::parse("00:00:5e:00:01:33");
    test::NamedHost only_moving("elsewhere", {moving});
    CHECK(m.run({"apply", "site.lb", "--only", "marks", "--dry-run"}, &only_moving) == 2);
    CHECK(has(m.err, "name one with -d: a, b"));
    test::NamedHost has_own("elsewhere", {moving, *MacAddress::parse("02:00:00:00:00:02")});
    CHECK(m.run({"apply", "site.lb", "--only", "marks", "--dry-run"}, &has_own) == 0);
    CHECK(m.out.str().starts_with("b:"));
}

TEST_CASE("the whole host name of one director goes before the first label of another's") {
    SiteMachine m("director box { mac 02:00:00:00:00:01 }\n"
                  "director other { mac 02:00:00:00:00:02; hostname box.example }\n"
                  "service web { vip 10.9.9.1; port tcp 80; real 10.0.0.7 }\n");
    test::NamedHost whole("box.example");
    test::NamedHost label("box.elsewhere");
    CHECK(m.run({"apply", "site.lb", "--only", "marks", "--dry-run"}, &whole) == 0);
    CHECK(m.out.str().starts_with("other:"));
    CHECK(m.run({"apply", "site.lb", "--only", "marks", "--dry-run"}, &label) == 0);
    CHECK(m.out.str().starts_with("box:"));
}

TEST_CASE("compile warns of what its kind cannot hold, once for each place") {
    SiteMachine m("guard backup-only\n"
                  "director a { mac 02:00:00:00:00:01; interface eth0 }\n"
                  "director b { mac 02:00:00:00:00:02; interface eth0 }\n"
                  "vrrp v { vip 10.9.9.1/24; interface eth0; router-id 5; priority a 9, b 8 }\n"
                  "sync { interface eth0; instance v }\n"
                  "service web { vip 10.9.9.1; port tcp 80; real 10.0.0.7; alpha; omega }\n");
    auto const limits = [&](std::string const& kind) {
        CHECK(m.run({"compile", "site.lb", "-d", "a", "--emit", kind}) == 0);
        std::size_t count = 0;
        for (auto at = m.err.str().find("[not-in-output]"); at != std::string::npos;
             at = m.err.str().find("[not-in-output]", at + 1))
            ++count;
        return count;
    };
    CHECK(limits("json") == 0);
    CHECK(limits("iptables") == 1);
    CHECK(has(m.err, "the marks cannot represent guard backup-only (1 in this site); set net.ipv4.vs.backup_only=1"));
    CHECK(limits("ip6tables") == 1);
    CHECK(limits("sh") == 3);
    CHECK(has(m.err, "the script cannot represent alpha (1 in this site), omega (1 in this site); keepalived"));
    CHECK(limits("ipvsadm") == 4);
    CHECK(has(m.err, "ipvsadm's input cannot represent guard backup-only"));
}

TEST_CASE("compile warns of forwarding that a real server's machine cannot take") {
    SiteMachine m("director a { mac 02:00:00:00:00:01 }\n"
                  "service web { vip 10.9.9.1; port tcp 80; forward tun gre csum; real 10.0.0.7 }\n"
                  "service too { vip 10.9.9.2; port tcp 80; forward tun gre; real 10.0.0.7 }\n"
                  "service gue { vip 10.9.9.3; port tcp 80; forward tun gue port 5555; real 10.0.0.7 }\n");
    CHECK(m.run({"compile", "site.lb", "--emit", "realserver"}) == 0);
    CHECK(has(m.err,
              "site.lb:3:64: warning: a real server cannot represent gre with csum beside gre without (1 in this "
              "site); the first form is taken, and packets in the other are dropped [not-in-output]"));
    CHECK_FALSE(has(m.err, "networkd"));
    CHECK(m.run({"compile", "site.lb", "--emit", "networkd", "-o", "/dev/null"}) == 3);
    CHECK(has(m.err, "systemd-networkd cannot represent gre with csum (1 in this site)"));
    CHECK(has(m.err, "systemd-networkd cannot represent gue (1 in this site)"));
}

TEST_CASE("apply writes both families once, and nothing the second time") {
    SiteMachine m;
    CHECK(m.run({"apply", "site.lb", "--only", "marks"}) == 0);
    CHECK(m.writes() == 2);
    CHECK_FALSE(m.kernel.tables[0].empty());
    CHECK_FALSE(m.kernel.tables[1].empty());
    CHECK(m.run({"apply", "site.lb", "--only", "marks"}) == 0);
    CHECK(m.out.str() == "lb1: nothing differs, nothing written\n");
    CHECK(m.writes() == 2);
    CHECK(m.run({"apply", "site.lb", "--only", "marks", "-d", "lb2", "--dry-run"}) == 0);
    CHECK(has(m.out, "+ -A LBC -m mac --mac-source 02:00:00:00:00:01 -g LBC-PEER"));
    CHECK(m.writes() == 2);
    CHECK(m.run({"remove"}) == 0);
    CHECK(m.kernel.tables[0].empty());
    CHECK(m.kernel.tables[1].empty());
}

TEST_CASE("apply brings marks and IPVS, remove takes both away") {
    SiteMachine m;
    CHECK(m.run({"apply", "site.lb"}) == 0);
    CHECK(has(m.out, "lb1: IPVS changed: writes 6"));
    REQUIRE(m.kernel.services.size() == 2);
    CHECK(m.kernel.services[0].reals.size() == 2);
    CHECK(m.kernel.record.marks == std::set<Fwmark>{Fwmark{3}});
    CHECK(m.run({"apply", "site.lb"}) == 0);
    CHECK(m.out.str() == "lb1: nothing differs, nothing written\n");
    CHECK(m.run({"remove", "--only", "ipvs"}) == 0);
    CHECK(m.kernel.services.empty());
    CHECK_FALSE(m.kernel.tables[0].empty());
    CHECK(m.run({"remove"}) == 0);
    CHECK(m.kernel.tables[0].empty());
}

TEST_CASE("apply shows the lines of keepalived's file, without secrets, and what runs as root") {
    auto const site = [](std::string_view secret, std::string_view command, int weight) {
        return fmt::format("ipvs keepalived\ndirector lb1 {{ address 10.0.0.1 }}\n"
                           "service web {{ vip 10.9.9.1; port tcp 80; mark 3; real 10.0.0.7 weight {} {{ {} }} }}\n"
                           "vrrp v {{ vip 10.9.9.1/24; interface eth0; router-id 5; priority lb1 9; auth \"{}\" }}\n",
                           weight, command, secret);
    };
    test::Machine m({{"old.lb", site("alpha", "notify-up \"/bin/up\"", 1)},
                     {"new.lb", site("omega", "notify-up \"/bin/up2\"; notify-down \"/bin/down\"", 2)}});
    CHECK(m.run({"apply", "old.lb"}) == 0);
    std::string const place = "lb1: virtual_server fwmark 3 (web, IPv4), real_server 10.0.0.7, ";
    CHECK(has(m.out, "! runs as root: " + place + "notify_up: new command\n    + `\"/bin/up\"`\n"));
    CHECK_FALSE(has(m.out, "+ virtual_server"));
    CHECK(m.run({"apply", "old.lb"}) == 0);
    CHECK_FALSE(has(m.out, "runs as root"));
    CHECK(m.run({"apply", "new.lb", "--dry-run"}) == 0);
    CHECK(has(m.out, "  @@ virtual_server fwmark 3 > real_server 10.0.0.7 @@\n"
                     "  -         weight 1\n"
                     "  -         notify_up \"/bin/up\"\n"
                     "  +         weight 2\n"
                     "  +         notify_up \"/bin/up2\"\n"
                     "  +         notify_down \"/bin/down\"\n"));
    CHECK(has(m.out, "notify_up: command changed\n    - `\"/bin/up\"`\n    + `\"/bin/up2\"`\n"));
    CHECK(has(m.out, "- " + std::string(8, ' ') + "auth_pass (not shown)\n"));
    CHECK(m.run({"apply", "new.lb", "--dry-run", "--json"}) == 0);
    CHECK(has(m.out, "\"kind\": \"notify-down\""));
    CHECK(has(m.out, "\"block\": \"vrrp_instance v > authentication\""));
    for (auto const* secret : {"alpha", "omega"})
        CHECK_FALSE(has(m.out, secret));
    CHECK(m.run({"diff", "new.lb", "--rules"}) == 0);
    CHECK(has(m.out, "  ! runs as root: " + place + "notify_down: new command\n      + `\"/bin/down\"`\n"));
    CHECK(has(m.out, "  +         weight 2\n"));
}

TEST_CASE("status reads and changes nothing") {
    SiteMachine m;
    CHECK(m.run({"status", "site.lb"}) == 0);
    CHECK(has(m.out, "missing"));
    CHECK(m.run({"apply", "site.lb"}) == 0);
    auto const writes = m.writes();
    for (auto const* format : {"text", "json", "prometheus"})
        CHECK(m.run({"status", "site.lb", "--format", format}) == 0);
    CHECK(m.writes() == writes);
    m.kernel.has_ipvs = false;
    CHECK(m.run({"status", "site.lb"}) == 3);
}

TEST_CASE("without IPVS, apply touches nothing and names the way out") {
    SiteMachine m;
    m.kernel.has_ipvs = false;
    CHECK(m.run({"apply", "site.lb"}) == 3);
    CHECK(has(m.err, "the kernel has no IPVS; nothing was touched"));
    CHECK(m.kernel.tables[0].empty());
    CHECK(m.run({"apply", "site.lb", "--only", "marks"}) == 0);
    CHECK(m.run({"remove"}) == 0);
}

TEST_CASE("each kernel call that fails gives its status, and everything is as before") {
    for (auto const& arguments : {std::vector<std::string>{"apply", "site.lb", "--only", "marks"},
                                  {"apply", "site.lb"},
                                  {"apply", "site.lb", "--only", "ipvs"}}) {
        SiteMachine fine;
        REQUIRE(fine.run(arguments) == 0);
        auto const calls = fine.kernel.log.size();
        REQUIRE(calls > 5);
        for (std::size_t call = 0; call < calls; ++call) {
            if (fine.kernel.log[call] == "unlock")
                continue;
            SiteMachine m;
            m.kernel.failures[call] = {SystemError::Kind::failed, 5, "the call failed"};
            auto const status = m.run(arguments);
            CAPTURE(fine.kernel.log[call]);
            if (looks_at_all_rules(fine.kernel.log[call])) {
                CHECK(status == 0);
                CHECK(has(m.err, "lb1: warning: the marks of packets are unknown: the call failed"));
                continue;
            }
            CHECK((status == 3 || status == 4));
            CHECK(has(m.err, "the call failed"));
            CHECK(m.kernel.tables[0].empty());
            CHECK(m.kernel.tables[1].empty());
            CHECK(m.kernel.services.empty());
            CHECK(m.kernel.record == Record{});
            CHECK_FALSE(m.kernel.is_locked());
        }
    }
}

TEST_CASE("a drain that fails once servers stand at weight 0 says that they do") {
    auto const prepare = [](SiteMachine& m) {
        REQUIRE(m.run({"apply", "site.lb"}) == 0);
        for (auto& service : m.kernel.services) {
            auto& real = service.reals.emplace_back();
            real.server.address = *IpAddress::parse(service.key.family == Family::ipv4 ? "10.0.0.9" : "2001:db8::99");
        }
        m.kernel.log.clear();
    };
    std::vector<std::string> const drain{"apply", "site.lb", "--drain", "1s"};
    SiteMachine fine;
    prepare(fine);
    REQUIRE(fine.run(drain) == 0);
    auto const calls = fine.kernel.log;
    for (auto call = static_cast<std::size_t>(std::ranges::find(calls, "unlock") - calls.begin()) + 1;
         call < calls.size(); ++call) {
        if (calls[call] == "unlock" || looks_at_all_rules(calls[call]))
            continue;
        SiteMachine m;
        prepare(m);
        m.kernel.failures[call] = {SystemError::Kind::failed, 5, "the call failed"};
        CAPTURE(calls[call]);
        CHECK(m.run(drain) == 5);
        CHECK(has(m.err, "at weight 0"));
        for (auto const& service : m.kernel.services)
            CHECK(service.reals.back().server.weight == 0);
    }
}

TEST_CASE("explain knows every id") {
    SiteMachine m;
    CHECK(m.run({"explain"}) == 0);
    std::istringstream lines(m.out.str());
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count)
        CHECK(m.run({"explain", line.substr(0, line.find(' '))}) == 0);
    CHECK(count > 60);
    CHECK(m.run({"explain", "port-rnge"}) == 2);
    CHECK(has(m.err, "did you mean `port-range`?"));
}
