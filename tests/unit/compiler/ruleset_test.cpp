#include "compiler/rules/ruleset.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

Prefix vip4() { return Prefix::host(*IpAddress::parse("192.0.2.1")); }

Matches tcp(std::vector<PortRange> ports) {
    Matches when;
    when.destination = vip4();
    when.protocol = 6;
    when.destination_ports = std::move(ports);
    return when;
}

} // namespace

TEST_SUITE("ruleset") {
    TEST_CASE("own chains are LBC and LBC-anything") {
        CHECK(is_own_chain("LBC"));
        CHECK(is_own_chain("LBC-PEER"));
        CHECK(is_own_chain("LBC-"));
        CHECK_FALSE(is_own_chain("LBCX"));
        CHECK_FALSE(is_own_chain("lbc"));
        CHECK_FALSE(is_own_chain("PREROUTING"));
        CHECK_FALSE(is_own_chain(""));
    }

    TEST_CASE("find gives the chain of a name") {
        Ruleset ruleset;
        ruleset.chains = {{"LBC", {}}, {"LBC-PEER", {Rule{}}}};
        REQUIRE(ruleset.find("LBC-PEER") != nullptr);
        CHECK(ruleset.find("LBC-PEER")->rules.size() == 1);
        CHECK(ruleset.find("LBC-P") == nullptr);
    }

    TEST_CASE("every match in the order of iptables-save") {
        Matches when = tcp({{Port{80}, Port{90}}});
        when.in_interface = InterfacePattern::parse("eth0");
        when.source_mac = MacAddress::parse("08:00:27:9E:EF:A0");
        when.not_source_mac = true;
        when.mark = Fwmark{3};
        CHECK(to_string(Rule{when, SetMark{Fwmark{0x1a}}, "web"}) ==
              "-d 192.0.2.1/32 -i eth0 -p tcp -m tcp --dport 80:90 -m mac ! --mac-source 08:00:27:9e:ef:a0 "
              "-m mark --mark 0x3 -j MARK --set-xmark 0x1a/0xffffffff");
    }

    TEST_CASE("ports: none, one, a range, all, a list") {
        CHECK(to_string(Rule{tcp({}), Return{}, ""}) == "-d 192.0.2.1/32 -p tcp -j RETURN");
        CHECK(to_string(Rule{tcp({{Port{80}, Port{80}}}), Return{}, ""}) ==
              "-d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j RETURN");
        CHECK(to_string(Rule{tcp({PortRange::all()}), Return{}, ""}) == "-d 192.0.2.1/32 -p tcp -m tcp -j RETURN");
        CHECK(to_string(Rule{tcp({{Port{80}, Port{80}}, {Port{90}, Port{100}}}), Return{}, ""}) ==
              "-d 192.0.2.1/32 -p tcp -m multiport --dports 80,90:100 -j RETURN");
    }

    TEST_CASE("protocols by name where every iptables has it, else by number") {
        auto const text = [](std::uint8_t protocol) {
            Matches when;
            when.protocol = protocol;
            return to_string(Rule{when, Drop{}, ""});
        };
        CHECK(text(0) == "-j DROP");
        CHECK(text(17) == "-p udp -j DROP");
        CHECK(text(132) == "-p sctp -j DROP");
        CHECK(text(47) == "-p 47 -j DROP");
        CHECK(text(41) == "-p 41 -j DROP");
    }

    TEST_CASE("targets") {
        auto const text = [](Target target) { return to_string(Rule{{}, std::move(target), ""}); };
        CHECK(text(SetMark{Fwmark{0}}) == "-j MARK --set-xmark 0x0/0xffffffff");
        CHECK(text(Jump{"LBC"}) == "-j LBC");
        CHECK(text(Goto{"LBC-GUARD"}) == "-g LBC-GUARD");
        CHECK(text(UnknownTarget{"TPROXY"}) == "-j TPROXY");
    }

    TEST_CASE("prefixes: a network, everything, IPv6") {
        auto const text = [](std::string_view address, int length) {
            Matches when;
            when.destination = Prefix::of(*IpAddress::parse(address), length);
            return to_string(Rule{when, Return{}, ""});
        };
        CHECK(text("192.0.2.0", 24) == "-d 192.0.2.0/24 -j RETURN");
        CHECK(text("0.0.0.0", 0) == "-j RETURN");
        CHECK(text("2001:db8::1", 128) == "-d 2001:db8::1/128 -j RETURN");
    }

    TEST_CASE("an interface with characters that restore would take for quoting is quoted") {
        auto const text = [](std::string_view interface) {
            Matches when;
            when.in_interface = InterfacePattern::parse(interface);
            return to_string(Rule{when, Return{}, ""});
        };
        CHECK(text("eth+") == "-i eth+ -j RETURN");
        CHECK(text("+") == "-j RETURN");
        CHECK(text("br-lan.1@x:0") == "-i br-lan.1@x:0 -j RETURN");
        CHECK(text("e\"t\\h") == "-i \"e\\\"t\\\\h\" -j RETURN");
        CHECK(text("a'b") == "-i \"a'b\" -j RETURN");
    }

    TEST_CASE("parts of a rule that no field holds stand before the target") {
        Matches when;
        when.unknown = "-m conntrack --ctstate NEW";
        CHECK(to_string(Rule{when, Return{}, ""}) == "-m conntrack --ctstate NEW -j RETURN");
    }
}
