#include "backends/restore/restore.hpp"

#include "compiler/base/comment.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

Rule mark_rule(std::string_view vip, std::uint32_t mark, std::string comment) {
    Rule rule;
    rule.when.destination = Prefix::host(*IpAddress::parse(vip));
    rule.then = SetMark{Fwmark{mark}};
    rule.comment = std::move(comment);
    return rule;
}

Ruleset sample() {
    Ruleset ruleset;
    ruleset.chains = {{"LBC",
                       {Rule{{}, Goto{"LBC-PEER"}, ""}, mark_rule("192.0.2.1", 3, "web"),
                        mark_rule("192.0.2.2", 3, "web"), mark_rule("192.0.2.3", 4, "mail: a\nb")}},
                      {"LBC-PEER", {}}};
    ruleset.entry_jumps = {{"PREROUTING", Rule{{}, Jump{"LBC"}, ""}}};
    return ruleset;
}

} // namespace

TEST_SUITE("restore") {
    TEST_CASE("chains, rules under their comments, jumps") {
        CHECK(restore_body(sample()) == ":LBC - [0:0]\n"
                                        ":LBC-PEER - [0:0]\n"
                                        "\n"
                                        "-A LBC -g LBC-PEER\n"
                                        "# web\n"
                                        "-A LBC -d 192.0.2.1/32 -j MARK --set-xmark 0x3/0xffffffff\n"
                                        "-A LBC -d 192.0.2.2/32 -j MARK --set-xmark 0x3/0xffffffff\n"
                                        "# mail: a b\n"
                                        "-A LBC -d 192.0.2.3/32 -j MARK --set-xmark 0x4/0xffffffff\n"
                                        "\n"
                                        "-A PREROUTING -j LBC\n");
    }

    TEST_CASE("the whole text says what it is and how to load it") {
        std::string const text = restore_text(sample(), {.director = "lb1"});
        CHECK(text.starts_with("# lbc: the IPv4 mangle rules of director lb1.\n"));
        CHECK(text.contains("# Load with: iptables-restore --noflush\n"));
        CHECK(text.ends_with("-A PREROUTING -j LBC\nCOMMIT\n"));
        CHECK(text.contains("*mangle\n:LBC - [0:0]\n"));
    }

    TEST_CASE("nothing for a family is a text that changes nothing") {
        Ruleset ruleset;
        ruleset.family = Family::ipv6;
        std::string const text = restore_text(ruleset, {.director = "lb1"});
        CHECK(text.contains("ip6tables-restore --noflush"));
        CHECK(text.contains("# The site has nothing for this family: this text changes nothing.\n"));
        CHECK(text.ends_with("*mangle\nCOMMIT\n"));
    }

    TEST_CASE("a comment is one line, whatever it holds") {
        CHECK(comment_text("a\nCOMMIT\r\tb\x7f") == "a COMMIT  b ");
        CHECK(comment_text("h\xc3\xa9") == "h\xc3\xa9");
        CHECK(comment_text("a\xe2\x80\xae"
                           "b\xff"
                           "c") == "a b c");
    }

    TEST_CASE("a comment is short, and cut between characters") {
        CHECK(comment_text(std::string(200, 'a')) == std::string(200, 'a'));
        CHECK(comment_text(std::string(201, 'a')) == std::string(197, 'a') + "…");
        CHECK(comment_text(std::string(196, 'a') + "é" + std::string(9, 'a')) == std::string(196, 'a') + "…");
        CHECK(comment_text(std::string(65'536, '\xbf')).size() <= longest_comment);
    }
}
