#include "backends/nft/nft.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace lbc;

namespace {

MarkClass web() {
    MarkClass of;
    of.destination = Prefix::host(*IpAddress::parse("192.0.2.1"));
    of.protocol = Protocol::tcp;
    of.ports = {{Port{80}, Port{80}}, {Port{8000}, Port{8099}}};
    of.mark = Fwmark{3};
    return of;
}

/// A director with one class, a peer and a guard.
struct Sample {
    Site site;
    MarkTable table;

    Sample() {
        site.services.resize(2);
        site.services[0].name.value = "web";
        site.services[1].name.value = "mail";
        table.classes = {web()};
        table.peers = {*MacAddress::parse("08:00:27:46:c7:d4")};
        table.guard = Guard{GuardMode::local, Fwmark{0xfff}, {}};
    }

    [[nodiscard]] NftParts parts() const { return nft_parts(site, table); }
    [[nodiscard]] MarkClass& only() { return table.classes.front(); }
    [[nodiscard]] bool has_rule(std::string const& words) const {
        return parts().rules.contains("        " + words + "\n");
    }
};

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

} // namespace

TEST_SUITE("nft") {
    TEST_CASE("what is one address and port is in a hash, the rest in intervals") {
        auto const sets = Sample().parts().sets;
        CHECK(sets.contains("    map services4 { type ipv4_addr . inet_proto . inet_service : mark; }\n"));
        CHECK(
            sets.contains("    map ranges4 { type ipv4_addr . inet_proto . inet_service : mark; flags interval; }\n"));
        CHECK(sets.contains("add element inet lbc services4 {\n    # web\n    192.0.2.1 . tcp . 80 : 0x3,\n}\n"));
        CHECK(sets.contains("add element inet lbc ranges4 {\n    # web\n    192.0.2.1 . tcp . 8000-8099 : 0x3,\n}\n"));
        CHECK(count(sets, "flush map inet lbc services4\n") == 1);
        CHECK_FALSE(sets.contains("services6"));
    }

    TEST_CASE("no port is asked for where every port is meant, nor a protocol where every one is") {
        Sample sample;
        sample.only().ports = {PortRange::all()};
        CHECK(sample.parts().sets.contains("    192.0.2.1 . tcp : 0x3,\n"));
        CHECK(sample.has_rule("meta mark set ip daddr . meta l4proto map @protocols4 return"));
        sample.only().protocol = Protocol::any;
        sample.only().destination = Prefix::of(*IpAddress::parse("2001:db8::"), 64);
        CHECK(sample.parts().sets.contains("    2001:db8::/64 : 0x3,\n"));
        CHECK(sample.has_rule("meta mark set ip6 daddr map @networks6 return"));
        CHECK(sample.has_rule("meta nfproto ipv4 return"));
        CHECK(sample.has_rule("ip6 daddr != 2001:db8::/64 return"));
    }

    TEST_CASE("peers come before services, and get the guard's mark or none") {
        Sample sample;
        auto const rules = sample.parts().rules;
        CHECK(rules.find("ether saddr @peers goto peers") < rules.find("map @services4 return"));
        CHECK(sample.has_rule(
            "meta mark set ip daddr . meta l4proto . th dport map @services4 meta mark set 0xfff return"));
        sample.table.guard.reset();
        CHECK(sample.has_rule("ether saddr @peers return"));
        CHECK(sample.parts().rules.contains("delete chain inet lbc peers\n"));
        CHECK(sample.parts().rules.contains("delete chain inet lbc output\n"));
    }

    TEST_CASE("the guard delivers here or drops, and keeps packets out of tunnels") {
        Sample sample;
        CHECK(sample.has_rule("ip daddr @vips4 meta mark set 0x0"));
        sample.table.guard->mode = GuardMode::drop;
        auto const end = *IpAddress::parse("192.0.2.9");
        sample.table.guard->tunnels = {{end, 4, {}}, {end, 17, Port{5555}}};
        CHECK(sample.has_rule("ip daddr @vips4 drop"));
        CHECK(sample.has_rule("ip daddr . meta l4proto @tunnels4 drop"));
        CHECK(sample.has_rule("ip daddr . meta l4proto . th dport @tunnel_ports4 drop"));
        CHECK(sample.parts().sets.contains("    192.0.2.9 . 4,\n"));
        CHECK(sample.parts().sets.contains("    192.0.2.9 . udp . 5555,\n"));
    }

    TEST_CASE("interfaces: sets, wildcards, names that nft would read otherwise") {
        Sample sample;
        auto const conditions = [&](std::vector<std::string> const& names) {
            sample.only().ports = {{Port{80}, Port{80}}};
            sample.only().interfaces.clear();
            for (auto const& name : names)
                sample.only().interfaces.push_back(*InterfacePattern::parse(name));
            auto const rules = sample.parts().rules;
            std::string found;
            for (auto at = rules.find("iifname ", rules.find("@peers")); at != rules.npos;
                 at = rules.find("iifname ", at + 1))
                found += rules.substr(at, rules.find(" meta mark", at) - at) + ";";
            return found;
        };
        CHECK(conditions({"eth0"}) == "iifname \"eth0\";");
        CHECK(conditions({"eth0", "eth1"}) == "iifname { \"eth0\", \"eth1\" };");
        CHECK(conditions({"bond+", "eth0", "d*"}) == "iifname \"eth0\";iifname \"bond*\";iifname \"d\\*\";");
        CHECK(conditions({"eth0", "+"}).empty());
        CHECK(sample.parts().sets.contains("map services4 {"));
        conditions({"eth0"});
        CHECK(sample.parts().sets.contains("map services4_eth0 {"));
    }

    TEST_CASE("bypass leaves devices without Ethernet addresses in, a tunnel's end leaves them out") {
        Sample sample;
        sample.only().ports = {{Port{80}, Port{80}}};
        sample.only().bypass = {*MacAddress::parse("02:00:00:00:00:77")};
        CHECK(sample.parts().rules.contains("        ether saddr != 02:00:00:00:00:77 meta mark set"));
        CHECK(sample.parts().rules.contains("        iiftype != ether meta mark set"));
        sample.only().ethernet_only = true;
        CHECK(sample.parts().rules.contains(
            "        ether saddr != { 00:00:00:00:00:00, 02:00:00:00:00:77 } meta mark set"));
        CHECK_FALSE(sample.parts().rules.contains("iiftype"));
    }

    TEST_CASE("an element's map does not depend on other services") {
        Sample sample;
        auto const alone = sample.parts().sets;
        auto other = web();
        other.service = 1;
        other.destination = Prefix::host(*IpAddress::parse("192.0.2.2"));
        for (std::uint16_t port = 1000; port < 1100; ++port)
            other.ports.push_back({Port{port}, Port{port}});
        std::ranges::sort(other.ports);
        other.bypass = {*MacAddress::parse("02:00:00:00:00:77")};
        sample.table.classes.insert(sample.table.classes.begin(), other);
        auto const beside = sample.parts().sets;
        for (std::string const part :
             {"add element inet lbc services4 {\n    # web\n    192.0.2.1 . tcp . 80 : 0x3,\n}\n",
              "add element inet lbc ranges4 {\n    # web\n"})
            CHECK((alone.contains(part) && beside.contains(part)));
    }

    TEST_CASE("services that clients reach in the same way share maps, however the site says it") {
        Sample sample;
        auto other = web();
        other.service = 1;
        other.destination = Prefix::host(*IpAddress::parse("192.0.2.2"));
        other.interfaces = {*InterfacePattern::parse("+"), *InterfacePattern::parse("eth0")};
        sample.table.classes.push_back(other);
        sample.only().interfaces.clear();
        auto const sets = sample.parts().sets;
        auto const first = sets.find("map services4 {");
        REQUIRE(first != std::string::npos);
        CHECK(sets.find("map services4 {", first + 1) == std::string::npos);
        CHECK(sets.find("map services4_", first + 1) == std::string::npos);
    }

    TEST_CASE("what the director itself sends has maps of its own") {
        Sample sample;
        sample.only().from_director = true;
        sample.only().interfaces = {*InterfacePattern::parse("eth0")};
        CHECK(sample.parts().sets.contains("add element inet lbc own_services4 {\n"));
        CHECK(sample.has_rule("meta mark set ip daddr . meta l4proto . th dport map @own_services4 return"));
    }

    TEST_CASE("without a class the table goes") {
        Sample sample;
        sample.table.classes.clear();
        CHECK(sample.parts().sets.empty());
        CHECK(sample.parts().rules == "add table inet lbc\ndelete table inet lbc\n");
        CHECK(nft_text(sample.site, sample.table, "lb1").starts_with("# lbc: director lb1 has no marks"));
    }
}
