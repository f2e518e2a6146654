#include "compiler/analysis/prove.hpp"

#include "compiler/analysis/loops.hpp"
#include "compiler/layout/layout.hpp"
#include "tests/support/compiled.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

constexpr auto web = "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }";

Proof proof_of(Plan const& plan, std::vector<Ruleset> tables) {
    Netfilter const rules{Family::ipv4, std::move(tables)};
    return prove(plan.marks, own_marks(plan), rules);
}

/// Rules of others, in a table of their own.
Ruleset theirs(std::string table, std::vector<Chain> chains) {
    return {Family::ipv4, std::move(chains), {}, std::move(table)};
}

Matches by_mark(std::uint32_t mark, std::uint32_t mask = whole_mark) {
    Matches when;
    when.mark = Fwmark{mark};
    when.mark_mask = mask;
    return when;
}

} // namespace

TEST_CASE("proof: a layout gives every packet its mark, and each rule that goes is missed") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const rules = layout_linear(compiled.site, plan.marks, Family::ipv4);
    auto const proof = proof_of(plan, {rules});
    CHECK(proof.holds());
    CHECK(proof.pieces > 10);
    for (std::size_t chain = 0; chain < rules.chains.size(); ++chain)
        for (std::size_t rule = 0; rule < rules.chains[chain].rules.size(); ++rule) {
            auto mutant = rules;
            auto& of_chain = mutant.chains[chain].rules;
            auto const text = to_string(of_chain[rule]);
            of_chain.erase(of_chain.begin() + static_cast<std::ptrdiff_t>(rule));
            CAPTURE(text);
            // On lo no packet has a MAC, so without its RETURN what has none is marked there.
            CHECK_FALSE(proof_of(plan, {mutant}).holds());
        }
}

TEST_CASE("proof: a tunnel that ends within the addresses of a service is still no way back") {
    Compiled const compiled(two_directors + "service a { vip 10.9.0.0/24; port tcp 80; mark 3; real lb2\n"
                                            "real 10.9.0.7 forward tun }");
    auto const plan = compiled.plan("lb1");
    for (auto const layout : {layout_linear, layout_tree})
        CHECK(proof_of(plan, {layout(compiled.site, plan.marks, Family::ipv4)}).holds());
}

TEST_CASE("proof: marks of others before and behind, and their policies") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    auto const with = [&](std::string const& table, std::vector<Rule> rules, std::string const& chain = "PREROUTING") {
        return proof_of(plan, {own, theirs(table, {{chain, std::move(rules)}})});
    };
    // A mark before lbc's rules is overwritten for the site's packets; others may have it, but none of the site's.
    CHECK(with("raw", {{{}, SetMark{Fwmark{0x50}}, {}}}).holds());
    CHECK_FALSE(with("raw", {{{}, SetMark{Fwmark{3}}, {}}}).holds());
    // Bits that others set behind it change the site's mark.
    CHECK_FALSE(with("filter", {{{}, SetMark{Fwmark{0x10}, 0x10}, {}}}, "INPUT").holds());
    // By a mark that no rule gives, nothing is lost.
    CHECK(with("filter", {{by_mark(0x77), Drop{}, {}}}, "INPUT").holds());
    // A policy takes what returns from the chain, too.
    auto const dropped = with("filter", {{{}, Return{}, {}}, {{}, Drop{.is_policy = true}, {}}}, "INPUT");
    CHECK(dropped.holds());
    CHECK_FALSE(dropped.dropped.empty());
}

TEST_CASE("proof: a rule of which nothing is known leaves no proof where it matters") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    Matches doubtful;
    doubtful.unknown = "-m statistic";
    for (auto const& [target, holds] : std::vector<std::pair<Target, bool>>{{SetMark{Fwmark{9}}, false},
                                                                            {UnknownTarget{"NFQUEUE"}, false},
                                                                            {UnknownMark{"CONNMARK"}, false},
                                                                            {Drop{}, true},
                                                                            {Continue{"LOG"}, true}}) {
        auto const proof = proof_of(plan, {own, theirs("filter", {{"INPUT", {{doubtful, target, {}}}}})});
        CAPTURE(to_string(Rule{doubtful, target, {}}));
        CHECK(proof.holds() == holds);
        for (auto const& fault : proof.faults) {
            CHECK(fault.kind == MarkFault::Kind::unknown);
            REQUIRE(fault.decision);
            CHECK_FALSE(fault.decision->is_own);
        }
    }
}

