#include "backends/apply/ipvs_plan.hpp"
#include "compiler/diff/steps.hpp"
#include "compiler/layout/layout.hpp"
#include "tests/support/compiled.hpp"
#include "tests/support/machine.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <csignal>

using namespace lbc;

namespace {

std::string site_of(std::string_view reals) {
    return two_directors + fmt::format("service web {{ vip 10.9.9.1; port tcp 80; mark 3; {} }}\n", reals);
}

bool has(std::ostringstream const& stream, std::string_view text) {
    return stream.str().find(text) != std::string::npos;
}

/// A director that has `old`, of whose real server 10.0.0.7 there are connections, and is to have `new`.
struct DrainMachine : test::Machine {
    DrainMachine()
        : Machine({{"old.lb", site_of("real lb2; real 10.0.0.7; real 10.0.0.8")}, {"new.lb", site_of("real lb2")}}) {
        REQUIRE(run({"apply", "old.lb"}) == 0);
        for (auto& real : kernel.services.front().reals)
            if (real.server.address == *IpAddress::parse("10.0.0.7"))
                real.active = 3;
    }
};

std::string two_boxes_with(std::string_view services) { return two_directors + std::string(services); }

/// Whether some order is safe.
bool is_safe(std::string const& before, std::string const& after) {
    Compiled const old(before);
    Compiled const wanted(after);
    Side const from{states_of(old.site, layout_auto), &old.site, {}};
    Side const to{states_of(wanted.site, layout_auto), &wanted.site, {}};
    return plan_rollout(from, to, compare(from, to)).verdict != Rollout::Verdict::no_order;
}

Remedy remedy_of(std::string const& before, std::string const& after) {
    Compiled const old(before);
    Compiled const wanted(after);
    Side const from{states_of(old.site, layout_auto), &old.site, {}};
    Side const to{states_of(wanted.site, layout_auto), &wanted.site, {}};
    auto const rollout = plan_rollout(from, to, compare(from, to));
    REQUIRE(rollout.verdict == Rollout::Verdict::no_order);
    return find_remedy(from, to, rollout);
}

} // namespace

TEST_CASE("apply says what it changed by the names of the file, and the writes with -v alone") {
    test::Machine m(
        {{"old.lb", site_of("real lb2; real 10.0.0.7")}, {"new.lb", site_of("real lb2 weight 4; real 10.0.0.8")}});
    CHECK(m.run({"apply", "old.lb", "--dry-run"}) == 0);
    CHECK(has(m.out, "lb1: web: new service, wlc, real servers lb2 (10.0.0.2), 10.0.0.7\n"));
    CHECK(has(m.out, "+ add service fwmark 0x3"));
    CHECK(m.run({"apply", "old.lb"}) == 0);
    CHECK(has(m.out, "lb1: web: new service, wlc, real servers lb2 (10.0.0.2), 10.0.0.7\n"));
    CHECK_FALSE(has(m.out, "add service fwmark"));
    CHECK(m.run({"apply", "new.lb", "--dry-run", "--json"}) == 0);
    auto const planned = nlohmann::json::parse(m.out.str());
    for (auto const& write : planned["services"])
        CHECK(write["service"] == "web");
    CHECK(m.run({"apply", "new.lb", "-v"}) == 0);
    CHECK(has(m.out, "lb1: web: real server 10.0.0.8 added, weight 1, dr\n"));
    CHECK(has(m.out, "lb1: web: real server lb2 (10.0.0.2) changed, weight 4, dr\n"));
    CHECK(has(m.out, "lb1: web: real server 10.0.0.7 removed\n"));
    CHECK(has(m.out, "remove real server 10.0.0.7 from fwmark 0x3"));
    CHECK(m.run({"remove"}) == 0);
    CHECK(has(m.out, m.host.name() + ": fwmark 0x3 (IPv4): service removed\n"));
}

