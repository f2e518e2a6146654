#include "compiler/layout/layout.hpp"

#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

std::vector<std::string> lines(Compiled const& c, std::string_view director, std::string_view chain,
                               Family family = Family::ipv4) {
    auto const rules = layout_linear(c.site, c.plan(director).marks, family);
    std::vector<std::string> list;
    if (auto const* found = rules.find(chain))
        for (auto const& rule : found->rules)
            list.push_back(to_string(rule));
    return list;
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("two boxes: marked from clients, guarded from the peer") {
    Compiled const c(two_directors +
                     "service web { vip 10.9.9.1; port tcp 80; mark lb1 3, lb2 4; real lb1; real lb2 }");
    REQUIRE(c.ids().empty());
    CHECK(lines(c, "lb1", "LBC") ==
          Lines{"-i lo -j RETURN", "-m mac --mac-source 02:00:00:00:00:02 -g LBC-PEER",
                "-d 10.9.9.1/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x3/0xffffffff"});
    CHECK(lines(c, "lb2", "LBC").back() ==
          "-d 10.9.9.1/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x4/0xffffffff");
    CHECK(lines(c, "lb1", "LBC-PEER") ==
          Lines{"-d 10.9.9.1/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0xfff/0xffffffff"});
    CHECK(lines(c, "lb1", "LBC-OUT") == Lines{"-m mark --mark 0xfff -g LBC-GUARD"});
    CHECK(lines(c, "lb1", "LBC-GUARD") == Lines{"-d 10.9.9.1/32 -j MARK --set-xmark 0x0/0xffffffff"});
    CHECK(layout_linear(c.site, c.plan("lb1").marks, Family::ipv6).empty());
}

TEST_CASE("without a guard, a peer's packets are just not marked") {
    Compiled const c(two_directors +
                     "guard off\nservice web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }");
    CHECK(lines(c, "lb1", "LBC")[1] == "-m mac --mac-source 02:00:00:00:00:02 -j RETURN");
    CHECK(lines(c, "lb1", "LBC-OUT").empty());
    CHECK(layout_linear(c.site, c.plan("lb1").marks, Family::ipv4).entry_jumps.size() == 1);
}

TEST_CASE("guard drop drops") {
    Compiled const c(two_directors +
                     "guard drop\nservice web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }");
    CHECK(lines(c, "lb1", "LBC-GUARD") == Lines{"-d 10.9.9.1/32 -j DROP"});
}

TEST_CASE("more ports than multiport has slots become several rules, a range taking two") {
    std::string ports = "1";
    for (int port = 3; port <= 29; port += 2)
        ports += ", " + std::to_string(port); // 15 ports
    Compiled const c("director lb1 { address 10.0.0.1 }\nservice a { vip 10.9.9.1; mark 3; real 10.0.0.7; port tcp " +
                     ports + ", 100-200 }");
    REQUIRE(c.ids().empty());
    auto const rules = lines(c, "lb1", "LBC");
    REQUIRE(rules.size() == 3);
    CHECK(rules[1] == "-d 10.9.9.1/32 -p tcp -m multiport --dports 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29 "
                      "-j MARK --set-xmark 0x3/0xffffffff");
    CHECK(rules[2] == "-d 10.9.9.1/32 -p tcp -m tcp --dport 100:200 -j MARK --set-xmark 0x3/0xffffffff");
}

TEST_CASE("bypass, interfaces, prefixes and every protocol") {
    Compiled const c(
        "director lb1 { address 10.0.0.1; interface eth0, bond+ }\n"
        "service a { vip 10.9.0.0/16 network; port any; mark 3; bypass 02:00:00:00:00:09; real 10.0.0.7 }");
    REQUIRE(c.ids().empty());
    CHECK(lines(c, "lb1", "LBC") == Lines{"-i lo -j RETURN",
                                          "-d 10.9.0.0/16 -i eth0 -m mac --mac-source 02:00:00:00:00:09 -j RETURN",
                                          "-d 10.9.0.0/16 -i eth0 -j MARK --set-xmark 0x3/0xffffffff",
                                          "-d 10.9.0.0/16 -i bond+ -m mac --mac-source 02:00:00:00:00:09 -j RETURN",
                                          "-d 10.9.0.0/16 -i bond+ -j MARK --set-xmark 0x3/0xffffffff"});
}

TEST_CASE("local marks what the director itself sends, on any interface") {
    Compiled const c("director lb1 { address 10.0.0.1; interface eth0 }\n"
                     "service a { vip 2001:db8::9; port udp 53; mark 3; local; real 2001:db8::7 }");
    REQUIRE(c.ids().empty());
    CHECK(lines(c, "lb1", "LBC-OUT", Family::ipv6) ==
          Lines{"-d 2001:db8::9/128 -p udp -m udp --dport 53 -j MARK --set-xmark 0x3/0xffffffff"});
}

TEST_CASE("a tunnel's end marks nothing that has no source MAC, and the guard drops what would enter a tunnel again") {
    Compiled const c(two_directors + "service a { vip 10.9.9.1; port tcp 80; mark 3; forward tun gue port 5555;"
                                     " real lb1; real lb2; real 10.0.0.7 forward tun }");
    CHECK(c.ids() == std::vector<std::string>{"tunnel-guard"});
    CHECK(lines(c, "lb1", "LBC").back() == "-d 10.9.9.1/32 -p tcp -m tcp --dport 80 -m mac ! --mac-source "
                                           "00:00:00:00:00:00 -j MARK --set-xmark 0x3/0xffffffff");
    CHECK(lines(c, "lb1", "LBC-GUARD") == Lines{"-d 10.9.9.1/32 -j MARK --set-xmark 0x0/0xffffffff",
                                                "-d 10.0.0.1/32 -p udp -m udp --dport 5555 -j DROP",
                                                "-d 10.0.0.2/32 -p udp -m udp --dport 5555 -j DROP",
                                                "-d 10.0.0.7/32 -p 4 -j DROP"});
}
