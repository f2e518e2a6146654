// Rules in the real kernel: every form as lbc writes it, as iptables writes it, and what neither of them is.
#include "backends/iptables/xt_rule.hpp"
#include "tests/support/mangle_tools.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

namespace lbc::test {
namespace {

std::string restore_text(Ruleset const& rules) {
    std::string text;
    for (Chain const& chain : rules.chains)
        text += fmt::format(":{} - [0:0]\n", chain.name);
    for (Chain const& chain : rules.chains)
        for (Rule const& rule : chain.rules)
            text += fmt::format("-A {} {}\n", chain.name, to_string(rule));
    for (EntryJump const& hook : rules.entry_jumps)
        text += fmt::format("-A {} {}\n", hook.builtin, to_string(hook.rule));
    return text;
}

} // namespace

TEST_CASE("libiptc: every form of rule reads back") {
    for (Family const family : families) {
        new_namespace();
        Ruleset const wanted = all_forms(family);
        replace(wanted);
        Ruleset const read = open_table(family)->owned();
        REQUIRE(read.chains.size() == wanted.chains.size());
        for (std::size_t i = 0; i < wanted.chains[0].rules.size(); ++i)
            CHECK(to_string(read.chains[0].rules.at(i)) == to_string(wanted.chains[0].rules[i]));
        CHECK(read == wanted);
    }
}

TEST_CASE("libiptc: iptables makes the same of a rule's text") {
    for (Family const family : families) {
        new_namespace();
        Ruleset const wanted = all_forms(family);
        load(family, restore_text(wanted));
        std::string const by_iptables = saved(family);
        CHECK(open_table(family)->owned() == wanted);

        new_namespace();
        replace(wanted);
        check_equal(saved(family), by_iptables);
    }
}

TEST_CASE("libiptc: what lbc never writes is equal to no own rule") {
    std::vector<std::string> foreign_forms{"-s 10.0.0.1/32 -j DROP",
                                           "-o eth0 -j DROP",
                                           "! -d 10.0.0.1/32 -j DROP",
                                           "! -i eth0 -j DROP",
                                           "! -p tcp -j DROP",
                                           "-f -j DROP",
                                           "-d 10.0.0.1/255.0.255.0 -j DROP",
                                           "-p tcp -m tcp --sport 5 -j DROP",
                                           "-p tcp -m tcp ! --dport 5 -j DROP",
                                           "-p tcp -m tcp --syn -j DROP",
                                           "-p udp -m udp --sport 5 -j DROP",
                                           "-p sctp -m sctp --sport 5 -j DROP",
                                           "-p sctp -m sctp ! --dport 5 -j DROP",
                                           "-p tcp -m multiport --sports 5,6 -j DROP",
                                           "-p tcp -m multiport ! --dports 5,6 -j DROP",
                                           "-p tcp -m multiport --ports 5,6 -j DROP",
                                           "-p tcp -m tcp --dport 5 -m multiport --dports 5,6 -j DROP",
                                           "-p udplite -m multiport --dports 5,6 -j DROP",
                                           "-m mark --mark 1/1 -j DROP",
                                           "-m mark ! --mark 1 -j DROP",
                                           "-m mark --mark 1 -m mark --mark 1 -j DROP",
                                           "-m mac --mac-source 2:0:0:0:0:1 -m mac --mac-source 2:0:0:0:0:2 -j DROP",
                                           "-m comment --comment x -j DROP",
                                           "-j MARK --set-xmark 1/1",
                                           "-j MARK --or-mark 1",
                                           "-j ACCEPT",
                                           "",
                                           "-j CONNMARK --save-mark"};
    std::string text = ":LBC - [0:0]\n";
    for (std::string const& form : foreign_forms)
        text += fmt::format("-A LBC {}\n", form);
    new_namespace();
    load(Family::ipv4, text);
    Ruleset const read = open_table(Family::ipv4)->owned();
    REQUIRE(read.chains.size() == 1);
    REQUIRE(read.chains[0].rules.size() == foreign_forms.size());
    for (std::size_t i = 0; i < foreign_forms.size(); ++i) {
        Rule const& rule = read.chains[0].rules[i];
        CAPTURE(foreign_forms[i]);
        CHECK_FALSE(xt::refuse_rule(rule, Family::ipv4).empty());
    }
    CHECK(open_table(Family::ipv4)->owned() == read);
}

TEST_CASE("libiptc: what cannot be written is refused, and nothing changes") {
    new_namespace();
    std::string const before = saved(Family::ipv4);
    auto const refused = [&](Rule const& rule, std::string_view why) {
        Ruleset wanted = simple_rules(Family::ipv4);
        wanted.chains[0].rules = {rule};
        auto const table = open_table(Family::ipv4);
        std::string const prefix = "a rule for chain `LBC` of the IPv4 mangle table cannot be written: ";
        CHECK(error_of(table->supports(wanted)) == prefix + std::string(why));
        CHECK(error_of(table->replace(wanted)) == prefix + std::string(why));
    };
    Rule rule{{}, Return{}, {}};
    rule.when.destination_ports = {ports(80, 80)};
    refused(rule, "protocol 0 has no ports");
    rule.when.protocol = 6;
    rule.when.destination_ports.assign(8, ports(80, 81));
    refused(rule, "one rule takes at most 15 ports, and a range counts as two");
    rule.when = {};
    rule.when.destination = Prefix::host(*IpAddress::parse("2001:db8::1"));
    refused(rule, "2001:db8::1 is an address of the other family");
    rule.when = {};
    rule.when.unknown = "-m x";
    refused(rule, "lbc cannot write the match `-m x`");
    refused({{}, UnknownTarget{"ACCEPT"}, {}}, "lbc cannot write the target of `-j ACCEPT`");
    refused({{}, Jump{"theirs"}, {}}, "`theirs` cannot be the name of an own chain");
    refused({{}, Goto{"LBC-NONE"}, {}}, "there is no chain `LBC-NONE`");
    check_equal(saved(Family::ipv4), before);
}

TEST_CASE("libiptc: any bytes read as some rule") {
    std::mt19937 random(1);
    for (Family const family : families) {
        Ruleset const forms = all_forms(family);
        for (Rule const& rule : forms.chains[0].rules) {
            xt::Bytes entry;
            xt::append_rule(rule, family, entry);
            for (int i = 0; i < 20; ++i) {
                xt::Bytes hostile = entry;
                for (int changes = 0; changes < 3; ++changes)
                    hostile[random() % hostile.size()] = static_cast<std::byte>(random());
                hostile.resize(random() % 2 == 0 ? hostile.size() : random() % hostile.size());
                hostile.shrink_to_fit();
                (void)xt::read_rule(hostile, family, "LBC-PEER");
                (void)xt::portable_entry(hostile, family, "LBC-PEER");
            }
            CHECK(xt::read_rule(xt::ByteView(entry).first(entry.size() - 1), family, {})
                      .when.unknown.starts_with("malformed:"));
        }
    }
}

} // namespace lbc::test
