#include "compiler/analysis/compare.hpp"

#include "compiler/layout/layout.hpp"
#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace lbc;

namespace {

Prefix prefix(std::string_view address, int length) { return {*IpAddress::parse(address), length}; }
MacAddress mac(std::string_view text) { return *MacAddress::parse(text); }

Rule mark_tcp(std::string_view vip, int length, std::uint16_t port, std::uint32_t mark) {
    Matches when;
    when.destination = prefix(vip, length);
    when.protocol = 6;
    when.destination_ports = {{Port{port}, Port{port}}};
    return {when, SetMark{Fwmark{mark}}, {}};
}

Ruleset with_chains(std::vector<Chain> chains) {
    return {Family::ipv4, std::move(chains), {{"PREROUTING", {{}, Jump{"LBC"}, {}}}}};
}

Packet packet(std::string_view to, std::uint16_t port, std::string interface = "eth0") {
    return {*IpAddress::parse(to), 6, Port{port}, std::move(interface), mac("02:00:00:00:00:09"), {}};
}

Outcome evaluate(Ruleset const& rules, Packet const& packet) {
    RuleIndex const index(rules);
    return index.at(Prefix::host(packet.destination)).evaluate(Direction::entering, packet);
}

} // namespace

TEST_CASE("walk: the last mark wins, and a return ends a chain") {
    auto const rules = with_chains({{"LBC", {mark_tcp("192.0.2.1", 32, 80, 3), mark_tcp("192.0.2.0", 24, 80, 4)}}});
    CHECK(evaluate(rules, packet("192.0.2.1", 80)).mark == Fwmark{4});
    CHECK(evaluate(rules, packet("192.0.2.2", 80)).mark == Fwmark{4});
    CHECK(evaluate(rules, packet("192.0.2.1", 81)).mark == Fwmark{0});
    auto returning = with_chains({{"LBC", {{{}, Return{}, {}}, mark_tcp("192.0.2.1", 32, 80, 3)}}});
    CHECK(evaluate(returning, packet("192.0.2.1", 80)).mark == Fwmark{0});
}

TEST_CASE("walk: a jump comes back, a goto does not") {
    Chain const marks{"LBC-A", {mark_tcp("192.0.2.1", 32, 80, 5)}};
    auto const behind = mark_tcp("192.0.2.1", 32, 80, 6);
    CHECK(evaluate(with_chains({{"LBC", {{{}, Jump{"LBC-A"}, {}}, behind}}, marks}), packet("192.0.2.1", 80)).mark ==
          Fwmark{6});
    CHECK(evaluate(with_chains({{"LBC", {{{}, Goto{"LBC-A"}, {}}, behind}}, marks}), packet("192.0.2.1", 80)).mark ==
          Fwmark{5});
}

TEST_CASE("walk: what it does not understand is unknown, and so is a chain that is not there or has no end") {
    auto strange = mark_tcp("192.0.2.1", 32, 80, 3);
    strange.when.unknown = "-m comment";
    CHECK(evaluate(with_chains({{"LBC", {strange}}}), packet("192.0.2.1", 80)).unknown);
    CHECK_FALSE(evaluate(with_chains({{"LBC", {strange}}}), packet("192.0.2.1", 81)).unknown);
    CHECK(evaluate(with_chains({{"LBC", {{{}, UnknownTarget{"CT"}, {}}}}}), packet("192.0.2.1", 80)).unknown);
    CHECK(evaluate(with_chains({{"LBC", {{{}, Jump{"LBC-B"}, {}}}}}), packet("192.0.2.1", 80)).unknown);
    CHECK(evaluate(with_chains({{"LBC", {{{}, Jump{"LBC"}, {}}}}}), packet("192.0.2.1", 80)).unknown);
}

TEST_CASE("walk: a MAC match never holds without a MAC, negated or not") {
    Matches not_zero;
    not_zero.source_mac = MacAddress{};
    not_zero.not_source_mac = true;
    auto const rules = with_chains({{"LBC", {{not_zero, SetMark{Fwmark{3}}, {}}}}});
    auto arrived = packet("192.0.2.1", 80);
    CHECK(evaluate(rules, arrived).mark == Fwmark{3});
    arrived.source.reset();
    CHECK(evaluate(rules, arrived).mark == Fwmark{0});
}