TEST_CASE("proof: what goes to another destination keeps its mark, unless a rule behind gives one") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    Matches elsewhere;
    elsewhere.destination = Prefix::host(*IpAddress::parse("203.0.113.7"));
    auto const to = [](Matches const& when) { return theirs("nat", {{"PREROUTING", {{when, Dnat{"DNAT"}, {}}}}}); };
    CHECK(proof_of(plan, {own, to(elsewhere)}).holds());
    CHECK(proof_of(plan, {own, to(elsewhere), theirs("filter", {{"INPUT", {{{}, Drop{}, {}}}}})}).holds());
    // The first packet of a connection certainly goes elsewhere, unless rules may let it pass without a connection.
    auto const stolen = proof_of(plan, {own, to({})});
    CHECK_FALSE(stolen.holds());
    auto const untracked = theirs("raw", {{"PREROUTING", {{elsewhere, Continue{"CT --notrack", true}, {}}}}});
    for (auto const& fault : proof_of(plan, {own, to({}), untracked}).faults)
        CHECK(fault.kind == MarkFault::Kind::unknown);
    for (auto const& fault : stolen.faults) {
        CHECK(fault.kind == MarkFault::Kind::differs);
        CHECK(fault.packets.witness.connection == Packet::Connection::first);
        CHECK(fault.packets.after.readdressed);
        CHECK_FALSE(fault.packets.before.by_others); // packets of nobody's service may go anywhere
        REQUIRE(fault.decision);
        CHECK(fault.decision->table == "nat");
    }
    // By another destination, it may come to a rule that its own would not.
    Matches behind;
    behind.destination = Prefix::host(*IpAddress::parse("203.0.113.8"));
    auto const marks = theirs("filter", {{"INPUT", {{behind, SetMark{Fwmark{3}}, {}}}}});
    CHECK_FALSE(proof_of(plan, {own, to(elsewhere), marks}).holds());
}

TEST_CASE("proof: of a mark that is restored, the bits of the mask alone are unknown") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    auto const restored = [](std::string const& table, std::string const& chain, std::uint32_t mask) {
        return theirs(table, {{chain, {{{}, UnknownMark{"CONNMARK", mask}, {}}}}});
    };
    CHECK(proof_of(plan, {own, restored("raw", "PREROUTING", 0xff0000)}).holds());
    CHECK_FALSE(proof_of(plan, {own, restored("raw", "PREROUTING", whole_mark)}).holds());
    auto const behind = proof_of(plan, {own, restored("filter", "INPUT", 0xff0000)});
    CHECK_FALSE(behind.holds());
    for (auto const& fault : behind.faults) {
        CHECK(fault.kind == MarkFault::Kind::unknown);
        CHECK_FALSE(fault.packets.before.by_others);
    }
}

TEST_CASE("proof: a packet that may be dropped before it has a wrong mark is no sure one") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    Matches doubtful;
    doubtful.unknown = "-m limit";
    for (auto const& [first, is_sure] : {std::pair(Target{Drop{}}, false), std::pair(Target{Continue{"LOG"}}, true)}) {
        auto const proof =
            proof_of(plan, {own, theirs("filter", {{"INPUT", {{doubtful, first, {}}, {{}, SetMark{Fwmark{9}}, {}}}}})});
        CHECK_FALSE(proof.holds());
        for (auto const& fault : proof.faults) {
            CHECK(fault.kind == MarkFault::Kind::differs);
            REQUIRE(fault.decision);
            CHECK(fault.decision->is_sure == is_sure);
        }
    }
}

TEST_CASE("proof: what depends on the order of two chains at one moment is unknown") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    auto const beside = [&](std::vector<Rule> rules, int priority) {
        auto table = theirs("ip theirs", {{"late", std::move(rules)}});
        table.shape = std::make_shared<TableShape const>(
            TableShape{{{"late", BaseChain::Hook::prerouting, priority, false}}, {}});
        return proof_of(plan, {own, table});
    };
    constexpr int mangle = -150; // NF_IP_PRI_MANGLE
    std::vector<Rule> const mark{{{}, SetMark{Fwmark{9}}, {}}};
    auto const kinds_of = [](Proof const& proof) {
        std::set<MarkFault::Kind> kinds;
        for (auto const& fault : proof.faults)
            kinds.insert(fault.kind);
        return kinds;
    };
    CHECK(kinds_of(beside(mark, mangle)) == std::set{MarkFault::Kind::unknown});
    CHECK(kinds_of(beside(mark, mangle + 1)) == std::set{MarkFault::Kind::differs});
    CHECK(beside(mark, mangle - 1).holds());
    CHECK(beside({{{}, Accept{}, {}}}, mangle).holds());
    // In one order it drops all that the site has marked.
    CHECK(kinds_of(beside({{by_mark(3), Drop{}, {}}}, mangle)) == std::set{MarkFault::Kind::unknown});
    // Before lbc's guard or behind it.
    REQUIRE(plan.marks.guard);
    auto const by_guard = by_mark(plan.marks.guard->mark.value);
    auto output = theirs("ip theirs", {{"late", {{by_guard, SetMark{Fwmark{9}}, {}}}}});
    output.shape =
        std::make_shared<TableShape const>(TableShape{{{"late", BaseChain::Hook::output, mangle, false}}, {}});
    CHECK(kinds_of(proof_of(plan, {own, output})) == std::set{MarkFault::Kind::unknown});
}

