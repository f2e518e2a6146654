#include "backends/ipvs/ipvs_plan.hpp"
#include "cli/status_view.hpp"
#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace lbc {
namespace {

Compiled const& site() {
    static Compiled const compiled(two_directors +
                                   "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 weight 3 }\n"
                                   "service dns { vip 10.9.9.2; port udp 53; mark 4; one-packet; real 10.0.0.9 }\n");
    return compiled;
}

StatusView view(std::vector<IpvsService> const& kernel, bool keepalived = false) {
    return compare_status(site().site, site().plan("lb1"), kernel, keepalived);
}

std::vector<IpvsService> as_site() { return ipvs_services(site().plan("lb1")); }

} // namespace

TEST_CASE("status: a kernel as the site says") {
    auto kernel = as_site();
    kernel[0].reals[0].local = true;
    kernel[0].reals[1].active = 12'345;
    auto const status = view(kernel);
    CHECK(status.differences() == 0);
    CHECK(status.services[0].reals[1].director == "lb2");
    CHECK(status_text(status, false) ==
          "SERVICE         METHOD  WEIGHT  ACTIVE  INACTIVE  TOTAL  CONN/S  PKT/S  BYTE/S  STATE\n"
          "web 0x3 IPv4    wlc              12.3k         0      0       0      0       0  ok\n"
          "  10.0.0.1 lb1  local        1       0         0      0       0      0       0  ok\n"
          "  10.0.0.2 lb2  dr           3   12.3k         0      0       0      0       0  ok\n"
          "dns 0x4 IPv4    wlc                  0         0      0       0      0       0  ok\n"
          "  10.0.0.9      dr           1       0         0      0       0      0       0  ok\n"
          "lb1: 2 virtual services, 3 real servers, as the site says\n");
}

TEST_CASE("status: what differs, is missing and is extra") {
    auto kernel = as_site();
    kernel.pop_back();
    kernel[0].reals[1].server.weight = 0;
    kernel[0].reals[0].server.address = *IpAddress::parse("10.0.0.7");
    kernel.push_back({.key = {Fwmark{0x100}, Family::ipv4}, .parameters = {.scheduler = "rr"}});
    auto const status = view(kernel);
    REQUIRE(status.services.size() == 3);
    CHECK(status.services[0].reals[0].presence == Presence::missing);
    CHECK(status.services[0].reals[1].presence == Presence::differs);
    CHECK(status.services[0].reals[2].presence == Presence::extra);
    CHECK(status.services[1].presence == Presence::missing);
    CHECK(status.services[2].presence == Presence::extra);
    CHECK(status.differences() == 5);
    auto const text = status_text(status, true);
    CHECK(text.find("0 (site: 3)") != std::string::npos);
    CHECK(text.find("(not in the site) 0x100 IPv4") != std::string::npos);
    CHECK(text.find("\x1b[31mmissing\x1b[0m") != std::string::npos);
    CHECK(text.find("lb1: 3 virtual services, 4 real servers; 5 differences from the site") != std::string::npos);
}

TEST_CASE("status: what keepalived's checks do is down, not a difference") {
    auto kernel = as_site();
    kernel[0].reals.erase(kernel[0].reals.begin());
    kernel[0].reals[0].server.weight = 0;
    auto const status = view(kernel, true);
    CHECK(status.services[0].reals[0].presence == Presence::down);
    CHECK(status.services[0].reals[1].presence == Presence::down);
    CHECK(status.differences() == 0);
}

TEST_CASE("status: JSON and Prometheus have the same figures") {
    auto kernel = as_site();
    kernel[0].reals[1].counters.connections = 77;
    auto const status = view(kernel);
    auto const json = nlohmann::json::parse(status_json(status));
    CHECK(json["services"][0]["reals"][1]["counters"]["connections"] == 77);
    CHECK(json["services"][0]["mark"] == 3);
    std::string const labels = R"(director="lb1",service="web",family="ipv4",mark="0x3",real="10.0.0.2",port="0")";
    CHECK(status_prometheus(status).find("lbc_real_connections_total{" + labels + "} 77\n") != std::string::npos);
}

} // namespace lbc
