#include "backends/emit/json/json.hpp"
#include "cli/input/message_json.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

using namespace lbc;
using nlohmann::json;

namespace {

/// A director and a service, with spans into one file.
struct Fixture {
    Sources sources;
    FileId file = sources.add("site.lb", "director lb1 {}\nservice web {}\n");
    Site site;
    Plan plan;

    Fixture() {
        Director director;
        director.name = {"lb1", {file, 9, 12}};
        director.hostname = "lb1";
        director.span = {file, 0, 15};
        site.directors.push_back(director);
        Service service;
        service.name = {"web", {file, 24, 27}};
        service.vips.push_back({Prefix::host(*IpAddress::parse("192.0.2.1")), {}});
        service.ports.push_back({Protocol::tcp, {{Port{80}, Port{80}}}, {}});
        service.on.push_back({DirectorId{0}, Fwmark{3}, false, {file, 16, 17}});
        service.span = {file, 16, 30};
        site.services.push_back(service);
        plan.director = DirectorId{0};
    }

    [[nodiscard]] std::string text() const { return json_text(site, sources, std::array{plan}, layout_linear); }
    [[nodiscard]] json parsed() const { return json::parse(text()); }
    [[nodiscard]] json service() const { return parsed()["site"]["services"][0]; }
};

RealServer real_server(std::string_view address) {
    RealServer real;
    real.address = *IpAddress::parse(address);
    return real;
}

} // namespace

TEST_CASE("json: a site without plans, byte for byte") {
    Sources const sources;
    CHECK(json_text({}, sources, {}, layout_linear) == R"({
  "format": 1,
  "site": {
    "ipvs": "lbc",
    "marks": {
      "first": 256,
      "last": 4095
    },
    "guard": {
      "mode": "off"
    },
    "directors": [],
    "services": [],
    "vrrp": []
  },
  "plans": []
}
)");
}

TEST_CASE("json: every director and service has its place") {
    auto const site = Fixture().parsed()["site"];
    CHECK(site["directors"][0]["source"] == json{{"file", "site.lb"}, {"line", 1}, {"column", 1}});
    CHECK(site["services"][0]["source"] == json{{"file", "site.lb"}, {"line", 2}, {"column", 1}});
}

TEST_CASE("json: lists are there when empty, absent values are not") {
    auto const service = Fixture().service();
    CHECK(service["real_servers"] == json::array());
    CHECK(service["checks"] == json::array());
    for (auto const* key : {"description", "persistent", "quorum"})
        CHECK_FALSE(service.contains(key));
    CHECK(service["on"][0]["mark"] == 3);
    CHECK(service["vips"] == json{"192.0.2.1"});
    CHECK(service["ports"][0]["ranges"] == json{{{"first", 80}, {"last", 80}}});
}

TEST_CASE("json: forwarding says what belongs to its method") {
    Fixture fixture;
    auto& forwarding = fixture.site.services[0].forwarding;
    using enum Forwarding::Method;
    using enum Forwarding::Tunnel;
    using enum Forwarding::Checksum;
    auto const said = [&](Forwarding const& value) {
        forwarding = value;
        return fixture.service()["forward"];
    };
    CHECK(said({dr, ipip, Port{}, none}) == json{{"method", "dr"}});
    CHECK(said({nat, ipip, Port{}, none}) == json{{"method", "nat"}});
    CHECK(said({tun, ipip, Port{}, none}) == json{{"method", "tun"}, {"tunnel", "ipip"}});
    CHECK(said({tun, gre, Port{}, csum}) == json{{"method", "tun"}, {"tunnel", "gre"}, {"checksum", "csum"}});
    CHECK(said({tun, gue, Port{5555}, remcsum}) ==
          json{{"method", "tun"}, {"tunnel", "gue"}, {"port", 5555}, {"checksum", "remcsum"}});
}

TEST_CASE("json: a port or a limit that is not set is absent") {
    Fixture fixture;
    auto& reals = fixture.site.services[0].reals;
    reals.assign(3, real_server("192.0.2.9"));
    reals[1].port = Port{8080};
    reals[1].connections_max = 100;
    reals[2].director = DirectorId{0};
    reals[2].connections_min = 10;
    reals[2].connections_max = 4294967295;
    auto const said = fixture.service()["real_servers"];
    CHECK_FALSE(said[0].contains("port"));
    CHECK_FALSE(said[0].contains("connections"));
    CHECK_FALSE(said[0].contains("director"));
    CHECK(said[1]["port"] == 8080);
    CHECK(said[1]["connections"] == json{{"max", 100}});
    CHECK(said[2]["director"] == "lb1");
    CHECK(said[2]["connections"] == json{{"min", 10}, {"max", 4294967295}});
}

TEST_CASE("json: a UDP check that takes any reply is told from one that needs none") {
    Fixture fixture;
    Check check;
    check.kind = Check::Kind::udp;
    fixture.site.services[0].checks.edit().assign(2, check);
    fixture.site.services[0].checks.edit()[1].reply = "";
    auto const said = fixture.service()["checks"];
    CHECK_FALSE(said[0].contains("reply"));
    CHECK(said[1]["reply"] == "");
}