TEST_CASE("proof: no packet of IPv6 has an extension header for its protocol") {
    Compiled const compiled(two_directors + "service web { vip fd00::9; port any; mark 3; real fd00::1 }");
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv6);
    auto const holds = [&](std::uint8_t protocol) {
        Matches when;
        when.protocol = protocol;
        Ruleset const others{Family::ipv6, {{"INPUT", {{when, SetMark{Fwmark{9}}, {}}}}}, {}, "filter"};
        return prove(plan.marks, own_marks(plan), Netfilter{Family::ipv6, {own, others}}).holds();
    };
    for (auto const header : {43, 44, 51, 60})
        CHECK(holds(static_cast<std::uint8_t>(header)));
    for (auto const protocol : {50, 59, 58})
        CHECK_FALSE(holds(static_cast<std::uint8_t>(protocol)));
}

TEST_CASE("proof: rules that no packet comes to before IPVS tell no packets apart") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    auto const alone = proof_of(plan, {own});
    std::vector<Rule> rules;
    for (int i = 0; i < 50; ++i) {
        Matches when;
        when.in_interface = InterfacePattern::parse(std::string("eth1.") + std::to_string(i));
        when.destination = Prefix::host(*IpAddress::parse("203.0.113." + std::to_string(i)));
        rules.push_back({when, Jump{"inner"}, {}});
    }
    auto const forwarding = theirs("filter", {{"FORWARD", rules}, {"inner", {{{}, Accept{}, {}}}}});
    auto const proof = proof_of(plan, {own, forwarding});
    CHECK(proof.holds());
    CHECK(proof.pieces == alone.pieces);
}

TEST_CASE("loops: a packet that the guard stops at its first director does not go round") {
    Compiled const compiled(two_directors + web);
    auto const states = states_of(compiled.site, layout_linear);
    Work work;
    auto rules = rules_of(states, work);
    CHECK(find_loops(rules, work).empty());
    // lb2 knows no peer.
    auto forgetful = states[1].marks[0];
    for (auto& chain : forgetful.chains)
        std::erase_if(chain.rules, [](Rule const& rule) { return rule.when.source_mac.has_value(); });
    rules[1].rules[0] = std::make_shared<RuleIndex const>(forgetful);
    auto const one = find_loops(rules, work);
    REQUIRE(one.size() == 1);
    CHECK(one.front().fault == Fault::balanced_twice);
    CHECK_FALSE(one.front().goes_round);
    CHECK(one.front().hops.back().director == "lb1");
    // Nor does lb1.
    auto other = states[0].marks[0];
    for (auto& chain : other.chains)
        std::erase_if(chain.rules, [](Rule const& rule) { return rule.when.source_mac.has_value(); });
    rules[0].rules[0] = std::make_shared<RuleIndex const>(other);
    auto const both = find_loops(rules, work);
    REQUIRE(both.size() == 2);
    CHECK(both.front().goes_round);
}

TEST_CASE("loops: where directors are told by their MACs and a guard stands, there is none to look for") {
    for (auto const* guard : {"guard local\n", "guard drop\n"})
        for (auto const* more :
             {"", "; interface eth0", "; bypass 02:00:00:00:00:02", "; mark lb1 5, lb2 6", "; on lb1"})
            for (auto const* vip : {"vip 10.9.9.1", "vip 10.9.9.0/24, 2001:db8:9::/64", "vip 10.0.0.9; local"})
                for (auto const* port : {"port any", "port tcp 80, 90-99; port udp 80"}) {
                    auto const text = two_directors + guard + "service web { " + vip + "; " + port +
                                      "; real lb1; real lb2" + more + " }\nservice other { vip 10.9.8.1; port tcp 80;" +
                                      " on lb2; real lb1; real lb2; interface eth1 }\n";
                    CAPTURE(text);
                    Compiled const compiled(text);
                    REQUIRE_FALSE(compiled.diagnostics.has_errors());
                    for (auto const layout : {layout_linear, layout_tree}) {
                        auto const states = states_of(compiled.site, layout);
                        Work work;
                        CHECK(find_loops(rules_of(states, work), work).empty());
                    }
                }
}

