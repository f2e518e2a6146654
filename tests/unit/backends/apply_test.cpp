#include "tests/support/applied.hpp"
#include "tests/support/fake_kernel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

namespace lbc {
namespace {

using test::apply_marks;
using test::FakeKernel;
using Outcome = ApplyFailure::Outcome;
using Log = std::vector<std::string>;

Ruleset rules(Family family, std::uint32_t mark) {
    Rule const marked{{}, SetMark{Fwmark{mark}}, {}};
    return {family, {{"LBC", {marked}}}, {{"PREROUTING", {{}, Jump{"LBC"}, {}}}}};
}

MarkRules both(std::uint32_t mark) { return {rules(Family::ipv4, mark), rules(Family::ipv6, mark)}; }

SystemError failure(std::string message) { return {SystemError::Kind::failed, EIO, std::move(message)}; }

bool writes(Log const& log) {
    return std::ranges::any_of(
        log, [](std::string const& call) { return call.starts_with("replace") || call.starts_with("restore"); });
}

/// The calls of an apply that changes both families and meets no failure.
Log full_log() {
    return {"lock",         "open ipv4",    "supports ipv4", "open ipv6", "supports ipv6",
            "replace ipv4", "replace ipv6", "open ipv4",     "open ipv6", "unlock"};
}

constexpr std::size_t first_write = 5; // in full_log()
constexpr std::size_t last_call = 8;

} // namespace

TEST_CASE("apply: both families change, and are read back") {
    FakeKernel kernel;
    auto const changes = apply_marks(kernel, both(3));
    REQUIRE(changes);
    REQUIRE(changes->size() == 2);
    CHECK((*changes)[0].family == Family::ipv4);
    CHECK((*changes)[0].before.empty());
    CHECK((*changes)[1].after == rules(Family::ipv6, 3));
    CHECK(kernel.tables == both(3));
    CHECK(kernel.log == full_log());
    CHECK_FALSE(kernel.is_locked());
}

TEST_CASE("apply: a second one writes nothing") {
    FakeKernel kernel;
    kernel.tables = both(3);
    auto const changes = apply_marks(kernel, both(3));
    REQUIRE(changes);
    CHECK(changes->empty());
    CHECK(kernel.log == Log{"lock", "open ipv4", "open ipv6", "unlock"});
}

TEST_CASE("apply: only the family that differs is written") {
    FakeKernel kernel;
    kernel.tables = both(3);
    auto const changes = apply_marks(kernel, {rules(Family::ipv4, 3), rules(Family::ipv6, 4)});
    REQUIRE(changes);
    REQUIRE(changes->size() == 1);
    CHECK(changes->front().family == Family::ipv6);
    CHECK(std::ranges::find(kernel.log, "replace ipv4") == kernel.log.end());
    CHECK(kernel.tables[1] == rules(Family::ipv6, 4));
}

TEST_CASE("apply: a dry run looks and does not touch") {
    FakeKernel kernel;
    auto const changes = apply_marks(kernel, both(3), true);
    REQUIRE(changes);
    CHECK(changes->size() == 2);
    CHECK_FALSE(writes(kernel.log));
    CHECK(kernel.tables == no_marks());
}

TEST_CASE("apply: remove takes everything away") {
    FakeKernel kernel;
    kernel.tables = both(3);
    auto const changes = apply_marks(kernel, no_marks());
    REQUIRE(changes);
    CHECK(changes->size() == 2);
    CHECK(kernel.tables == no_marks());
}

TEST_CASE("apply: a family that the kernel lacks matters only if it is wanted") {
    FakeKernel kernel;
    kernel.has_table[1] = false;
    auto const refused = apply_marks(kernel, both(3));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().outcome == Outcome::refused);
    CHECK(refused.error().error.kind == SystemError::Kind::unsupported);
    CHECK_FALSE(writes(kernel.log));

    auto const done = apply_marks(kernel, {rules(Family::ipv4, 3), Ruleset{Family::ipv6, {}, {}}});
    REQUIRE(done);
    CHECK(done->size() == 1);
}