TEST_CASE("apply under keepalived says by the names of the file what changes in its configuration") {
    test::Machine m({{"old.lb", "ipvs keepalived\n" + site_of("real lb2; real 10.0.0.7")},
                     {"new.lb", "ipvs keepalived\n" + site_of("real lb2 weight 4; real 10.0.0.8")}});
    CHECK(m.run({"apply", "old.lb"}) == 0);
    CHECK(has(m.out, "lb1: web, IPv4: new\n"));
    CHECK(m.run({"apply", "new.lb"}) == 0);
    CHECK(has(m.out, "lb1: web, IPv4: real server 10.0.0.2 changed\n"));
    CHECK(has(m.out, "lb1: web, IPv4: real server 10.0.0.8 added\n"));
    CHECK(has(m.out, "lb1: web, IPv4: real server 10.0.0.7 removed\n"));
}

TEST_CASE("a drain says what it waits for, and what it cuts") {
    DrainMachine m;
    CHECK(m.run({"apply", "new.lb", "--drain", "0s"}) == 0);
    CHECK(has(m.err, "lb1: waiting for connections to end, 0s at most, until "));
    CHECK(has(m.err, "; those that are left then are cut\nlb1: web: 3 connections to 10.0.0.7\n"));
    CHECK(has(m.err, "lb1: web: 3 connections to 10.0.0.7 cut\n"));
    CHECK_FALSE(has(m.err, "10.0.0.8"));
    CHECK(m.kernel.services.front().reals.size() == 1);
}

TEST_CASE("a drain that is told to end says what is left and how to go on") {
    DrainMachine m;
    static std::sig_atomic_t volatile seen = 0;
    auto* const before = std::signal(SIGINT, [](int) { seen = 1; });
    sigset_t interrupt;
    sigset_t mask;
    ::sigemptyset(&interrupt);
    ::sigaddset(&interrupt, SIGINT);
    ::sigprocmask(SIG_BLOCK, &interrupt, &mask);
    ::raise(SIGINT); // it is there as soon as the drain waits
    CHECK(m.run({"apply", "new.lb", "--drain", "10m"}) == 5);
    CHECK(has(m.err, "lb1: told to end: the change is made, and what leaves is still there, at weight 0; `lbc apply` "
                     "with --drain waits on, and without it removes them at once\nlb1: web: 3 connections to "
                     "10.0.0.7\n"));
    CHECK(m.kernel.services.front().reals.size() == 3);
    CHECK_FALSE(m.kernel.is_locked());
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    CHECK(seen == 1);
    std::signal(SIGINT, before);
}

TEST_CASE("rules are counted alike by apply, verify, status and remove") {
    test::Machine m({{"site.lb", site_of("real lb2; real 10.0.0.7")}});
    auto const count = [&](std::string_view before, std::string_view after) {
        auto const text = m.out.str();
        auto const at = text.find(before);
        REQUIRE(at != std::string::npos);
        auto const begin = at + before.size();
        return text.substr(begin, text.find(after, begin) - begin);
    };
    CHECK(m.run({"apply", "site.lb"}) == 0);
    auto const applied = count("IPv4 mangle table changed: rules 0 -> ", "\n");
    m.run({"status", "site.lb"});
    CHECK(count("IPv4 mangle table: rules ", ",") == applied);
    m.run({"verify", "site.lb"});
    CHECK(count("IPv4: mangle; ", " rules") == applied);
    CHECK(m.run({"remove"}) == 0);
    CHECK(count("IPv4 mangle table changed: rules ", " ") == applied);
}