TEST_CASE("proof: IPVS forwards packets to a VIP past the table nat") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    REQUIRE(plan.marks.guard);
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    Matches guarded;
    guarded.mark = plan.marks.guard->mark;
    auto const marks = [&](Matches const& when) {
        return theirs("nat", {{"OUTPUT", {{when, SetMark{Fwmark{9}}, {}}}}});
    };
    CHECK(proof_of(plan, {own, marks(guarded)}).holds());
    // What the director sends itself without a mark is not forwarded. No service has mark 9.
    CHECK(proof_of(plan, {own, marks({})}).holds());
    auto const to_service = theirs("nat", {{"OUTPUT", {{{}, SetMark{Fwmark{3}}, {}}}}});
    CHECK_FALSE(proof_of(plan, {own, to_service}).holds());
}

TEST_CASE("proof: a restored mark is one that a rule saves") {
    Compiled const compiled(two_directors + web);
    auto const plan = compiled.plan("lb1");
    auto const own = layout_linear(compiled.site, plan.marks, Family::ipv4);
    auto const faults = [&](std::vector<Rule> const& before, std::vector<Rule> const& behind,
                            std::vector<Rule> const& elsewhere) {
        // "mangle" is lbc's own table here, so theirs stand in raw and filter.
        return proof_of(plan, {own, theirs("raw", {{"PREROUTING", before}}),
                               theirs("filter", {{"FORWARD", elsewhere}, {"INPUT", behind}})})
            .faults;
    };
    auto const rule = [](Target const& target, std::optional<Fwmark> mark = {}) {
        Rule made{{}, target, {}};
        made.when.mark = mark;
        return made;
    };
    auto const restore = rule(RestoreMark{"CONNMARK"});
    auto const to = [&](std::uint32_t mark) { return rule(SetConnectionMark{.name = "CONNMARK", .flipped = mark}); };
    auto const save = SetConnectionMark{.name = "CONNMARK", .saved = whole_mark};
    auto const is_unknown = [](MarkFault const& fault) { return fault.kind == MarkFault::Kind::unknown; };
    auto const is_first = [](MarkFault const& fault) {
        return fault.kind == MarkFault::Kind::differs && fault.packets.witness.connection == Packet::Connection::first;
    };

    CHECK(faults({restore}, {}, {to(9)}).empty());
    CHECK(faults({restore}, {}, {rule(save, Fwmark{9})}).empty());
    // Then packets to nobody's service may get mark 3.
    auto const served = faults({restore}, {}, {to(3)});
    CHECK_FALSE(served.empty());
    CHECK(std::ranges::all_of(served, is_unknown));
    CHECK_FALSE(faults({restore}, {}, {rule(save)}).empty());
    CHECK_FALSE(faults({restore}, {}, {rule(save, Fwmark{3})}).empty());
    // Bits: 1 from one rule and 2 from another make 3.
    auto const bit = [&](std::uint32_t mask) {
        return rule(SetConnectionMark{.name = "CONNMARK", .cleared = mask, .flipped = mask});
    };
    CHECK(faults({restore}, {}, {bit(1)}).empty());
    CHECK_FALSE(faults({restore}, {}, {bit(1), bit(2)}).empty());
    // Any rule that may do anything may set the connection's mark.
    CHECK_FALSE(faults({restore}, {}, {rule(UnknownTarget{"NFQUEUE"})}).empty());

    // Behind lbc's rules, the first packet of a connection surely loses the mark of its service.
    auto const lost = faults({}, {restore}, {to(9)});
    CHECK(std::ranges::any_of(lost, is_first));
    CHECK(faults({}, {rule(RestoreMark{.name = "CONNMARK", .cleared = 0xff00, .restored = 0xff00})}, {to(0x900)})
              .size() == lost.size());
    CHECK(faults({}, {rule(RestoreMark{.name = "CONNMARK", .cleared = 0xff0000, .restored = 0xff0000})}, {to(9)})
              .empty());
}
