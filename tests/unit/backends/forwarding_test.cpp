#include "backends/apply/ipvs_step.hpp"
#include "backends/os/sysctl_files.hpp"
#include "tests/support/compiled.hpp"
#include "tests/support/machine.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace lbc;

namespace {

constexpr auto nat_site = "director lb1 { address 10.0.0.1 }\n"
                          "service web { vip 10.9.9.1, 2001:db8::9; port tcp 80; mark 3; forward nat; real 10.0.0.7\n"
                          "real 2001:db8::7 }\n";

Sysctls wanted_by(std::string const& text) {
    Compiled const compiled(text);
    REQUIRE_FALSE(compiled.diagnostics.has_errors());
    return sysctls_of(compiled.plan("lb1"));
}

} // namespace

TEST_CASE("forward nat: the director forwards answers of each family that a service has by it") {
    Sysctls const ipv4{{Sysctl::ip_forward, 1}};
    Sysctls const both{{Sysctl::ip_forward, 1}, {Sysctl::ipv6_forwarding, 1}};
    std::string const start = "director lb1 { address 10.0.0.1 }\nservice web { vip 10.9.9.1; port tcp 80; mark 3; ";
    CHECK(wanted_by(nat_site) == both);
    CHECK(wanted_by(start + "real 10.0.0.7 }\n").empty());
    CHECK(wanted_by(start + "real 10.0.0.7; real 10.0.0.8 forward nat }\n") == ipv4);
    CHECK(wanted_by(start + "real 10.0.0.7; sorry 10.0.0.9 forward nat }\n").empty());
    CHECK(wanted_by("ipvs keepalived\n" + start + "real 10.0.0.7; sorry 10.0.0.9 forward nat }\n") == ipv4);
}

TEST_CASE("forward nat: apply sets what forwards, and remove brings back what was") {
    test::Machine lb1(std::map<std::string, std::string>{{"site.lb", nat_site}});
    CHECK(lb1.run({"diff", "site.lb", "-d", "lb1"}) == 0);
    CHECK(lb1.out.str().contains("net.ipv4.ip_forward 0 to 1"));
    lb1.kernel.sysctls[Sysctl::ipv6_forwarding] = 1;
    CHECK(lb1.run({"apply", "site.lb"}) == 0);
    CHECK(lb1.kernel.sysctls[Sysctl::ip_forward] == 1);
    CHECK(lb1.kernel.record.sysctls == Sysctls{{Sysctl::ip_forward, 0}});
    CHECK(lb1.run({"remove"}) == 0);
    CHECK(lb1.kernel.sysctls[Sysctl::ip_forward] == 0);
    CHECK(lb1.kernel.sysctls[Sysctl::ipv6_forwarding] == 1);
}

TEST_CASE("forward nat: what would take a default route away is refused before anything is changed") {
    test::Machine lb1(std::map<std::string, std::string>{{"site.lb", nat_site}});
    lb1.kernel.costly_sysctls = {Sysctl::ipv6_forwarding};
    CHECK(lb1.run({"apply", "site.lb"}) == 3);
    CHECK(lb1.err.str().contains("net.ipv6.conf.all.forwarding costs; nothing was touched"));
    CHECK(lb1.kernel.sysctls[Sysctl::ip_forward] == 0);
    CHECK(lb1.writes() == 0);
    lb1.kernel.sysctls[Sysctl::ipv6_forwarding] = 1; // it costs nothing more
    CHECK(lb1.run({"apply", "site.lb"}) == 0);
}

TEST_CASE("forward nat: default routes of router advertisements are found") {
    std::string const zero(32, '0');
    std::string const start = zero + " 00 " + zero + " 00 fe800000000000000000000000000001 00000400 00000001 00000000 ";
    std::istringstream routes(start + "00450003 eth0\n" +                                              // advertised
                              start + "00000003 eth1\n" +                                              // by hand
                              zero + " 40 " + zero + " 00 " + zero + " 00000100 1 0 00450003 eth2\n" + // a network
                              start + "00040003 eth3\n" + start + "zz eth4\nshort 00\n");
    CHECK(advertised_routes(routes) == std::set<std::string>{"eth0", "eth3"});
}