TEST_CASE("diff names steps for a port that leaves, and each of them is safe as a file, too") {
    auto const old = two_boxes_with("service web { vip 10.9.9.1; port tcp 80, 443; mark 3; real lb1; real lb2 }\n");
    auto const wanted = two_boxes_with("service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }\n");
    auto const remedy = remedy_of(old, wanted);
    REQUIRE(remedy.steps.size() == 2);
    CHECK(remedy.steps[0].site ==
          "this site with one service more in it whose real servers all have weight 0: `web` as "
          "it was, by another name and without `mark`, for `vip 10.9.9.1` `port tcp 443` alone");
    CHECK(remedy.steps[1].site == "this one");
    auto const between =
        wanted + "service leaving { vip 10.9.9.1; port tcp 443; real lb1 weight 0; real lb2 weight 0 }\n";
    CHECK_FALSE(is_safe(old, wanted));
    CHECK(is_safe(old, between));
    CHECK(is_safe(between, wanted));
}

TEST_CASE("diff names steps for a VIP that leaves, and each of them is safe as a file, too") {
    auto const old =
        two_boxes_with("service web { vip 10.9.9.1, 10.9.9.2; port tcp 80; mark 3; real lb1; real lb2 }\n");
    auto const wanted = two_boxes_with("service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }\n");
    auto const remedy = remedy_of(old, wanted);
    REQUIRE(remedy.steps.size() == 2);
    CHECK(remedy.steps[0].site.find("for `vip 10.9.9.2` `port tcp 80` alone") != std::string::npos);
    auto const between =
        wanted + "service leaving { vip 10.9.9.2; port tcp 80; real lb1 weight 0; real lb2 weight 0 }\n";
    CHECK(is_safe(old, between));
    CHECK(is_safe(between, wanted));
}

TEST_CASE("diff names no step where none is proved, and says what is safe") {
    // A MAC that passes from one director to the other: no site can list it for both.
    auto const swapped = [](std::string_view a, std::string_view b) {
        return fmt::format("director lb1 {{ mac {}; address 10.0.0.1 }}\ndirector lb2 {{ mac {}; address 10.0.0.2 }}\n"
                           "service web {{ vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }}\n",
                           a, b);
    };
    auto const remedy =
        remedy_of(swapped("02:00:00:00:00:01", "02:00:00:00:00:02"), swapped("02:00:00:00:00:03", "02:00:00:00:00:01"));
    CHECK(remedy.steps.empty());
    CHECK(sentence(remedy).find("give lb1, lb2 weight 0 as real servers of web first") != std::string::npos);
}

TEST_CASE("diff at adoption names the services that keepalived takes off") {
    test::Machine m({{"site.lb", "ipvs keepalived\n" + site_of("real 10.0.0.7")}});
    REQUIRE(m.run({"apply", "site.lb"}) == 0);
    m.kernel.keepalived_file = "global_defs {\n}\nvirtual_server fwmark   1 {\n  lb_algo rr\n}\n"
                               "virtual_server 10.9.9.1 80 {\n  lb_algo rr\n}\n" +
                               m.kernel.keepalived_file.value_or("");
    CHECK(m.run({"diff", "site.lb"}) == 0);
    CHECK(has(m.out,
              "! lb1: `virtual_server fwmark 1` is not in keepalived's new configuration: keepalived removes the "
              "service; its established connections break\n"));
    CHECK(has(m.out, "! lb1: `virtual_server 10.9.9.1 80` is not in"));
    CHECK_FALSE(has(m.out, "`virtual_server fwmark 3`"));
}

TEST_CASE("a VRRP change that may make two masters is told on the director, too") {
    auto const with = [](std::string const& vrrp) {
        return "ipvs keepalived\n" + site_of("real 10.0.0.7") +
               "vrrp v { vip 10.0.0.100/24, 10.0.0.101/24; interface eth0; router-id 51; priority lb1 150, lb2 100; " +
               vrrp + " }\n";
    };
    test::Machine m({{"old.lb", with("")}, {"new.lb", with("advert 3s")}});
    REQUIRE(m.run({"apply", "old.lb"}) == 0);
    CHECK(m.run({"diff", "new.lb"}) == 0);
    CHECK(has(m.out, "! lb1: advert_int unset to 3: until all directors have it, several may be master, or a VIP on "
                     "none; connections may break\n"));
    CHECK(m.run({"apply", "new.lb"}) == 0);
    auto const note = "vrrp v: advert_int unset to 3: until all directors have it, several may be master";
    CHECK((has(m.out, note) || has(m.err, note)));
}

