#include "backends/emit/realserver/realserver.hpp"
#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

std::vector<RealServerHost> hosts_of(std::string const& services) {
    Compiled const compiled(two_directors + services);
    REQUIRE(!compiled.diagnostics.has_errors());
    return real_server_hosts(compiled.site);
}

std::vector<std::string> texts(std::vector<Prefix> const& vips) {
    std::vector<std::string> out;
    for (auto const& vip : vips)
        out.push_back(vip.str());
    return out;
}

std::vector<std::string> texts(RealServerHost const& host) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < host.tunnels.size(); ++i) {
        auto const& tunnel = host.tunnels[i];
        out.push_back(device_name(host.tunnels, i) + " " + tunnel.local.str() + " " +
                      (tunnel.inner ? tunnel.inner->str() : "-") + (tunnel.checksum ? " csum" : ""));
    }
    return out;
}

using Strings = std::vector<std::string>;

} // namespace

TEST_CASE("a director is one host by each of its addresses, and nat asks for nothing") {
    auto const hosts = hosts_of("service a { vip 192.0.2.1, 2001:db8:9::/64; port tcp 80; real lb1; real 10.0.0.2\n"
                                "real 10.0.0.9 forward nat; sorry 10.0.0.7 }\n"
                                "service b { vip 192.0.2.1, 192.0.2.2; port tcp 81; real lb1 }\n");
    REQUIRE(hosts.size() == 3);
    CHECK(hosts[0].name == "lb1");
    CHECK(hosts[0].addresses.size() == 2);
    CHECK(texts(hosts[0].vips) == Strings{"192.0.2.1", "2001:db8:9::/64", "192.0.2.2"});
    CHECK(hosts[1].name == "lb2");
    CHECK(texts(hosts[1].vips) == Strings{"192.0.2.1"});
    CHECK(hosts[2].name == "10.0.0.7");
    CHECK(texts(hosts[2].vips) == Strings{"192.0.2.1"});
}

TEST_CASE("a tunnel's kind is of the outer and the inner family") {
    auto const hosts = hosts_of("defaults { port tcp 80; forward tun }\n"
                                "service a { vip 192.0.2.1, 2001:db8::21; real 10.0.0.3 }\n"
                                "service b { vip 192.0.2.2, 2001:db8::22; real 2001:db8::3 }\n"
                                "service c { vip 2001:db8::23, 192.0.2.3; real 10.0.0.3 forward tun gre csum }\n"
                                "service d { vip 192.0.2.4; real 2001:db8::3 forward tun gre }\n"
                                "service e { vip 192.0.2.5; real 10.0.0.3 forward tun gue port 5555 csum }\n");
    REQUIRE(hosts.size() == 2);
    CHECK(texts(hosts[0]) ==
          Strings{"lbc-ipip 10.0.0.3 192.0.2.1", "lbc-sit 10.0.0.3 -", "lbc-gre 10.0.0.3 192.0.2.3 csum"});
    CHECK(hosts[0].gue_ports == std::vector<GuePort>{{Family::ipv4, Port{5555}}});
    CHECK(texts(hosts[1]) == Strings{"lbc-ip6tnl 2001:db8::3 192.0.2.2", "lbc-ip6gre 2001:db8::3 192.0.2.4"});
}

TEST_CASE("a machine with several addresses has a tunnel's end for each, by names of their own") {
    auto const hosts = hosts_of(
        "service a { vip 192.0.2.1; port tcp 80; forward tun; real 10.0.0.3; real 10.0.0.4; real 10.0.0.5 }\n");
    auto const all = merge(hosts);
    CHECK(all.name == "10.0.0.3");
    CHECK(texts(all.vips) == Strings{"192.0.2.1"});
    CHECK(texts(all) ==
          Strings{"lbc-ipip 10.0.0.3 192.0.2.1", "lbc-ipip2 10.0.0.4 192.0.2.1", "lbc-ipip3 10.0.0.5 192.0.2.1"});
}