TEST_CASE("apply: a lock that another program holds is a refusal") {
    FakeKernel kernel;
    auto const held = kernel.lock({});
    REQUIRE(held);
    auto const result = apply_marks(kernel, both(3));
    REQUIRE_FALSE(result);
    CHECK(result.error().outcome == Outcome::refused);
    CHECK(result.error().error.kind == SystemError::Kind::locked);
    CHECK(kernel.log == Log{"lock", "lock"});
}

TEST_CASE("apply: matches that ask nothing are no difference") {
    FakeKernel kernel;
    kernel.tables = both(3);
    MarkRules wanted = both(3);
    wanted[0].chains[0].rules[0].when.in_interface = InterfacePattern::parse("+");
    wanted[0].chains[0].rules[0].when.destination = Prefix{};
    auto const changes = apply_marks(kernel, wanted);
    REQUIRE(changes);
    CHECK(changes->empty());
}

TEST_CASE("apply: whichever call fails, the tables are as before") {
    for (std::size_t place = 0; place <= last_call; ++place) {
        CAPTURE(full_log()[place]);
        FakeKernel kernel;
        kernel.tables = both(1);
        kernel.failures[place] = failure("first");
        auto const result = apply_marks(kernel, both(2));
        REQUIRE_FALSE(result);
        CHECK(result.error().error.message == "first");
        CHECK(result.error().left.empty());
        CHECK(kernel.tables == both(1));
        CHECK_FALSE(kernel.is_locked());
        CHECK(result.error().outcome == (place <= first_write ? Outcome::refused : Outcome::rolled_back));
        if (place <= first_write)
            CHECK(std::ranges::none_of(kernel.log, [](auto const& call) { return call.starts_with("restore"); }));
    }
}

TEST_CASE("apply: whichever second call fails too, what is left is told") {
    for (std::size_t first = first_write + 1; first <= last_call; ++first) {
        // Behind the failure come only restores, two at most, each with a look at what is left.
        for (std::size_t second = first + 1; second <= first + 4; ++second) {
            CAPTURE(first);
            CAPTURE(second);
            FakeKernel kernel;
            kernel.tables = both(1);
            kernel.failures = {{first, failure("first")}, {second, failure("second")}};
            auto const result = apply_marks(kernel, both(2));
            REQUIRE_FALSE(result);
            bool const restored = kernel.tables == both(1);
            CHECK(result.error().outcome == (restored ? Outcome::rolled_back : Outcome::partly_applied));
            CHECK(result.error().left.empty() == restored);
            CHECK(result.error().error.message.starts_with("first"));
            for (std::size_t i = 0; i < 2; ++i)
                CHECK((kernel.tables[i] == both(1)[i] || kernel.tables[i] == both(2)[i]));
        }
    }
}

TEST_CASE("apply: what is left is named") {
    FakeKernel kernel;
    kernel.failures = {{6, failure("no IPv6")}, {7, failure("no way back")}};
    auto const result = apply_marks(kernel, both(2));
    REQUIRE_FALSE(result);
    CHECK(result.error().outcome == Outcome::partly_applied);
    CHECK(result.error().error.message == "no IPv6; taking the change back failed too: no way back");
    CHECK(result.error().left ==
          Log{"IPv4 mangle table: chain LBC, 1 rule", "IPv4 mangle table: -A PREROUTING -j LBC"});
}

TEST_CASE("apply: what is left cannot be named where the table cannot be read") {
    FakeKernel kernel;
    kernel.failures = {{6, failure("a")}, {7, failure("b")}, {8, failure("c")}};
    auto const result = apply_marks(kernel, both(2));
    REQUIRE_FALSE(result);
    CHECK(result.error().left == Log{"IPv4 mangle table: what is in it cannot be read; it may hold the new rules"});
}

TEST_CASE("apply: a table that reads back otherwise is taken back") {
    FakeKernel kernel;
    kernel.tables = both(1);
    kernel.keep = [](Ruleset rules) {
        rules.entry_jumps.clear();
        return rules;
    };
    auto const result = apply_marks(kernel, both(2));
    REQUIRE_FALSE(result);
    CHECK(result.error().outcome == Outcome::rolled_back);
    CHECK(result.error().error.message == "the IPv4 mangle table does not read back as it was written");
    CHECK(kernel.tables == both(1));
}

} // namespace lbc