TEST_CASE("json: times keep their milliseconds") {
    Fixture fixture;
    Check check;
    check.every = Milliseconds(250);
    check.timeout = std::chrono::hours(1);
    fixture.site.services[0].checks.edit().push_back(check);
    fixture.site.services[0].persistence = Persistence{};
    CHECK(fixture.service()["checks"][0]["every_ms"] == 250);
    CHECK(fixture.service()["checks"][0]["timeout_ms"] == 3'600'000);
    CHECK(fixture.service()["persistent"] == json{{"timeout_s", 360}});
}

TEST_CASE("json: bytes that are no UTF-8 are replaced") {
    Fixture fixture;
    fixture.site.services[0].description = "caf\xe9 \x01 \"x\"";
    CHECK(fixture.service()["description"] == "caf\xef\xbf\xbd \x01 \"x\"");
}

TEST_CASE("json: the plan has the marks as classes and as rules") {
    Fixture fixture;
    MarkClass packets;
    packets.destination = Prefix::host(*IpAddress::parse("192.0.2.1"));
    packets.protocol = Protocol::tcp;
    packets.ports = {{Port{80}, Port{80}}};
    packets.mark = Fwmark{0xffffffff};
    fixture.plan.marks.classes.push_back(packets);
    fixture.plan.marks.peers.push_back(*MacAddress::parse("02:00:00:00:00:02"));
    auto const plan = fixture.parsed()["plans"][0];
    CHECK(plan["director"] == "lb1");
    CHECK(plan["marks"]["classes"][0]["mark"] == 4294967295);
    CHECK(plan["marks"]["peers"] == json{"02:00:00:00:00:02"});
    CHECK_FALSE(plan["marks"].contains("guard"));
    REQUIRE(plan["rulesets"].size() == 1); // no IPv6 class, no IPv6 rules
    auto const& rules = plan["rulesets"][0];
    CHECK(rules["family"] == "ipv4");
    CHECK(rules["hooks"][0] == json{{"chain", "PREROUTING"}, {"rule", "-j LBC"}});
    CHECK(rules["chains"][0]["name"] == "LBC");
    CHECK(rules["chains"][0]["rules"].back().get<std::string>().find("--set-xmark 0xffffffff") != std::string::npos);
}

TEST_CASE("json: the plan's guard and virtual services") {
    Fixture fixture;
    Guard const guard{GuardMode::drop, Fwmark{0x100}, {{*IpAddress::parse("192.0.2.7"), 17, Port{5555}}}};
    fixture.plan.marks.guard = guard;
    VirtualService service;
    service.mark = Fwmark{3};
    service.family = Family::ipv6;
    service.reals.push_back({*IpAddress::parse("2001:db8::1"), Port{0}, 0, {}, 0, 0, {}});
    fixture.plan.services.push_back(service);
    auto const plan = fixture.parsed()["plans"][0];
    CHECK(plan["marks"]["guard"]["mode"] == "drop");
    CHECK(plan["marks"]["guard"]["tunnels"] == json{{{"address", "192.0.2.7"}, {"protocol", 17}, {"port", 5555}}});
    auto const& said = plan["virtual_services"][0];
    CHECK(said["service"] == "web");
    CHECK(said["family"] == "ipv6");
    CHECK(said["scheduler"] == json{{"name", "wlc"}, {"flags", json::array()}});
    CHECK(said["real_servers"][0]["address"] == "2001:db8::1");
    CHECK(said["real_servers"][0]["weight"] == 0);
}

TEST_CASE("json: equal sites give equal bytes") { CHECK(Fixture().text() == Fixture().text()); }

TEST_CASE("json: a message is one line with its place and its notes") {
    Sources sources;
    auto const first = sources.add("a.lb", "vip 192.0.2.1\n");
    auto const second = sources.add("b.lb", "\nvip \"a\nb\"\n");
    Diagnostic diagnostic{DiagId::duplicate_vip, {second, 5, 10}, "two\nlines", {}};
    diagnostic.note({first, 4, 13}, "first claimed here");
    CHECK(message_json(sources, Gathered{diagnostic, {}}) ==
          R"({"file":"b.lb","line":2,"column":5,"end_line":3,"end_column":3,"severity":"error",)"
          R"("id":"duplicate-vip","message":"two\nlines","notes":[{"file":"a.lb","line":1,"column":5,)"
          R"("end_line":1,"end_column":14,"message":"first claimed here"}],"more":[]})"
          "\n");
    CHECK(message_json(sources, Gathered{{DiagId::unused, {first, 0, 3}, "unused", {}}, {}})
              .find(R"("severity":"warning")") != std::string::npos);
}

TEST_CASE("json: a message survives any bytes") {
    Sources sources;
    auto const file = sources.add("\xff.lb", "\xc3\x28");
    auto const line = message_json(sources, Gathered{{DiagId::syntax, {file, 0, 1}, "a \x80 b", {}}, {}});
    CHECK(json::parse(line)["message"] == "a \xef\xbf\xbd b");
    CHECK(json::parse(line)["file"] == "\xef\xbf\xbd.lb");
}
