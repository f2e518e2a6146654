#include "backends/emit/ipvsadm.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

Destination real(std::string_view address) {
    Destination destination;
    destination.address = *IpAddress::parse(address);
    return destination;
}

VirtualService service(Family family = Family::ipv4) {
    VirtualService result;
    result.mark = Fwmark{3};
    result.family = family;
    result.scheduler.name = "rr";
    return result;
}

std::string with_scheduler(std::string name, std::vector<std::string> flags) {
    VirtualService virtual_service = service();
    virtual_service.scheduler.name = std::move(name);
    virtual_service.scheduler.flags = std::move(flags);
    return ipvsadm_lines(virtual_service);
}

std::string with_netmask(Family family, int bits) {
    VirtualService virtual_service = service(family);
    virtual_service.persistence = Persistence{std::chrono::seconds{60}, bits, ""};
    return ipvsadm_lines(virtual_service);
}

std::string with_tunnel(Forwarding::Tunnel tunnel, Forwarding::Checksum checksum) {
    VirtualService virtual_service = service();
    virtual_service.reals = {real("10.0.0.2")};
    Forwarding& forwarding = virtual_service.reals.front().forwarding;
    forwarding.method = Forwarding::Method::tun;
    forwarding.tunnel = tunnel;
    forwarding.checksum = checksum;
    forwarding.gue_port = Port{5555};
    return ipvsadm_lines(virtual_service).substr(std::string("-A -f 3 -s rr\n").size());
}

} // namespace

TEST_SUITE("ipvsadm") {
    TEST_CASE("a service with its real servers") {
        VirtualService web = service();
        web.reals = {real("10.0.0.1"), real("10.0.0.2")};
        web.reals[0].connections_max = 1000;
        web.reals[0].connections_min = 100;
        web.reals[1].forwarding.method = Forwarding::Method::nat;
        web.reals[1].port = Port{8080};
        web.reals[1].weight = 0;
        CHECK(ipvsadm_lines(web) == "-A -f 3 -s rr\n"
                                    "-a -f 3 -r 10.0.0.1:0 -g -w 1 -x 1000 -y 100\n"
                                    "-a -f 3 -r 10.0.0.2:8080 -m -w 0\n");
    }

    TEST_CASE("IPv6: the family stands behind the mark, addresses in brackets") {
        VirtualService web = service(Family::ipv6);
        web.mark = Fwmark{0xffffffff};
        web.reals = {real("2001:db8::1")};
        CHECK(ipvsadm_lines(web) == "-A -f 4294967295 -6 -s rr\n-a -f 4294967295 -6 -r [2001:db8::1]:0 -g -w 1\n");
    }

    TEST_CASE("scheduler flags under the names and in the order of ipvsadm") {
        CHECK(with_scheduler("sh", {"sh-port", "sh-fallback"}) == "-A -f 3 -s sh -b sh-fallback,sh-port\n");
        CHECK(with_scheduler("mh", {"flag-2"}) == "-A -f 3 -s mh -b mh-port\n");
        CHECK(with_scheduler("mh", {"flag-3", "mh-fallback"}) == "-A -f 3 -s mh -b mh-fallback,flag-3\n");
        CHECK(with_scheduler("wrr", {"flag-3", "flag-1"}) == "-A -f 3 -s wrr -b flag-1,flag-3\n");
    }

    TEST_CASE("persistence") {
        CHECK(with_netmask(Family::ipv4, -1) == "-A -f 3 -s rr -p 60\n");
        CHECK(with_netmask(Family::ipv4, 32) == "-A -f 3 -s rr -p 60\n");
        CHECK(with_netmask(Family::ipv4, 20) == "-A -f 3 -s rr -p 60 -M 255.255.240.0\n");
        CHECK(with_netmask(Family::ipv4, 0) == "-A -f 3 -s rr -p 60 -M 0.0.0.0\n");
        CHECK(with_netmask(Family::ipv6, 64) == "-A -f 3 -6 -s rr -p 60 -M 64\n");
        CHECK(with_netmask(Family::ipv6, 128) == "-A -f 3 -6 -s rr -p 60\n");
        VirtualService sip = service();
        sip.persistence = Persistence{std::chrono::seconds{60}, 24, "sip"};
        sip.one_packet = true;
        sip.scheduler = {"mh", std::vector<std::string>{"mh-port"}, {}};
        CHECK(ipvsadm_lines(sip) == "-A -f 3 -s mh -p 60 -M 255.255.255.0 --pe sip -o -b mh-port\n");
    }

    TEST_CASE("tunnels") {
        using enum Forwarding::Tunnel;
        using enum Forwarding::Checksum;
        CHECK(with_tunnel(ipip, none) == "-a -f 3 -r 10.0.0.2:0 -i -w 1 --tun-type ipip\n");
        CHECK(with_tunnel(gre, none) == "-a -f 3 -r 10.0.0.2:0 -i -w 1 --tun-type gre --tun-nocsum\n");
        CHECK(with_tunnel(gre, csum) == "-a -f 3 -r 10.0.0.2:0 -i -w 1 --tun-type gre --tun-csum\n");
        CHECK(with_tunnel(gue, remcsum) ==
              "-a -f 3 -r 10.0.0.2:0 -i -w 1 --tun-type gue --tun-port 5555 --tun-remcsum\n");
    }

    TEST_CASE("keepalived's services are not lbc's to print") {
        Site site;
        Plan plan;
        plan.services = {service()};
        CHECK(ipvsadm_text(site, plan) == "-A -f 3 -s rr\n");
        site.ipvs = IpvsOwner::keepalived;
        CHECK(ipvsadm_text(site, plan).empty());
    }
}
