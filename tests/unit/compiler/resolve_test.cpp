#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

using namespace lbc;

using Ids = std::vector<std::string>;

TEST_CASE("includes stand where their statement is, relative to their file") {
    Compiled const c({{"site.lb", "include \"parts/directors.lb\"\ninclude \"parts/s*.lb\"\n"},
                      {"parts/directors.lb", "director lb1 { address 10.0.0.1 }"},
                      {"parts/s1.lb", "service a { vip 10.9.9.1; port tcp 1; real lb1 }"},
                      {"parts/s2.lb", "service b { vip 10.9.9.2; port tcp 1; real lb1 }"}});
    CHECK(c.ids().empty());
    REQUIRE(c.site.services.size() == 2);
    CHECK(c.site.services[0].name.value == "a");
    CHECK(c.sources[c.site.services[1].span.file].name() == "parts/s2.lb");
}

TEST_CASE("defaults hold unless the service says otherwise") {
    Compiled const c(two_directors + "defaults { scheduler rr; persistent 60; local; port tcp 80; real lb1 }\n"
                                     "service a { vip 10.9.9.1 }\n"
                                     "service b { vip 10.9.9.2; scheduler wrr; persistent off; local off; real lb2 }");
    CHECK(c.ids().empty());
    CHECK(c.service("a").scheduler.name == "rr");
    CHECK(c.service("a").persistence->timeout == std::chrono::seconds(60));
    CHECK(c.service("a").local);
    CHECK(c.service("b").scheduler.name == "wrr");
    CHECK_FALSE(c.service("b").persistence);
    CHECK_FALSE(c.service("b").local);
    CHECK(c.service("b").reals.size() == 1);
    CHECK(c.service("b").reals[0].director == DirectorId{1});
}

TEST_CASE("lets stand for single values and for lists, before and after their use") {
    Compiled const c(
        "director lb1 { address 10.0.0.1 }\n"
        "service a { vip $vips; port tcp $web, 8080; bypass $macs; real 10.0.0.7 }\n"
        "let web = 80, 443\nlet vips = 10.9.9.1, $more\nlet more = 10.9.9.2\nlet macs = 02:00:00:00:00:09");
    CHECK(c.ids().empty());
    CHECK(c.service("a").vips.size() == 2);
    CHECK(c.service("a").ports[0].ports ==
          SmallVector<PortRange, 1>{{Port{80}, Port{80}}, {Port{443}, Port{443}}, {Port{8080}, Port{8080}}});
    CHECK(c.service("a").bypass.size() == 1);
}

TEST_CASE("ports are sorted, and ranges that touch become one") {
    Compiled const c("director lb1 { address 10.0.0.1 }\n"
                     "service a { vip 10.9.9.1; port udp 53; port tcp 90-99, 80-89, 65535, 1; real 10.0.0.7 }");
    CHECK(c.ids().empty());
    auto const& ports = c.service("a").ports;
    REQUIRE(ports.size() == 2);
    CHECK(ports[0].protocol == Protocol::tcp);
    CHECK(ports[0].ports ==
          SmallVector<PortRange, 1>{{Port{1}, Port{1}}, {Port{80}, Port{99}}, {Port{65535}, Port{65535}}});
    CHECK(ports[1].protocol == Protocol::udp);
}

TEST_CASE("a director as a real server has its address of each of the service's families") {
    Compiled const c(two_directors + "service a { vip 10.9.9.1, 2001:db8::9; port tcp 80; real lb1; real lb2 }");
    CHECK(c.ids().empty());
    CHECK(c.service("a").reals.size() == 4);
    CHECK(c.service("a").reals_for(Family::ipv6).size() == 2);
}

TEST_CASE("a tunnel reaches real servers of the other family where there are none of the VIP's") {
    Compiled const c("director lb1 { address 10.0.0.1 }\n"
                     "service a { vip 10.9.9.1; port tcp 80; forward tun; real 2001:db8::7 }");
    CHECK(c.ids().empty());
    auto const plan = c.plan("lb1");
    REQUIRE(plan.services.size() == 1);
    CHECK(plan.services[0].family == Family::ipv4);
    CHECK(plan.services[0].reals[0].address.str() == "2001:db8::7");
}