TEST_CASE("a keepalived that holds the services of a site that leaves it is told by diff and status") {
    auto const site = site_of("real 10.0.0.7");
    test::Machine m({{"old.lb", "ipvs keepalived\n" + site}, {"new.lb", site}});
    REQUIRE(m.run({"apply", "old.lb"}) == 0);
    m.kernel.keepalived_runs = true;
    auto const told = "keepalived runs with virtual services, and removes them when it stops: stop it, then run "
                      "`lbc apply`";
    CHECK(m.run({"diff", "new.lb"}) == 0);
    CHECK(has(m.out, std::string("! lb1: ") + told));
    CHECK(m.run({"apply", "new.lb"}) == 0);
    CHECK(m.run({"status", "new.lb"}) == 0);
    CHECK(has(m.out, told));
    CHECK_FALSE(has(m.out, "as the site says"));
    m.kernel.keepalived_runs = false;
    CHECK(m.run({"status", "new.lb"}) == 0);
    CHECK_FALSE(has(m.out, told));
}

TEST_CASE("diff advises --drain where it works alone") {
    auto const before = site_of("real 10.0.0.7; real 10.0.0.8");
    auto const after = site_of("real 10.0.0.7");
    test::Machine m({{"old.lb", before},
                     {"new.lb", after},
                     {"old-keepalived.lb", "ipvs keepalived\n" + before},
                     {"new-keepalived.lb", "ipvs keepalived\n" + after}});
    CHECK(m.run({"diff", "old.lb", "new.lb"}) == 0);
    CHECK(has(m.out, "break, unless `lbc apply --drain` lets them end"));
    CHECK(m.run({"diff", "old-keepalived.lb", "new-keepalived.lb"}) == 0);
    CHECK(has(m.out, "break, unless it gets weight 0 first and they end"));
    CHECK_FALSE(has(m.out, "--drain"));
}

TEST_CASE("five hundred warnings of one cause are one message") {
    std::string site = two_directors;
    std::string broken = two_directors;
    for (int i = 0; i < 500; ++i) {
        site +=
            fmt::format("service s{} {{ vip 10.{}.{}.1; port tcp 80; real 10.0.0.7 weight 0 }}\n", i, i / 250, i % 250);
        broken += fmt::format("service s{} {{ vip 10.{}.{}.1; port tcp 80; schedule rr; real 10.0.0.7 }}\n", i, i / 250,
                              i % 250);
    }
    broken += "service odd { vip 10.9.9.9; port tcp 80; reel 10.0.0.7; real 10.0.0.7 }\n";
    test::Machine m({{"site.lb", site + "marks 0x100-0xfff\n"}, {"broken.lb", broken}});
    auto const count = [&](std::string_view id) {
        std::size_t found = 0;
        for (auto at = m.err.str().find(id); at != std::string::npos; at = m.err.str().find(id, at + 1))
            ++found;
        return found;
    };
    CHECK(m.run({"check", "site.lb"}) == 0);
    CHECK(count("[all-drained]") == 1);
    CHECK(has(m.err, "      = 499 more: site.lb:4:"));
    CHECK(m.run({"check", "broken.lb"}) == 2);
    CHECK(count("[unknown-statement]") == 2); // of two causes
    CHECK(has(m.err, "501 errors"));
    CHECK(m.run({"check", "site.lb", "--message-format", "json"}) == 0);
    std::istringstream lines(m.err.str());
    std::size_t places = 0;
    for (std::string line; std::getline(lines, line);) {
        auto const message = nlohmann::json::parse(line);
        if (message["id"] != "all-drained")
            continue;
        places += 1 + message["more"].size();
        CHECK(message["more"][498]["message"].get<std::string>().find("`s499`") != std::string::npos);
    }
    CHECK(places == 500);
}
