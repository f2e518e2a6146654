#include "backends/emit/firewall.hpp"
#include "backends/keepalived/keepalived.hpp"
#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

using Ids = std::vector<std::string>;

std::string const two_networks = "director lb1 { mac 02:00:00:00:00:01; address 198.51.100.2, 10.20.0.2, fd00::2 }\n"
                                 "director lb2 { mac 02:00:00:00:00:02; address 198.51.100.3, 10.20.0.3 }\n";

std::string instance(std::string const& more) {
    return "vrrp v { interface bond0.200; router-id 20; priority lb1 150, lb2 100; " + more + " }\n";
}

/// No service is here, and that is no fault.
Ids faults(Compiled const& c) {
    auto ids = c.ids();
    std::erase(ids, "unused");
    return ids;
}

bool has(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string keepalived_of(Compiled const& c, std::string_view director) {
    auto const plan = c.plan(director);
    return keepalived_text(c.site, {&plan, 1});
}

} // namespace

TEST_SUITE_BEGIN("vrrp");

TEST_CASE("advertisements say the first VIP alone, whatever the others are") {
    Compiled const c(two_networks + instance("vip 10.20.0.100/24, 10.20.0.101/24 dev bond0.201, fd00::100/64"));
    CHECK(faults(c).empty());
    CHECK(has(keepalived_of(c, "lb1"), "    virtual_ipaddress {\n"
                                       "        10.20.0.100/24\n"
                                       "    }\n"
                                       "    virtual_ipaddress_excluded {\n"
                                       "        10.20.0.101/24 dev bond0.201\n"
                                       "        fd00::100/64\n"
                                       "    }\n"));
    Compiled const one(two_networks + instance("vip 10.20.0.100/24"));
    CHECK_FALSE(has(keepalived_of(one, "lb1"), "excluded"));
}

TEST_CASE("unicast goes from a director's address in the network of a VIP, and so the firewall lets it through") {
    Compiled const c(two_networks + instance("vip 10.20.0.100/24; unicast"));
    CHECK(faults(c).empty());
    auto const text = keepalived_of(c, "lb1");
    CHECK(has(text, "unicast_src_ip 10.20.0.2\n"));
    CHECK(has(text, "unicast_peer {\n        10.20.0.3\n    }\n"));
    auto const rules = firewall_text(c.site, c.plan("lb1"), Family::ipv4);
    CHECK(has(rules, " -s 10.20.0.3/32 -d 10.20.0.2/32 -i bond0.200 -p 112 "));
    CHECK(has(rules, " -d 10.20.0.3/32 -o bond0.200 -p 112 "));
    CHECK_FALSE(has(rules, "198.51.100."));
}

TEST_CASE("unicast goes from the address that the site gives") {
    Compiled const c(two_networks + instance("vip 203.0.113.5/32; unicast lb2 10.20.0.3, lb1 10.20.0.2"));
    CHECK(faults(c).empty());
    CHECK(has(keepalived_of(c, "lb2"), "unicast_src_ip 10.20.0.3\n"));
    CHECK(has(keepalived_of(c, "lb2"), "unicast_peer {\n        10.20.0.2\n    }\n"));
}

TEST_CASE("unicast goes from a director's only address of the family, whatever the VIPs' networks") {
    Compiled const c(two_directors + instance("vip 203.0.113.5/32; unicast"));
    CHECK(faults(c).empty());
    CHECK(has(keepalived_of(c, "lb1"), "unicast_src_ip 10.0.0.1\n"));
}

TEST_CASE("unicast that may go from several addresses of a director is refused") {
    auto const refused = Ids{"unicast-address"}; // one for an instance, of its first such director
    CHECK(faults(Compiled(two_networks + instance("vip 203.0.113.5/32; unicast"))) == refused);
    CHECK(faults(Compiled(two_networks + instance("vip 10.20.0.100/24 dev eth9; unicast"))) == refused);
    CHECK(faults(Compiled(two_networks + instance("vip 10.20.0.100/24, 198.51.100.9/24; unicast"))) == refused);
    CHECK(faults(Compiled(two_networks + instance("vip 10.20.0.100/24, 198.51.100.9/24 dev eth9; unicast"))).empty());
    CHECK(faults(Compiled(two_networks + instance("vip 203.0.113.5/32; unicast off"))).empty());
}

TEST_SUITE_END();
