#include "backends/iptables/legacy_words.hpp"

#include "backends/apply/system_kernel.hpp"
#include "tests/support/mangle_tools.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace lbc;

namespace {

Rule rule(Matches when, Target then) { return {std::move(when), std::move(then), {}}; }

Matches asks(std::string unknown, std::uint8_t protocol = 0) {
    Matches when;
    when.protocol = protocol;
    when.unknown = std::move(unknown);
    return when;
}

} // namespace

TEST_CASE("legacy words: those of the rule in the same place, where the known parts are the same") {
    Netfilter rules{Family::ipv4,
                    {{Family::ipv4,
                      {{"INPUT",
                        {rule(asks("-m state.0:02"), Accept{}), rule(asks("-m state.0:03", 6), Drop{}),
                         rule(asks(""), UnknownTarget{"TPROXY.0:00"}), rule(asks("-m x.0:00"), Return{})}},
                       {"OUTPUT", {rule(asks("-m x.0:00"), Accept{})}}},
                      {},
                      "filter"}}};
    take_legacy_words(rules, "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                             "-A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
                             "-A INPUT -p udp -m state --state NEW -j DROP\n" // the kernel asks for TCP
                             "-A INPUT -j TPROXY --on-port 1\n"
                             "-A INPUT -j RETURN\n" // the kernel asks for more
                             "-A OUTPUT -s 192.0.2.1/32 -j ACCEPT\n-A OUTPUT -j ACCEPT\nCOMMIT\n");
    auto const& input = rules.tables[0].chains[0].rules;
    CHECK(to_string(input[0]) == "-m state --state ESTABLISHED -j ACCEPT");
    CHECK(input[1].when.unknown == "-m state.0:03");
    CHECK(to_string(input[2]) == "-j TPROXY --on-port 1");
    CHECK(input[3].when.unknown == "-m x.0:00");
    CHECK(rules.tables[0].chains[1].rules[0].when.unknown == "-m x.0:00");
    auto const before = rules;
    take_legacy_words(rules, "no table");
    CHECK(rules.tables == before.tables);
}

TEST_CASE("legacy words: of the kernel's rules, by the program") {
    test::new_namespace();
    auto const done = test::run({test::tool(Family::ipv4, "-restore")},
                                "*mangle\n-A PREROUTING -m limit --limit 3/sec -j NFQUEUE --queue-num 7\nCOMMIT\n");
    REQUIRE(done.status == 0);
    auto const read = make_system_kernel()->read_netfilter(Family::ipv4);
    REQUIRE(read);
    auto const mangle = std::ranges::find(read->tables, "mangle", &Ruleset::table);
    REQUIRE(mangle != read->tables.end());
    CHECK(to_string(mangle->find("PREROUTING")->rules.front()) == "-m limit --limit 3/sec -j NFQUEUE --queue-num 7");
}
