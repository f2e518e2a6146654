#include "backends/apply/apply.hpp"
#include "backends/apply/ipvs_plan.hpp"
#include "cli/report/write_lines.hpp"
#include "compiler/layout/layout.hpp"
#include "tests/support/compiled.hpp"
#include "tests/support/machine.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace lbc;

namespace {

std::string const web = two_directors + "service web { vip 10.9.9.1; port tcp 80; mark 3; scheduler wrr; real lb1; "
                                        "real 10.0.0.9 weight 3 }\n";

/// The kernel of lb1 as a site wants it.
void fill(test::FakeKernel& kernel, Compiled const& site) {
    auto const plan = site.plan("lb1");
    auto const rules = mark_rules(site.site, plan, layout_auto);
    kernel.tables = {rules[0], rules[1]};
    kernel.services = ipvs_services(plan);
}

bool only_reads(test::FakeKernel const& kernel) {
    return std::ranges::none_of(kernel.log, [](std::string const& call) {
        return call.starts_with("write") || call.starts_with("replace") || call.starts_with("start") ||
               call.starts_with("stop") || call.starts_with("lock");
    });
}

} // namespace

TEST_CASE("diff: a kernel as the file says") {
    test::Machine lbc({{"site.lb", web}});
    fill(lbc.kernel, Compiled(web));
    lbc.kernel.services[0].reals[0].local = true; // IPVS does not tell its method then
    lbc.kernel.services[0].reals[0].server.forwarding.method = Forwarding::Method::nat;
    CHECK(lbc.run({"diff", "site.lb", "--exit-code"}) == 0);
    CHECK(lbc.out.str() == "no difference\n");
    CHECK(only_reads(lbc.kernel));
}

TEST_CASE("diff: a kernel without rules, with a service too many and a weight of its own") {
    test::Machine lbc({{"site.lb", web}});
    fill(lbc.kernel, Compiled(web));
    lbc.kernel.tables = {Ruleset{Family::ipv4, {}, {}}, Ruleset{Family::ipv6, {}, {}}};
    lbc.kernel.services[0].reals[1].server.weight = 1;
    lbc.kernel.services[0].reals.push_back(
        {.server = {.address = *IpAddress::parse("10.0.0.7"), .port = {}, .forwarding = {}, .span = {}},
         .active = 1'200,
         .inactive = 4});
    lbc.kernel.services.push_back({.key = {Fwmark{0x123}, Family::ipv4}, .parameters = {.scheduler = "rr"}});
    CHECK(lbc.run({"diff", "site.lb", "--exit-code"}) == 1);
    CHECK(lbc.out.str() ==
          "service web\n"
          "    lb1: 10.9.9.1:80/tcp is now balanced (mark 0x3); open TCP connections stay where they are\n"
          "    lb1: real server 10.0.0.9: weight 1 to 3; now weight 3 of 4 (75 % of new connections); established "
          "connections go on\n"
          "  ! lb1: real server 10.0.0.7 removed, had weight 1 of 3 (about 33 % of new connections); its 1,204 "
          "connections break, unless `lbc apply --drain` lets them end\n"
          "service fwmark 0x123\n"
          "  ! lb1: virtual service fwmark 0x123 (IPv4) removed; its established connections break\n"
          "4 changes, 2 disruptive; on lb1\n");
    CHECK(only_reads(lbc.kernel));
    CHECK(lbc.run({"diff", "site.lb", "--only", "marks"}) == 0);
    CHECK(lbc.out.str().find("10.0.0.7") == std::string::npos);
    CHECK(lbc.run({"diff", "site.lb", "--only", "ipvs"}) == 0);
    CHECK(lbc.out.str().find("is now balanced") == std::string::npos);
}

TEST_CASE("diff: rules that lbc did not write") {
    test::Machine lbc({{"site.lb", web}});
    fill(lbc.kernel, Compiled(web));
    Rule strange;
    strange.when.unknown = "-m owner";
    strange.then = SetMark{Fwmark{9}};
    auto const chain = std::ranges::find(lbc.kernel.tables[0].chains, "LBC", &Chain::name);
    REQUIRE(chain != lbc.kernel.tables[0].chains.end());
    chain->rules.push_back(strange);
    CHECK(lbc.run({"diff", "site.lb"}) == 0);
    CHECK(lbc.out.str().find("a rule that lbc does not understand") != std::string::npos);
}

TEST_CASE("diff: IPVS is asked only where it matters") {
    test::Machine lbc({{"site.lb", web}});
    fill(lbc.kernel, Compiled(web));
    lbc.kernel.has_ipvs = false;
    CHECK(lbc.run({"diff", "site.lb"}) == 3);
    CHECK(lbc.run({"diff", "site.lb", "--only", "marks", "--exit-code"}) == 0);
}

TEST_CASE("diff: bad input is told of both sides, and nothing is compared") {
    test::Machine lbc({{"old.lb", "director {"}, {"new.lb", web}});
    CHECK(lbc.run({"diff", "old.lb", "new.lb"}) == 2);
    CHECK(lbc.out.str().empty());
    CHECK(lbc.err.str().find("old.lb:1:") != std::string::npos);
    CHECK(lbc.run({"diff", "new.lb", "none.lb"}) == 2);
    CHECK(lbc.run({"diff", "new.lb", "new.lb", "-d", "lb9"}) == 2);
    CHECK(lbc.run({"diff", "new.lb", "new.lb", "--only", "marks"}) == 2);
    CHECK(lbc.run({"diff"}) == 2);
}

TEST_CASE("diff: one director of two") {
    auto changed = web;
    changed.replace(changed.find("port tcp 80"), 11, "port tcp 81");
    test::Machine lbc({{"old.lb", web}, {"new.lb", changed}});
    CHECK(lbc.run({"diff", "old.lb", "new.lb", "--format", "json"}) == 0);
    auto const both = nlohmann::json::parse(lbc.out.str());
    CHECK(both["changes"][0]["directors"] == std::vector<std::string>{"lb1", "lb2"});
    CHECK(lbc.run({"diff", "old.lb", "new.lb", "--format", "json", "-d", "lb2"}) == 0);
    auto const one = nlohmann::json::parse(lbc.out.str());
    CHECK(one["changes"][0]["directors"] == std::vector<std::string>{"lb2"});
    CHECK(one["traffic"].size() == 1);
    CHECK(one["writes"].size() == 1);
}

TEST_CASE("lines: what stays in its order is no difference, whatever moves around it") {
    auto const rule = [](std::uint32_t mark) { return Rule{{}, SetMark{Fwmark{mark}}, {}}; };
    auto const rules = [&](std::vector<std::uint32_t> const& marks) {
        Ruleset out;
        out.chains.push_back({"LBC", {}});
        for (auto const mark : marks)
            out.chains[0].rules.push_back(rule(mark));
        return out;
    };
    auto const lines = line_difference({Family::ipv4, rules({1, 2, 3, 4, 5}), rules({1, 3, 4, 2, 2, 6, 5})});
    CHECK(lines.removed == std::vector<std::string>{"-A LBC -j MARK --set-xmark 0x2/0xffffffff"});
    CHECK(lines.added == std::vector<std::string>{"-A LBC -j MARK --set-xmark 0x2/0xffffffff",
                                                  "-A LBC -j MARK --set-xmark 0x2/0xffffffff",
                                                  "-A LBC -j MARK --set-xmark 0x6/0xffffffff"});
    CHECK(line_difference({Family::ipv4, rules({1, 1}), rules({1, 1})}).added.empty());
}
