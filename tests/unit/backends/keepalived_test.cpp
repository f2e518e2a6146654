#include "backends/keepalived/keepalived.hpp"

#include "backends/keepalived/virtual_server_blocks.hpp"
#include "tests/support/applied.hpp"
#include "tests/support/compiled.hpp"
#include "tests/support/fake_kernel.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

using namespace lbc;
using lbc::test::apply;
using lbc::test::FakeKernel;
using Outcome = ApplyFailure::Outcome;

namespace {

constexpr auto directors = "ipvs keepalived\n"
                           "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1 }\n"
                           "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2 }\n";

struct Made {
    Site site;
    Wanted wanted;
};

Made make(std::string const& services) {
    Compiled const compiled(directors + services);
    REQUIRE_FALSE(compiled.diagnostics.has_errors());
    Made made{compiled.site, {}};
    auto const plan = make_plan(made.site, DirectorId{0});
    made.wanted.ipvs.emplace();
    made.wanted.ipvs->leave_services = true;
    made.wanted.keepalived.emplace(KeepalivedWanted{.path = "/k",
                                                    .text = keepalived_text(made.site, {&plan, 1}),
                                                    .services = keepalived_services(made.site, plan),
                                                    .patience = std::chrono::milliseconds(0)});
    return made;
}

/// keepalived that makes at once what its file says, where that is one of these.
void obey(FakeKernel& kernel, std::vector<Made const*> const& sites) {
    kernel.keepalived_runs = true;
    kernel.on_reload = [sites](FakeKernel& fake) {
        fake.services.clear();
        auto const text = fake.keepalived_file.value_or("");
        for (auto const* made : sites)
            for (auto const& service : made->wanted.keepalived->services) {
                auto const head = fmt::format("virtual_server fwmark {} {{", service.service.key.mark.value);
                if (text.find(head) != std::string::npos && fake.find(service.service.key) == nullptr)
                    fake.services.push_back(service.service);
            }
    };
}

auto const* const one = "service a { vip 10.9.0.1; port tcp 80; mark 3; real 10.0.0.7; real 10.0.0.8 weight 2 }\n";
auto const* const other = "service b { vip 10.9.0.2; port tcp 80; mark 4; real 10.0.0.7 }\n";

} // namespace

TEST_CASE("keepalived: the file is written, read and seen in IPVS, and not written again") {
    auto const made = make(one);
    FakeKernel kernel;
    obey(kernel, {&made});
    auto const changes = apply(kernel, made.wanted);
    REQUIRE(changes);
    CHECK(changes->settings.size() == 1);
    CHECK(kernel.keepalived_file == made.wanted.keepalived->text);
    CHECK(kernel.services.size() == 1);
    kernel.log.clear();
    auto const again = apply(kernel, made.wanted);
    REQUIRE(again);
    CHECK(again->empty());
    CHECK(again->notes.empty());
    CHECK(std::ranges::none_of(kernel.log, [](auto const& call) { return call.starts_with("write"); }));
}

TEST_CASE("keepalived: a service that leaves is there until the marks have changed") {
    auto const before = make(one);
    auto const after = make(other);
    FakeKernel kernel;
    obey(kernel, {&before, &after});
    REQUIRE(apply(kernel, before.wanted));
    std::vector<std::size_t> counts;
    auto const read = kernel.on_reload;
    kernel.on_reload = [&](FakeKernel& fake) {
        read(fake);
        counts.push_back(fake.services.size());
    };
    REQUIRE(apply(kernel, after.wanted));
    CHECK(counts == std::vector<std::size_t>{2, 1});
    CHECK(kernel.keepalived_file == after.wanted.keepalived->text);
}

TEST_CASE("keepalived: servers that checks have taken out or weighed are as wanted") {
    auto const made =
        make("service a { vip 10.9.0.1; port tcp 80; mark 3; scheduler rr; real 10.0.0.7; real 10.0.0.8 weight 2;"
             " sorry 10.0.0.99 }\n");
    auto const& wanted = made.wanted.keepalived->services;
    auto now = std::vector{wanted.front().service};
    CHECK(not_shown(now, wanted, {}).empty());
    now.front().reals.back().server.weight = 0;
    CHECK(not_shown(now, wanted, {}).empty());
    now.front().reals.clear();
    CHECK(not_shown(now, wanted, {}).empty());
    now.front().reals.emplace_back().server.address = *IpAddress::parse("10.0.0.99");
    CHECK(not_shown(now, wanted, {}).empty());
    now.front().reals.front().server.address = *IpAddress::parse("10.0.0.66");
    CHECK(not_shown(now, wanted, {}) == "service fwmark 0x3 (IPv4) without 10.0.0.66");
    now = {wanted.front().service};
    now.front().reals.back().server.weight = 7;
    CHECK(not_shown(now, wanted, {}) == "10.0.0.8 of fwmark 0x3 (IPv4) as it is to be");
    auto dynamic = wanted;
    dynamic.front().dynamic = true;
    CHECK(not_shown(now, dynamic, {}).empty());
    now.front().parameters.scheduler = "wlc";
    CHECK(not_shown(now, dynamic, {}) == "service fwmark 0x3 (IPv4) as it is to be");
    CHECK(not_shown({}, wanted, {}) == "service fwmark 0x3 (IPv4)");
}

