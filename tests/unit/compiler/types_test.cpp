#include "compiler/base/types.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace lbc;

namespace {

IpAddress ip(std::string_view text) {
    auto const parsed = IpAddress::parse(text);
    REQUIRE_MESSAGE(parsed, std::string(text));
    return *parsed;
}

InterfacePattern interface(std::string_view text) {
    auto const parsed = InterfacePattern::parse(text);
    REQUIRE_MESSAGE(parsed, std::string(text));
    return *parsed;
}

} // namespace

TEST_CASE("IPv4 addresses are strict dotted quads") {
    for (auto const* text : {"0.0.0.0", "1.2.3.4", "192.168.23.253", "255.255.255.255"})
        CHECK(ip(text).str() == text);
    CHECK(ip("1.2.3.4").bytes() == std::array<std::uint8_t, 16>{1, 2, 3, 4});
    for (auto const* text : {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "01.2.3.4", "1.2.3.", ".1.2.3",
                             "1..2.3", " 1.2.3.4", "1.2.3.4 ", "1.2.3.-4", "0x1.2.3.4", "1.2.3.4/32", "1.2.3.4:80"})
        CHECK_FALSE_MESSAGE(IpAddress::parse(text), text);
}

TEST_CASE("IPv6 addresses are read in every form and printed in one") {
    CHECK(ip("::").str() == "::");
    CHECK(ip("2001:DB8:0:0:0:0:0:1").str() == "2001:db8::1");
    CHECK(ip("2001:0db8::0001").str() == "2001:db8::1");
    CHECK(ip("2001:db8:0:0:1:0:0:1").str() == "2001:db8::1:0:0:1");    // the first of two equal runs
    CHECK(ip("2001:0:0:1:0:0:0:1").str() == "2001:0:0:1::1");          // the longest run
    CHECK(ip("2001:db8:0:1:1:1:1:1").str() == "2001:db8:0:1:1:1:1:1"); // one group is never shortened
    CHECK(ip("::ffff:c000:0201").str() == "::ffff:192.0.2.1");
    CHECK(ip("::ffff:192.0.2.1") == ip("::ffff:c000:201"));
    CHECK(ip("::ffff:192.0.2.1").family() == Family::ipv6);
    CHECK(ip("64:ff9b::192.0.2.33").str() == "64:ff9b::c000:221");
    CHECK(ip("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255").str() == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    for (auto const* text : {":", ":::", "1::2::3", "12345::", "::g", "fe80::1%eth0", "[::1]", "::1/128",
                             "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::ffff:1.2.3.256", "::ffff:01.2.3.4"})
        CHECK_FALSE_MESSAGE(IpAddress::parse(text), text);
}

TEST_CASE("no byte hides behind a NUL, and no length is too long to refuse") {
    using namespace std::string_view_literals;
    CHECK_FALSE(IpAddress::parse("1.2.3.4\0"sv));
    CHECK_FALSE(IpAddress::parse("::1\0junk"sv));
    CHECK_FALSE(IpAddress::parse(std::string(1'000'000, '1')));
    CHECK_FALSE(IpAddress::parse("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"));
    CHECK_FALSE(InterfacePattern::parse("eth\0"sv));
}

TEST_CASE("the next address carries, and wraps at the end") {
    CHECK(ip("10.0.0.1").next() == ip("10.0.0.2"));
    CHECK(ip("10.0.255.255").next() == ip("10.1.0.0"));
    CHECK(ip("255.255.255.255").next() == ip("0.0.0.0"));
    CHECK(ip("2001:db8::ffff").next() == ip("2001:db8::1:0"));
    CHECK(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").next() == ip("::"));
}

TEST_CASE("addresses are ordered by family, then by value") {
    CHECK(ip("255.255.255.255") < ip("::"));
    CHECK(ip("9.0.0.0") < ip("10.0.0.0"));
    CHECK(ip("::2") < ip("1::"));
}

TEST_CASE("a prefix clears host bits") {
    CHECK(Prefix::of(ip("192.0.2.129"), 24).str() == "192.0.2.0/24");
    CHECK(Prefix::of(ip("192.0.2.129"), 25).str() == "192.0.2.128/25");
    CHECK(Prefix::of(ip("192.0.2.255"), 31).str() == "192.0.2.254/31");
    CHECK(Prefix::of(ip("192.0.2.129"), 32).str() == "192.0.2.129");
    CHECK(Prefix::of(ip("192.0.2.129"), 0).str() == "0.0.0.0/0");
    CHECK(Prefix::of(ip("2001:db8::ffff"), 0).str() == "::/0");
    CHECK(Prefix::of(ip("2001:db8::ffff"), 113).str() == "2001:db8::8000/113");
    CHECK(Prefix::of(ip("2001:db8::1"), 128).str() == "2001:db8::1");
}

TEST_CASE("a prefix knows what it contains") {
    auto const net = Prefix::of(ip("192.0.2.0"), 24);
    CHECK(net.contains(ip("192.0.2.0")));
    CHECK(net.contains(ip("192.0.2.255")));
    CHECK_FALSE(net.contains(ip("192.0.1.255")));
    CHECK_FALSE(net.contains(ip("192.0.3.0")));
    CHECK(net.contains(net));
    CHECK(net.contains(Prefix::of(ip("192.0.2.64"), 26)));
    CHECK_FALSE(net.contains(Prefix::of(ip("192.0.2.0"), 23)));
    CHECK(Prefix::of(ip("0.0.0.0"), 0).contains(ip("255.255.255.255")));
    CHECK_FALSE(Prefix::of(ip("0.0.0.0"), 0).contains(ip("::")));
    CHECK_FALSE(Prefix::of(ip("::"), 0).contains(ip("0.0.0.0")));
    CHECK(Prefix::host(ip("::1")).contains(ip("::1")));
    CHECK_FALSE(Prefix::host(ip("::1")).contains(ip("::2")));
    CHECK(Prefix::host(ip("::1")).is_host());
    CHECK_FALSE(net.is_host());
}

TEST_CASE("MAC addresses") {
    CHECK(MacAddress::parse("08:00:27:9E:ef:A0")->str() == "08:00:27:9e:ef:a0");
    CHECK(MacAddress::parse("08-00-27-9e-ef-a0")->str() == "08:00:27:9e:ef:a0");
    for (auto const* text : {"", "08:00:27:9e:ef", "08:00:27:9e:ef:a0:00", "08:00-27:9e:ef:a0", "8:0:27:9e:ef:a0",
                             "080027:9e:ef:a0:", "08:00:27:9e:ef:g0", "0800.279e.efa0", "08:00:27:9e:ef:a0 ",
                             "08 00 27 9e ef a0", "080:0:27:9e:ef:a0"})
        CHECK_FALSE_MESSAGE(MacAddress::parse(text), text);
    CHECK(MacAddress::parse("00:00:00:00:00:00")->is_zero());
    CHECK_FALSE(MacAddress::parse("00:00:00:00:00:01")->is_zero());
    CHECK(MacAddress::parse("ff:ff:ff:ff:ff:ff")->is_group());
    CHECK(MacAddress::parse("01:00:5e:00:00:12")->is_group());
    CHECK_FALSE(MacAddress::parse("02:00:00:00:00:01")->is_group());
    CHECK(MacAddress::parse("00:00:5e:00:01:33")->is_vrrp());
    CHECK(MacAddress::parse("00:00:5e:00:02:33")->is_vrrp());
    CHECK_FALSE(MacAddress::parse("00:00:5e:00:03:33")->is_vrrp());
    CHECK_FALSE(MacAddress::parse("00:00:5e:01:01:33")->is_vrrp());
}

TEST_CASE("marks, ports and protocols print as the tools print them") {
    CHECK(Fwmark{0x1a}.str() == "0x1a");
    CHECK(Fwmark{0xffffffff}.str() == "0xffffffff");
    CHECK(PortRange{Port{80}, Port{80}}.str() == "80");
    CHECK(PortRange{Port{8000}, Port{8099}}.str() == "8000-8099");
    CHECK(PortRange{Port{8000}, Port{8099}}.str(':') == "8000:8099");
    CHECK(PortRange::all().is_all());
    CHECK_FALSE(PortRange{Port{1}, Port{65535}}.is_all());
    CHECK(to_string(Protocol::any) == "any");
    CHECK(to_string(Protocol::tcp) == "tcp");
    CHECK(to_string(Protocol::udp) == "udp");
    CHECK(to_string(Protocol::sctp) == "sctp");
    CHECK(to_string(Family::ipv4) == "ipv4");
    CHECK(to_string(Family::ipv6) == "ipv6");
}

TEST_CASE("port ranges overlap where they share a port") {
    PortRange const range{Port{80}, Port{90}};
    CHECK(range.overlaps({Port{90}, Port{100}}));
    CHECK(range.overlaps({Port{1}, Port{80}}));
    CHECK(range.overlaps({Port{85}, Port{85}}));
    CHECK_FALSE(range.overlaps({Port{91}, Port{100}}));
    CHECK_FALSE(range.overlaps({Port{1}, Port{79}}));
}

TEST_CASE("interface names") {
    for (auto const* text : {"e", "eth0", "eth+", "+", "bond0.100", "enp0s31f6", "123456789012345", "12345678901234+"})
        CHECK(interface(text).str() == text);
    for (auto const* text : {"", "1234567890123456", "123456789012345+", "e+h0", "++", "eth/0", "eth 0", "eth\t0",
                             "eth\n", "\x7f", " eth0"})
        CHECK_FALSE_MESSAGE(InterfacePattern::parse(text), text);
}

TEST_CASE("an interface pattern matches as iptables does") {
    CHECK(interface("eth0").matches("eth0"));
    CHECK_FALSE(interface("eth0").matches("eth01"));
    CHECK_FALSE(interface("eth0").matches("eth"));
    CHECK(interface("eth+").matches("eth0.5"));
    CHECK(interface("eth+").matches("eth"));
    CHECK_FALSE(interface("eth+").matches("et"));
    CHECK(interface("+").matches("lo"));
}

TEST_CASE("patterns overlap where some name is matched by both") {
    auto const overlap = [](std::string_view a, std::string_view b) {
        auto const forth = interface(a).overlaps(interface(b));
        CHECK(forth == interface(b).overlaps(interface(a)));
        return forth;
    };
    CHECK(overlap("eth0", "eth0"));
    CHECK_FALSE(overlap("eth0", "eth1"));
    CHECK_FALSE(overlap("eth0", "eth01"));
    CHECK(overlap("eth+", "eth0"));
    CHECK(overlap("eth+", "eth"));
    CHECK_FALSE(overlap("eth+", "et"));
    CHECK(overlap("eth+", "e+"));
    CHECK(overlap("eth+", "eth0+"));
    CHECK_FALSE(overlap("eth+", "en+"));
    CHECK(overlap("+", "en+"));
    CHECK(overlap("+", "lo"));
    CHECK(overlap("+", "+"));
}
