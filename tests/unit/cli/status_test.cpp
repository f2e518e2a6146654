#include "backends/apply/ipvs_plan.hpp"
#include "cli/report/status_view.hpp"
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

StatusView view_of(Compiled const& compiled, std::vector<IpvsService> const& kernel) {
    StatusView view;
    view.director = "lb1";
    view.services = compare_services(compiled.site, compiled.plan("lb1"), kernel);
    return view;
}

StatusView view(std::vector<IpvsService> const& kernel) { return view_of(site(), kernel); }

std::vector<IpvsService> as_site() { return ipvs_services(site().plan("lb1")); }

} // namespace

TEST_CASE("status: a kernel as the site says") {
    auto kernel = as_site();
    kernel[0].reals[0].local = true;
    kernel[0].reals[1].active = 12'345;
    auto status = view(kernel);
    status.around.marks.emplace();
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
    Compiled const checked("ipvs keepalived\n" + std::string(two_directors) +
                           "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1 weight 0; real lb2 weight 3;"
                           " sorry 10.0.0.99 }\n"
                           "service api { vip 10.9.9.2; port tcp 80; mark 4; real lb2"
                           " { check script { command \"/bin/true\"; dynamic } } }\n");
    REQUIRE_FALSE(checked.diagnostics.has_errors());
    auto kernel = ipvs_services(checked.plan("lb1"));
    kernel[0].reals.erase(kernel[0].reals.begin());
    kernel[0].reals[0].server.weight = 0;
    kernel[0].reals.emplace_back().server.address = *IpAddress::parse("10.0.0.99");
    kernel[1].reals[0].server.weight = 77;
    auto const status = view_of(checked, kernel);
    CHECK(status.services[0].reals[0].presence == Presence::down);
    CHECK_FALSE(status.services[0].reals[0].is_there);
    CHECK(status.services[0].reals[1].presence == Presence::down);
    CHECK(status.services[0].reals[1].is_there);
    CHECK(status.services[0].reals[2].presence == Presence::sorry);
    CHECK(status.services[1].reals[0].presence == Presence::as_site);
    CHECK(status.differences() == 0);
    CHECK(status.problems() == 0);
    // Without the sorry server, nothing takes the service's packets.
    kernel[0].reals.pop_back();
    auto const down = view_of(checked, kernel);
    CHECK(down.services[0].is_down());
    CHECK_FALSE(down.services[1].is_down());
    CHECK(down.differences() == 0);
    CHECK(down.problems() == 1);
    CHECK(status_text(down, false).contains("web (IPv4): down, no real server is up, and IPVS drops its packets\n"));
    CHECK_FALSE(status_text(down, false).contains("as the site says"));
}

TEST_CASE("status: mangle tables and settings count") {
    Ruleset const nothing{Family::ipv6, {}, {}};
    Ruleset const rules{
        Family::ipv4, {{"LBC", {{{}, SetMark{Fwmark{3}}, {}}}}}, {{"PREROUTING", {{}, Jump{"LBC"}, {}}}}};
    Ruleset const other{
        Family::ipv4, {{"LBC", {{{}, SetMark{Fwmark{4}}, {}}}}}, {{"PREROUTING", {{}, Jump{"LBC"}, {}}}}};
    auto const presence = [&](Ruleset const& now, Ruleset const& wanted) {
        return compare_tables({{Family::ipv4, now, wanted}}, {}).front().presence;
    };
    CHECK(compare_tables({{Family::ipv6, nothing, nothing}}, {}).empty());
    CHECK(presence(rules, rules) == Presence::as_site);
    CHECK(presence(other, rules) == Presence::differs);
    CHECK(presence(nothing, rules) == Presence::missing);
    CHECK(presence(rules, nothing) == Presence::extra);
    auto status = view(as_site());
    status.marks = compare_tables({{Family::ipv4, rules, other}}, {});
    status.daemons_differ = true;
    status.settings = {{Sysctl::backup_only, 1, 1}, {Sysctl::ip_forward, 0, 1}};
    CHECK(status.differences() == 3);
    NftState nft;
    nft.chains = {nft_chain("prerouting", {{{Return{}}}})};
    auto const by_nft = [&](NftState const& now, NftState const& wanted) {
        return compare_tables({}, NftChange{now, wanted}).front();
    };
    CHECK(by_nft(nft, nft).presence == Presence::as_site);
    CHECK(by_nft(NftState{}, nft).presence == Presence::missing);
    CHECK(by_nft(nft, NftState{}).presence == Presence::extra);
    CHECK(by_nft(nft, nft).rules == 1);
    CHECK(compare_tables({}, NftChange{}).empty());
    status.marks.push_back(by_nft(nft, nft));
    CHECK(status_text(status, false).contains("table inet lbc of nftables: rules 1, ok\n"));
    auto const text = status_text(status, false);
    CHECK(text.find("IPv4 mangle table: rules 2, differs\n") != std::string::npos);
    CHECK(text.find("sync daemons: differs\nnet.ipv4.vs.backup_only: 1\nnet.ipv4.ip_forward: 0 (site: 1)\nlb1: ") !=
          std::string::npos);
}