TEST_CASE("keepalived: each call that fails leaves the old file, and keepalived has read it") {
    auto const before = make(one);
    auto const after = make(other);
    FakeKernel fine;
    obey(fine, {&before, &after});
    REQUIRE(apply(fine, before.wanted));
    fine.log.clear();
    REQUIRE(apply(fine, after.wanted));
    auto const calls = fine.log;
    for (std::size_t place = 0; place < calls.size(); ++place) {
        if (calls[place] == "unlock")
            continue;
        CAPTURE(calls[place]);
        FakeKernel kernel;
        obey(kernel, {&before, &after});
        REQUIRE(apply(kernel, before.wanted));
        kernel.log.clear();
        kernel.failures[place] = {SystemError::Kind::failed, EIO, "first"};
        auto const result = apply(kernel, after.wanted);
        REQUIRE_FALSE(result);
        CHECK(result.error().outcome != Outcome::partly_applied);
        CHECK(kernel.keepalived_file == before.wanted.keepalived->text);
        CHECK(kernel.services.size() == 1);
        CHECK(kernel.services.front().key.mark == Fwmark{3});
    }
}

TEST_CASE("keepalived: a file that IPVS never shows is taken back") {
    auto const made = make(one);
    FakeKernel kernel;
    kernel.keepalived_runs = true;
    auto const result = apply(kernel, made.wanted);
    REQUIRE_FALSE(result);
    CHECK(result.error().outcome == Outcome::rolled_back);
    CHECK(result.error().error.message.find("IPVS does not show service fwmark 0x3 (IPv4)") != std::string::npos);
    CHECK_FALSE(kernel.keepalived_file);
}

TEST_CASE("keepalived: a file of somebody else is left alone") {
    auto const made = make(one);
    FakeKernel kernel;
    kernel.keepalived_file = "vrrp_instance mine {\n}\n";
    auto const result = apply(kernel, made.wanted);
    REQUIRE_FALSE(result);
    CHECK(result.error().outcome == Outcome::refused);
    CHECK(result.error().error.message.find("--keepalived-config") != std::string::npos);
    CHECK(kernel.keepalived_file == "vrrp_instance mine {\n}\n");
}

TEST_CASE("keepalived: where it does not run, the file is written and a note says so") {
    auto const made = make(one);
    FakeKernel kernel;
    auto const changes = apply(kernel, made.wanted);
    REQUIRE(changes);
    CHECK(kernel.keepalived_file == made.wanted.keepalived->text);
    REQUIRE(changes->notes.size() == 1);
    CHECK(changes->notes.front() == "keepalived does not run with /k");
}

TEST_CASE("keepalived: services that others have removed are noted, since a reload does not fix them") {
    auto const made = make(one);
    FakeKernel kernel;
    obey(kernel, {&made});
    REQUIRE(apply(kernel, made.wanted));
    kernel.services.clear();
    auto const changes = apply(kernel, made.wanted);
    REQUIRE(changes);
    CHECK(changes->empty());
    REQUIRE(changes->notes.size() == 1);
    CHECK(changes->notes.front().find("service fwmark 0x3 (IPv4)") != std::string::npos);
}

TEST_CASE("keepalived: a file that a killed apply has written is read at last") {
    auto const made = make(one);
    FakeKernel kernel;
    obey(kernel, {&made});
    kernel.keepalived_file = made.wanted.keepalived->text;
    kernel.record.reload = true;
    auto const changes = apply(kernel, made.wanted);
    REQUIRE(changes);
    CHECK(changes->settings == std::vector<std::string>{"have keepalived read /k again"});
    CHECK(kernel.services.size() == 1);
    CHECK_FALSE(kernel.record.reload);
    CHECK(apply(kernel, made.wanted)->empty());
}

TEST_CASE("keepalived: the record owes a reload from before the file is written") {
    auto const made = make(one);
    FakeKernel kernel;
    obey(kernel, {&made});
    bool owed = false;
    kernel.before_call = [&](std::string_view name) { owed = name == "write file" ? kernel.record.reload : owed; };
    REQUIRE(apply(kernel, made.wanted));
    CHECK(owed);
    CHECK_FALSE(kernel.record.reload);
}

TEST_CASE("keepalived: blocks that leave, by mark and family") {
    std::string const four = "virtual_server fwmark 3 {\n    lvs_sched rr\n}\n";
    std::string const six = "virtual_server fwmark 3 {\n    lvs_sched rr\n    ip_family inet6\n}\n";
    auto const left = blocks_that_leave("# x\n\n" + four + "\n# y\n" + six, "# x\n\n" + four);
    CHECK(left.text == "\n" + six);
    REQUIRE(left.keys.size() == 1);
    CHECK(left.keys.front() == ServiceKey{Fwmark{3}, Family::ipv6});
    for (auto const* odd : {"", "\n", "virtual_server fwmark", "virtual_server fwmark {\n}\n",
                            "virtual_server fwmark 3 {", "virtual_server fwmark 99999999999 {\n}\n"})
        CHECK(blocks_that_leave(odd, "").keys.size() <= 1);
}
