#include "backends/apply/ipvs_plan.hpp"
#include "backends/ipvs/ipvs_refusal.hpp"
#include "tests/support/applied.hpp"
#include "tests/support/compiled.hpp"
#include "tests/support/fake_kernel.hpp"

#include <doctest/doctest.h>

#include <linux/ip_vs.h>

#include <algorithm>
#include <cerrno>

namespace lbc {
namespace {

using test::FakeKernel;
using Outcome = ApplyFailure::Outcome;
using Log = std::vector<std::string>;
using Lines = std::vector<std::string>;

constexpr ServiceKey web{Fwmark{3}, Family::ipv4};

IpvsReal real(std::string_view address, std::uint32_t weight = 1) {
    IpvsReal made;
    made.server.address = *IpAddress::parse(address);
    made.server.weight = weight;
    return made;
}

IpvsService service(std::uint32_t mark, std::vector<IpvsReal> reals, std::string scheduler = "rr") {
    return {.key = {Fwmark{mark}, Family::ipv4},
            .parameters = {.scheduler = std::move(scheduler), .netmask = 32},
            .reals = std::move(reals)};
}

Lines lines(std::vector<IpvsChange> const& changes) {
    Lines out;
    for (IpvsChange const& change : changes)
        out.push_back(change.str());
    return out;
}

std::expected<Changes, ApplyFailure> apply(FakeKernel& kernel, IpvsWanted wanted) {
    return test::apply(kernel, {.marks = std::nullopt, .ipvs = std::move(wanted)});
}

IpvsWanted wanted(std::vector<IpvsService> services) {
    IpvsWanted made;
    made.services = std::move(services);
    made.range = {Fwmark{0x100}, Fwmark{0xfff}};
    return made;
}

/// What is in the kernel, by words.
Lines state(FakeKernel const& kernel) {
    auto out = lines(ipvs_difference({}, kernel.services).grow);
    std::ranges::sort(out);
    return out;
}

bool writes(std::string const& call) { return call.starts_with("write") || call.starts_with("st"); }

} // namespace

TEST_CASE("ipvs: a plan in IPVS's terms") {
    Compiled const compiled(
        "director lb1 { mac 02:00:00:00:00:01 }\n"
        "service dns { vip 10.9.9.1; port udp 53; mark 3; scheduler sh sh-port, sh-fallback; one-packet\n"
        "  real 10.0.0.1 weight 4 connections 10-20; real 10.0.0.2:53 forward nat }\n"
        "service sip { vip 10.9.9.2; port any; mark 4; persistent 90s netmask 24 engine sip\n"
        "  real 10.0.0.1 forward tun gue port 5555 csum }\n");
    auto const services = ipvs_services(compiled.plan("lb1"));
    REQUIRE(services.size() == 2);
    CHECK(services[0].parameters.flags == (IP_VS_SVC_F_ONEPACKET | IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2));
    CHECK(services[0].parameters.netmask == 32);
    CHECK(services[0].reals[0].server.connections_max == 20);
    CHECK(services[0].reals[1].server.port == Port{53});
    CHECK(services[1].parameters.flags == IP_VS_SVC_F_PERSISTENT);
    CHECK(services[1].parameters.timeout == 90);
    CHECK(services[1].parameters.netmask == 24);
    CHECK(services[1].parameters.engine == "sip");
}

TEST_CASE("ipvs: the difference changes in place what both have") {
    std::vector const from{service(3, {real("10.0.0.1"), real("10.0.0.2", 2)}), service(4, {real("10.0.0.1")})};
    std::vector const to{service(3, {real("10.0.0.2", 3), real("10.0.0.3")}, "wlc"), service(5, {real("10.0.0.9")})};
    auto const difference = ipvs_difference(from, to);
    CHECK(lines(difference.grow) == Lines{"change service fwmark 0x3 (IPv4), wlc",
                                          "change real server 10.0.0.2 of fwmark 0x3 (IPv4): weight 3, dr",
                                          "add real server 10.0.0.3 to fwmark 0x3 (IPv4): weight 1, dr",
                                          "add service fwmark 0x5 (IPv4), rr",
                                          "add real server 10.0.0.9 to fwmark 0x5 (IPv4): weight 1, dr"});
    CHECK(lines(difference.shrink) ==
          Lines{"remove real server 10.0.0.1 from fwmark 0x3 (IPv4)", "remove service fwmark 0x4 (IPv4)"});
    CHECK(lines(drained(difference)) == Lines{"change real server 10.0.0.1 of fwmark 0x3 (IPv4): weight 0, dr"});
    CHECK(ipvs_difference(to, to).empty());
}

TEST_CASE("ipvs: a local real server has no forwarding method to differ by") {
    auto local = real("10.0.0.1");
    local.local = true;
    auto tunnelled = real("10.0.0.1");
    tunnelled.server.forwarding.method = Forwarding::Method::tun;
    CHECK(local.same_settings(tunnelled));
    CHECK(tunnelled.same_settings(local));
    CHECK_FALSE(real("10.0.0.1").same_settings(tunnelled));
    tunnelled.server.weight = 2;
    CHECK_FALSE(local.same_settings(tunnelled));
}

TEST_CASE("ipvs: what a refused daemon means, at its place in the source") {
    SyncDaemon daemon{.role = SyncDaemon::Role::backup, .interface = "eth9", .id = 7};
    daemon.span = Span{FileId{0}, 3, 7};
    auto const error = ipvs_daemon_refusal(daemon, ENODEV);
    CHECK(error.message == "cannot start the backup sync daemon on eth9: No such device; this box has no interface "
                           "eth9 that is up");
    CHECK(error.place == daemon.span);
    CHECK(ipvs_daemon_refusal(daemon, EPERM).kind == SystemError::Kind::permission);
    CHECK(ipvs_daemon_refusal(daemon, EEXIST).kind == SystemError::Kind::changed);
}

TEST_CASE("ipvs: what the kernel chooses for a daemon is no difference") {
    SyncDaemon const site{.role = SyncDaemon::Role::master, .interface = "eth1", .id = 7};
    SyncDaemon running = site;
    running.maxlen = 1460;
    running.port = 8848;
    running.ttl = 1;
    running.group = IpAddress::parse("224.0.0.81");
    CHECK(site.is_met_by(running));
    running.id = 8;
    CHECK_FALSE(site.is_met_by(running));
}

TEST_CASE("ipvs: foreign services stay, lbc's own go, by range, record and rules") {
    FakeKernel kernel;
    kernel.services = {service(7, {}), service(0x100, {}), service(9, {}), service(11, {})};
    kernel.record.marks = {Fwmark{9}};
    kernel.tables[0] = {Family::ipv4, {{"LBC", {{{}, SetMark{Fwmark{11}}, {}}, {{}, SetMark{Fwmark{0}}, {}}}}}, {}};
    auto site = wanted({service(3, {})});
    site.rules_tell = true;
    REQUIRE(test::apply(kernel, {.marks = no_marks(), .ipvs = site}));
    CHECK(state(kernel) == Lines{"add service fwmark 0x3 (IPv4), rr", "add service fwmark 0x7 (IPv4), rr"});
    CHECK(kernel.record.marks == std::set<Fwmark>{Fwmark{3}});
}

TEST_CASE("ipvs: what is taken off is what the record names, not what carries the mark of a rule") {
    FakeKernel kernel;
    kernel.services = {service(9, {}), service(11, {})};
    kernel.record.marks = {Fwmark{9}};
    kernel.tables[0] = {Family::ipv4, {{"LBC", {{{}, SetMark{Fwmark{11}}, {}}}}}, {}};
    REQUIRE(test::apply(kernel, {.marks = no_marks(), .ipvs = IpvsWanted{}}));
    CHECK(state(kernel) == Lines{"add service fwmark 0xb (IPv4), rr"}); // keepalived's
}

TEST_CASE("ipvs: the record names what is lbc's before the first write and after the last") {
    FakeKernel kernel;
    kernel.services = {service(9, {})};
    kernel.record.marks = {Fwmark{9}};
    std::set<Fwmark> during;
    kernel.before_call = [&](std::string_view name) {
        if (name == "write services")
            during = kernel.record.marks;
    };
    REQUIRE(apply(kernel, wanted({service(3, {})})));
    CHECK(during == std::set<Fwmark>{Fwmark{3}, Fwmark{9}});
    CHECK(kernel.record.marks == std::set<Fwmark>{Fwmark{3}});
}

TEST_CASE("ipvs: nothing that differs, nothing written") {
    FakeKernel kernel;
    auto const site = wanted({service(3, {real("10.0.0.1")})});
    REQUIRE(apply(kernel, site));
    kernel.log.clear();
    auto const changes = apply(kernel, site);
    REQUIRE(changes);
    CHECK(changes->empty());
    CHECK(std::ranges::none_of(kernel.log, writes));
}

TEST_CASE("ipvs: services grow before the marks and shrink behind them") {
    FakeKernel kernel;
    kernel.services = {service(0x100, {})};
    MarkRules marks = no_marks();
    marks[0].chains.push_back({"LBC", {{{}, SetMark{Fwmark{3}}, {}}}});
    std::vector<std::size_t> seen;
    kernel.before_call = [&](std::string_view name) {
        if (name == "replace ipv4")
            seen = {kernel.services.size()};
    };
    auto transaction = Transaction::plan(kernel, {.marks = marks, .ipvs = wanted({service(3, {})})}, {});
    REQUIRE(transaction);
    REQUIRE(transaction->run());
    CHECK(seen == std::vector<std::size_t>{2});
    CHECK(kernel.services.size() == 1);
}

TEST_CASE("ipvs: whichever call fails, everything is as before") {
    auto const prepare = [](FakeKernel& kernel) {
        kernel.services = {service(3, {real("10.0.0.1"), real("10.0.0.2")}), service(0x100, {real("10.0.0.3")})};
        kernel.daemons = {{.role = SyncDaemon::Role::backup, .interface = "eth9", .id = 1}};
        kernel.record = {{Fwmark{3}}, {}, true};
    };
    auto site = wanted({service(3, {real("10.0.0.1", 5), real("10.0.0.4")}, "wlc"), service(4, {real("10.0.0.1")})});
    site.daemons = {{.role = SyncDaemon::Role::master, .interface = "eth1", .id = 7},
                    {.role = SyncDaemon::Role::backup, .interface = "eth1", .id = 7}};
    site.sysctls[Sysctl::backup_only] = 1;
    FakeKernel old;
    prepare(old);
    FakeKernel fine;
    prepare(fine);
    REQUIRE(apply(fine, site));
    CHECK(fine.daemons.size() == 2);
    CHECK(fine.sysctls.at(Sysctl::backup_only) == 1);
    auto const calls = fine.log;
    for (std::size_t place = 0; place < calls.size(); ++place) {
        if (calls[place] == "unlock")
            continue;
        CAPTURE(place);
        CAPTURE(calls[place]);
        FakeKernel kernel;
        prepare(kernel);
        kernel.failures[place] = {SystemError::Kind::failed, EIO, "first"};
        auto const result = apply(kernel, site);
        REQUIRE_FALSE(result);
        CHECK(result.error().error.message == "first");
        CHECK(result.error().outcome != Outcome::partly_applied);
        CHECK(state(kernel) == state(old));
        CHECK(kernel.daemons.size() == 1);
        CHECK(kernel.daemons.front().interface == "eth9");
        CHECK(kernel.sysctls.at(Sysctl::backup_only) == 0);
        CHECK(kernel.record == old.record);
        CHECK_FALSE(kernel.is_locked());
    }
}

TEST_CASE("ipvs: what cannot be taken back is named") {
    FakeKernel kernel;
    auto const site = wanted({service(3, {real("10.0.0.1")})});
    FakeKernel fine;
    REQUIRE(apply(fine, site));
    auto const written = std::ranges::find(fine.log, "write services") - fine.log.begin();
    auto const place = static_cast<std::size_t>(written);
    kernel.failures[place] = {SystemError::Kind::failed, EIO, "first"};
    kernel.failures[place + 2] = {SystemError::Kind::failed, EIO, "second"};
    kernel.failures[place + 3] = {SystemError::Kind::failed, EIO, "third"};
    auto const result = apply(kernel, site);
    REQUIRE_FALSE(result);
    CHECK(result.error().outcome == Outcome::partly_applied);
    CHECK_FALSE(result.error().left.empty());
}

TEST_CASE("ipvs: services that another program removes during an apply are made all the same") {
    FakeKernel kernel;
    kernel.services = {service(3, {real("10.0.0.1")})};
    bool cleared = false;
    kernel.before_call = [&](std::string_view name) {
        if (name == "write services" && !std::exchange(cleared, true))
            kernel.services.clear(); // ipvsadm -C
    };
    REQUIRE(apply(kernel, wanted({service(3, {real("10.0.0.1", 2)})})));
    REQUIRE(kernel.find(web) != nullptr);
    CHECK(kernel.find(web)->reals.size() == 1);
    CHECK(kernel.find(web)->reals.front().server.weight == 2);
}

TEST_CASE("ipvs: services that another program keeps changing end in a refusal, not in a loop") {
    FakeKernel kernel;
    kernel.services = {service(3, {real("10.0.0.1")})};
    kernel.before_call = [&](std::string_view name) {
        if (name == "write services")
            kernel.services = kernel.find(web) == nullptr ? std::vector{service(3, {})} : std::vector<IpvsService>{};
    };
    auto const result = apply(kernel, wanted({service(3, {real("10.0.0.1", 2)})}));
    REQUIRE_FALSE(result);
}

TEST_CASE("ipvs: drain keeps what leaves at weight 0, and it stays lbc's") {
    FakeKernel kernel;
    kernel.services = {service(3, {real("10.0.0.1"), real("10.0.0.2")}), service(9, {real("10.0.0.1")})};
    kernel.record.marks = {Fwmark{3}, Fwmark{9}};
    auto site = wanted({service(3, {real("10.0.0.1")})});
    site.drain = true;
    auto const changes = apply(kernel, site);
    REQUIRE(changes);
    CHECK(changes->leaving.size() == 2);
    REQUIRE(kernel.find(web)->reals.size() == 2);
    CHECK(kernel.find(web)->reals[1].server.weight == 0);
    CHECK(kernel.services.size() == 2);
    CHECK(kernel.record.marks.contains(Fwmark{9}));
    site.drain = false;
    REQUIRE(apply(kernel, site));
    CHECK(kernel.find(web)->reals.size() == 1);
    CHECK(kernel.services.size() == 1);
}

TEST_CASE("ipvs: under keepalived the services are its own") {
    FakeKernel kernel;
    kernel.services = {service(0x100, {real("10.0.0.1")})};
    IpvsWanted site;
    site.leave_services = true;
    site.sysctls[Sysctl::backup_only] = 1;
    REQUIRE(apply(kernel, site));
    CHECK(kernel.services.size() == 1);
    CHECK(kernel.sysctls.at(Sysctl::backup_only) == 1);
}

TEST_CASE("ipvs: a setting gets back the value that it had, and one that was set by others stays") {
    FakeKernel kernel;
    kernel.sysctls[Sysctl::accept_local] = 1;
    IpvsWanted site;
    site.sysctls = {{Sysctl::accept_local, 1}, {Sysctl::conn_reuse_mode, 3}};
    auto const changes = apply(kernel, site);
    REQUIRE(changes);
    CHECK(changes->settings == Lines{"set net.ipv4.vs.conn_reuse_mode to 3"});
    CHECK(kernel.record.sysctls == Sysctls{{Sysctl::conn_reuse_mode, 1}});
    CHECK(apply(kernel, site)->empty());
    REQUIRE(apply(kernel, {}));
    CHECK(kernel.sysctls[Sysctl::conn_reuse_mode] == 1);
    CHECK(kernel.sysctls[Sysctl::accept_local] == 1);
    CHECK(kernel.record == Record{});
}

TEST_CASE("ipvs: the change can be taken back later") {
    FakeKernel kernel;
    kernel.services = {service(3, {real("10.0.0.1")})};
    kernel.record.marks = {Fwmark{3}};
    auto transaction =
        Transaction::plan(kernel, {.marks = std::nullopt, .ipvs = wanted({service(4, {real("10.0.0.2")})})}, {});
    REQUIRE(transaction);
    REQUIRE(transaction->run());
    CHECK(kernel.find(web) == nullptr);
    REQUIRE(transaction->roll_back({}));
    CHECK(state(kernel) ==
          Lines{"add real server 10.0.0.1 to fwmark 0x3 (IPv4): weight 1, dr", "add service fwmark 0x3 (IPv4), rr"});
    CHECK(kernel.record.marks == std::set<Fwmark>{Fwmark{3}});
    CHECK_FALSE(kernel.is_locked());
}

} // namespace lbc