TEST_CASE("an allocated mark depends on the service's name alone") {
    auto const mark = [](std::string const& others, std::string const& name) {
        Compiled const c(two_directors + others + "service " + name + " { vip 10.9.9.1; port tcp 80; real lb1 }");
        return c.service(name).on[0].mark;
    };
    auto const alone = mark("", "web");
    CHECK(alone == mark("service db { vip 10.9.9.2; port tcp 80; real lb1 }\n", "web"));
    CHECK(alone != mark("", "db"));
    CHECK(MarkRange{}.contains(alone));
}

TEST_CASE("a mark that is taken goes to the next, with a warning, and never to the guard's") {
    std::string text = two_directors + "marks 0x10-0x13\n";
    for (int i = 1; i <= 3; ++i)
        text += fmt::format("service s{0} {{ vip 10.9.9.{0}; port tcp 80; real lb1 }}\n", i);
    Compiled const c(text);
    CHECK_FALSE(c.diagnostics.has_errors());
    std::set<Fwmark> marks{c.site.guard_mark};
    CHECK(c.site.guard_mark == Fwmark{0x13});
    for (auto const& service : c.site.services)
        marks.insert(service.on[0].mark);
    CHECK(marks.size() == 4);
}

TEST_CASE("the guard's mark makes way for a pinned one") {
    Compiled const c(two_directors + "service a { vip 10.9.9.1; port tcp 80; mark 0xfff; real lb1 }");
    CHECK(c.ids().empty());
    CHECK(c.site.guard_mark == Fwmark{0xffe});
}

TEST_CASE("the guard is local where a director is a real server, and off elsewhere") {
    CHECK(Compiled(two_directors + "service a { vip 10.9.9.1; port tcp 80; real lb1 }").site.guard == GuardMode::local);
    CHECK(Compiled(two_directors + "service a { vip 10.9.9.1; port tcp 80; real 10.0.0.2 }").site.guard ==
          GuardMode::local);
    CHECK(Compiled(two_directors + "service a { vip 10.9.9.1; port tcp 80; real 10.0.0.7 }").site.guard ==
          GuardMode::off);
    CHECK(Compiled(two_directors + "guard drop\nservice a { vip 10.9.9.1; port tcp 80; real lb1 }").site.guard ==
          GuardMode::drop);
}

TEST_CASE("services share a VIP and port on different directors, interfaces or protocols") {
    CHECK(Compiled(two_directors + "service a { vip 10.9.9.1; port tcp 80; on lb1; real 10.0.0.7 }\n"
                                   "service b { vip 10.9.9.1; port tcp 80; on lb2; real 10.0.0.7 }\n"
                                   "service c { vip 10.9.9.1; port udp 80; on lb1; real 10.0.0.7 }\n"
                                   "service d { vip 10.9.9.2; port tcp 80; interface eth0; real 10.0.0.7 }\n"
                                   "service e { vip 10.9.9.2; port tcp 80; interface eth1; real 10.0.0.7 }\n")
              .ids()
              .empty());
    CHECK(Compiled(two_directors + "service a { vip 10.9.0.0/16 network; port tcp 80; real 10.0.0.7 }\n"
                                   "service b { vip 10.9.9.0/24 network; port udp any; real 10.0.0.7 }\n"
                                   "service c { vip 10.9.9.1; port tcp 70-90; real 10.0.0.7 }\n")
              .ids() == Ids{"duplicate-vip"});
}

TEST_CASE("a VRRP virtual MAC may be several directors'") {
    Compiled const c("director lb1 { mac 02:00:00:00:00:01, 00:00:5e:00:01:33; address 10.0.0.1 }\n"
                     "director lb2 { mac 02:00:00:00:00:02, 00:00:5e:00:01:33; address 10.0.0.2 }\n"
                     "service a { vip 10.9.9.1; port tcp 80; real lb1; real lb2 }");
    CHECK(c.ids().empty());
}

TEST_CASE("one mistake in a block is no reason to miss what it may have been") {
    CHECK(Compiled("director lb1 { adress 10.0.0.1 }\nservice a { vip 10.9.9.1; port tcp 80; real lb1 }").ids() ==
          Ids{"unknown-statement"});
    CHECK(Compiled(two_directors + "service a { vip 10.9.9.1; prot tcp 80; real lb1 }").ids() ==
          Ids{"unknown-statement"});
    CHECK(Compiled(two_directors + "service a { vip 10.9.9.1; port tcp 80; real lb3 }").ids() ==
          Ids{"unknown-director"});
}