TEST_CASE("status: is never as the site says where a foreign rule overrides the marks") {
    auto status = view(as_site());
    status.around.marks.emplace();
    CHECK(status_text(status, false).ends_with("lb1: 2 virtual services, 3 real servers, as the site says\n"));
    status.around.marks->by_others = 1;
    status.around.marks->lines = {"decided by mangle PREROUTING 1"};
    CHECK(status.differences() == 0);
    CHECK(status_text(status, false)
              .ends_with("marks of packets: overridden by a foreign rule, see `lbc verify`\n"
                         "  decided by mangle PREROUTING 1\n"
                         "lb1: 2 virtual services, 3 real servers; 1 problem that `lbc apply` does not fix, see "
                         "above\n"));
    CHECK(status_prometheus(status).contains("lbc_marks_hold{director=\"lb1\"} 0\n"));
    // Own rules that are not loaded yet are no second problem.
    status.around.marks = MarkCheck{.by_own = 1, .lines = {}, .unreadable = {}};
    status.marks = {{"IPv4 mangle table", "mangle", Family::ipv4, 0, Presence::missing}};
    CHECK(status.problems() == 0);
    CHECK(status.differences() == 1);
    status.around.marks = MarkCheck{.lines = {}, .unreadable = "no right"};
    CHECK(status_text(status, false).contains("marks of packets: unknown: no right, see `lbc verify`\n"));
    status.around.marks.reset();
    status.marks.clear();
    CHECK(status_text(status, false)
              .ends_with("no difference; whether packets get the site's marks is unknown here: `lbc verify` proves "
                         "it\n"));
}

TEST_CASE("status: a keepalived that does not run is not mended by apply") {
    Compiled const managed("ipvs keepalived\n" + std::string(two_directors) +
                           "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }\n");
    auto status = view_of(managed, {});
    status.around.marks.emplace();
    status.around.keepalived = KeepalivedView{.runs = false, .has_site_file = true, .unknown = {}};
    CHECK(status.differences() == 0);
    CHECK(status.problems() == 2); // it does not run, and the service is missing for it
    auto const text = status_text(status, false);
    CHECK(text.contains("keepalived: does not run, so no service is there: start it\n"));
    CHECK_FALSE(text.contains("`lbc apply` fixes"));
    status.around.keepalived->has_site_file = false;
    CHECK(status.differences() == 1); // its file alone
    status.around.keepalived->runs = true;
    CHECK(status.differences() == 2);
    CHECK(status.problems() == 0);
    status.around.keepalived->unknown = "no right to look";
    CHECK(status_text(status, false).contains("keepalived: no right to look\n"));
    CHECK_FALSE(status_prometheus(status).contains("keepalived_runs"));
}

TEST_CASE("status: who holds each VIP") {
    std::vector<Interface> const box{
        {.name = "lo", .kind = {}, .mac = {}, .index = 1, .addresses = {{*IpAddress::parse("10.9.9.2"), 32}}},
        {.name = "eth0", .kind = {}, .mac = {}, .index = 2, .addresses = {{*IpAddress::parse("10.9.9.1"), 24}}}};
    auto status = view(as_site());
    status.around.vips = vips_here(site().site, *site().site.find_director("lb1"), box);
    auto const text = status_text(status, false);
    CHECK(text.contains("VIPs of this box: 10.9.9.1 on eth0\nVIPs of no interface of this box: 10.9.9.2\n"));
    auto const json = nlohmann::json::parse(status_json(status));
    CHECK(json["vips"][0]["interface"] == "eth0");
    CHECK(json["vips"][1]["interface"] == nullptr);
    CHECK(status_prometheus(status).contains("lbc_vip_held{director=\"lb1\",vip=\"10.9.9.2\"} 0\n"));
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
