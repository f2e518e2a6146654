#include "tests/support/applied.hpp"
#include "tests/support/fake_kernel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lbc {
namespace {

using test::apply_marks;
using test::FakeKernel;
using Outcome = ApplyFailure::Outcome;

/// A set of some entries, and the rules that ask it.
MarkRules asking(std::uint32_t mark) {
    std::vector<SetEntry> entries;
    for (std::uint16_t port = 80; port < 90; ++port)
        entries.push_back({*IpAddress::parse("192.0.2.1"), 6, Port{port}, Fwmark{mark}});
    auto set = make_mark_set(std::move(entries));
    Rule const asks{{}, MapMark{set.name}, {}};
    Ruleset rules{Family::ipv4, {{"LBC", {asks}}}, {{"PREROUTING", {{}, Jump{"LBC"}, {}}}}};
    rules.sets = {std::move(set)};
    return {rules, Ruleset{Family::ipv6, {}, {}}};
}

MarkRules with_the_sets_of(FakeKernel const& kernel) {
    auto rules = kernel.tables;
    for (std::size_t i = 0; i < rules.size(); ++i)
        rules[i].sets = kernel.sets[i];
    return rules;
}

/// What the kernel holds of rules alone, and its sets.
void put(FakeKernel& kernel, MarkRules rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        kernel.sets[i] = std::exchange(rules[i].sets, {});
        kernel.tables[i] = std::move(rules[i]);
    }
}

std::vector<std::string> writes(FakeKernel const& kernel) {
    std::vector<std::string> found;
    std::ranges::copy_if(kernel.log, std::back_inserter(found), [](std::string const& call) {
        return call.starts_with("write set") || call.starts_with("destroy set") || call.starts_with("replace");
    });
    return found;
}

} // namespace

TEST_CASE("sets: one comes before the rules that ask it, and the old one goes behind them") {
    FakeKernel kernel;
    put(kernel, asking(3));
    auto const before = asking(3).front().sets.front().name;
    auto const after = asking(4).front().sets.front().name;
    REQUIRE(apply_marks(kernel, asking(4)));
    CHECK(writes(kernel) == std::vector<std::string>{"write set " + after, "replace ipv4", "destroy set " + before});
    CHECK(with_the_sets_of(kernel) == asking(4));
}

TEST_CASE("sets: what is as wanted is not written again") {
    FakeKernel kernel;
    put(kernel, asking(3));
    auto const changes = apply_marks(kernel, asking(3));
    REQUIRE(changes);
    CHECK(changes->empty());
    CHECK(writes(kernel).empty());
}

TEST_CASE("sets: entries that another program changed come back without a change of the rules") {
    FakeKernel kernel;
    put(kernel, asking(3));
    kernel.sets[0].front().entries.pop_back();
    auto const changes = apply_marks(kernel, asking(3));
    REQUIRE(changes);
    CHECK(changes->size() == 1);
    CHECK(writes(kernel).size() == 1);
    CHECK(with_the_sets_of(kernel) == asking(3));
}

TEST_CASE("sets: those that no rule asks go, and all go with the rules") {
    FakeKernel kernel;
    put(kernel, asking(3));
    kernel.sets[0].push_back({"LBC-4-left-behind-NEW", {}});
    std::ranges::sort(kernel.sets[0], {}, &MarkSet::name);
    REQUIRE(apply_marks(kernel, asking(3)));
    CHECK(with_the_sets_of(kernel) == asking(3));
    REQUIRE(apply_marks(kernel, no_marks()));
    CHECK(with_the_sets_of(kernel) == no_marks());
}

TEST_CASE("sets: whichever call fails, the old rules ask the old set") {
    FakeKernel trial;
    put(trial, asking(3));
    REQUIRE(apply_marks(trial, asking(4)));
    auto const calls = trial.log.size();
    REQUIRE(calls > 10);
    for (std::size_t call = 0; call + 1 < calls; ++call) {
        FakeKernel kernel;
        put(kernel, asking(3));
        kernel.failures = {{call, {SystemError::Kind::failed, EIO, "it fails"}}};
        CAPTURE(trial.log[call]);
        auto const done = apply_marks(kernel, asking(4));
        REQUIRE_FALSE(done);
        CHECK(done.error().outcome != Outcome::partly_applied);
        CHECK(with_the_sets_of(kernel) == asking(3));
    }
}

TEST_CASE("sets: one that a foreign rule asks, too, and that would have to go, is seen before anything changes") {
    for (auto const& wanted : {no_marks(), asking(4)}) {
        FakeKernel kernel;
        put(kernel, asking(3));
        auto const name = asking(3).front().sets.front().name;
        kernel.used_by_others = {name};
        auto const done = apply_marks(kernel, wanted);
        REQUIRE_FALSE(done);
        CHECK(done.error().outcome == Outcome::refused);
        CHECK(done.error().error.message == "the set " + name + " is to go, and a foreign rule or set uses it");
        CHECK(writes(kernel).empty());
        CHECK(with_the_sets_of(kernel) == asking(3));
    }
}

} // namespace lbc