TEST_CASE("destinations: a prefix without those in it, and nothing where they fill it") {
    auto const classes =
        destination_classes(Family::ipv4, {prefix("10.0.0.0", 24), prefix("10.0.0.0", 25), prefix("10.0.0.128", 25),
                                           prefix("10.0.1.0", 31), prefix("10.0.1.0", 32), prefix("2001:db8::", 64)});
    std::vector<std::string> names;
    for (auto const& one : classes) {
        names.push_back(one.prefix.str());
        CHECK(one.prefix.contains(one.address));
        CHECK(std::ranges::none_of(one.except, [&](auto const& inner) { return inner.contains(one.address); }));
    }
    CHECK(names == std::vector<std::string>{"0.0.0.0/0", "10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/31", "10.0.1.0"});
    CHECK(classes.front().except == std::vector{prefix("10.0.0.0", 24), prefix("10.0.1.0", 31)});
    CHECK(classes[3].address.str() == "10.0.1.1");
    CHECK(destination_classes(Family::ipv6, {prefix("::", 0)}).size() == 1);
}

TEST_CASE("interfaces: a name for each pattern that no narrower one matches") {
    Ruleset rules = with_chains({{"LBC", {}}});
    for (auto const* text : {"eth+", "eth0", "eth1+", "e+", "eth"}) {
        Matches when;
        when.in_interface = InterfacePattern::parse(text);
        rules.chains[0].rules.push_back({when, Return{}, {}});
    }
    RuleIndex const index(rules);
    auto const all = index.at(prefix("0.0.0.0", 0));
    SplitPoints borders;
    borders.add(all);
    PacketPartition const cuts(borders);
    std::vector<std::string> names;
    for (auto const& interface : cuts.interfaces)
        names.push_back(interface.str());
    std::ranges::sort(names);
    CHECK(names == std::vector<std::string>{"any interface but e+, eth, eth+, eth0, eth1+, lo",
                                            "e+ but eth, eth+, eth0, eth1+", "eth", "eth+ but eth, eth0, eth1+", "eth0",
                                            "eth1+", "lo"});
    for (auto const& interface : cuts.interfaces) {
        if (!interface.pattern)
            continue;
        CHECK(interface.pattern->matches(interface.name));
        for (auto const& other : interface.except)
            CHECK_FALSE(other.matches(interface.name));
    }
}

TEST_CASE("comparison: the packets of one port, from clients alone") {
    Compiled const before(two_directors + "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }");
    Compiled const after(two_directors + "service web { vip 10.9.9.1; port tcp 80-81; mark 3; real lb1; real lb2 }");
    auto const from = layout_linear(before.site, before.plan("lb1").marks, Family::ipv4);
    auto const to = layout_linear(after.site, after.plan("lb1").marks, Family::ipv4);
    Work work;
    auto const changes = compare_rulesets(from, to, work);
    REQUIRE(changes.size() == 2); // what clients send, and the guard of what the peer sends
    auto const clients = std::ranges::find_if(changes, &MarkChange::from_others);
    REQUIRE(clients != changes.end());
    CHECK(clients->destination.prefix.str() == "10.9.9.1");
    CHECK(clients->ports == std::vector<ProtocolPorts>{{6, {{Port{81}, Port{81}}}}});
    CHECK(clients->before.mark == Fwmark{0});
    CHECK(clients->after.mark == Fwmark{3});
    auto const& peer = clients == changes.begin() ? changes.back() : changes.front();
    CHECK(peer.sources == std::vector<SourceClass>{{SourceClass::Kind::mac, mac("02:00:00:00:00:02")}});
    CHECK(compare_rulesets(to, to, work).empty());
    CHECK(work.done() > 0);
    Work none(0);
    CHECK(compare_rulesets(from, to, none).empty());
    CHECK(none.is_spent());
}
