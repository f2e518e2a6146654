#include "tests/support/applied.hpp"
#include "tests/support/fake_kernel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace lbc {
namespace {

using test::FakeKernel;
using Outcome = ApplyFailure::Outcome;

IpvsService service(std::uint32_t mark, std::string_view real) {
    IpvsService made{.key = {Fwmark{mark}, Family::ipv4}, .parameters = {.scheduler = "rr", .netmask = 32}};
    made.reals.emplace_back().server.address = *IpAddress::parse(real);
    return made;
}

Ruleset rules(Family family, std::vector<std::uint32_t> const& marks) {
    Chain chain{"LBC", {}};
    for (auto const mark : marks)
        chain.rules.push_back({{}, SetMark{Fwmark{mark}}, {}});
    return {family, {chain}, {{"PREROUTING", {{}, Jump{"LBC"}, {}}}}};
}

/// Mark 3 stays, mark 4 leaves, mark 5 comes. One family has services, both have rules.
Wanted site(std::vector<std::uint32_t> const& marks) {
    Wanted wanted{.marks = MarkRules{rules(Family::ipv4, marks), Ruleset{Family::ipv6, {}, {}}}, .ipvs = IpvsWanted{}};
    for (auto const mark : marks)
        wanted.ipvs->services.push_back(service(mark, mark == marks.back() ? "10.0.0.1" : "10.0.0.2"));
    wanted.ipvs->range = {Fwmark{0x100}, Fwmark{0xfff}};
    wanted.ipvs->rules_tell = true;
    return wanted;
}

Wanted const before = site({3, 4});
Wanted const after = site({3, 5});

void check_that_marks_lead_to_services(FakeKernel& kernel) {
    for (auto const& table : kernel.tables)
        for (auto const& chain : table.chains)
            for (auto const& rule : chain.rules)
                if (auto const* set = std::get_if<SetMark>(&rule.then))
                    CHECK(kernel.find({set->mark, Family::ipv4}) != nullptr);
}

/// A director that has `before`, and is looked at before each of its further calls.
void prepare(FakeKernel& kernel) {
    REQUIRE(test::apply(kernel, before));
    kernel.log.clear();
    kernel.before_call = [&kernel](std::string_view /*name*/) { check_that_marks_lead_to_services(kernel); };
}

std::size_t calls_of(bool taking_back) {
    FakeKernel kernel;
    prepare(kernel);
    auto transaction = Transaction::plan(kernel, after, {});
    REQUIRE(transaction);
    REQUIRE(transaction->run());
    if (taking_back)
        REQUIRE(transaction->roll_back({}));
    return kernel.log.size();
}

bool is_as(FakeKernel const& kernel, Wanted const& wanted) {
    return kernel.tables == *wanted.marks && kernel.services.size() == 2 &&
           std::ranges::all_of(wanted.ipvs->services, [&](IpvsService const& meant) {
               auto const found = std::ranges::find(kernel.services, meant.key, &IpvsService::key);
               return found != kernel.services.end() &&
                      found->reals.front().server.address == meant.reals.front().server.address;
           });
}

} // namespace

TEST_CASE("transaction: no mark is without its service, on the way forth and back") {
    FakeKernel kernel;
    prepare(kernel);
    auto transaction = Transaction::plan(kernel, after, {});
    REQUIRE(transaction);
    REQUIRE(transaction->run());
    CHECK(is_as(kernel, after));
    REQUIRE(transaction->roll_back({}));
    CHECK(is_as(kernel, before));
    check_that_marks_lead_to_services(kernel);
}

TEST_CASE("transaction: no mark is without its service, whichever call fails") {
    for (std::size_t place = 0; place < calls_of(false); ++place) {
        FakeKernel kernel;
        prepare(kernel);
        kernel.failures[place] = {SystemError::Kind::failed, EIO, "first", {}};
        auto const result = test::apply(kernel, after);
        check_that_marks_lead_to_services(kernel);
        if (!result)
            CHECK(result.error().outcome != Outcome::partly_applied);
        CHECK(is_as(kernel, result ? after : before));
    }
}

TEST_CASE("transaction: no mark is without its service, whichever call of the way back fails") {
    for (auto place = calls_of(false); place < calls_of(true); ++place) {
        FakeKernel kernel;
        prepare(kernel);
        kernel.failures[place] = {SystemError::Kind::failed, EIO, "back", {}};
        auto transaction = Transaction::plan(kernel, after, {});
        REQUIRE(transaction);
        REQUIRE(transaction->run());
        auto const undone = transaction->roll_back({});
        check_that_marks_lead_to_services(kernel);
        if (undone)
            continue;
        bool const refused = undone.error().outcome == Outcome::refused; // the lock
        CHECK(undone.error().left.empty() == refused);
        REQUIRE(test::apply(kernel, before));
        CHECK(is_as(kernel, before));
    }
}

TEST_CASE("transaction: memory that runs out on the way is taken back") {
    FakeKernel kernel;
    prepare(kernel);
    int replaced = 0;
    kernel.before_call = [&](std::string_view name) {
        if (name == "write services" && ++replaced == 2)
            throw std::bad_alloc();
    };
    auto const result = test::apply(kernel, after);
    REQUIRE_FALSE(result);
    CHECK(result.error().outcome == Outcome::rolled_back);
    CHECK(is_as(kernel, before));
}

} // namespace lbc
