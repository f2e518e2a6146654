#include "backends/restore/rule_text.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

Rule read(std::string_view text, Family family = Family::ipv4, std::string_view table = "mangle") {
    TableNames const names{table, {{"LBC", 0}, {"LOG", 1}, {"PREROUTING", 2}, {"INPUT", 3}}};
    auto const words = split_words(text);
    REQUIRE(words);
    auto const rule = read_rule_words(*words, family, names);
    REQUIRE(rule);
    REQUIRE(*rule);
    return **rule;
}

/// As lbc words it.
std::string text(std::string_view written, Family family = Family::ipv4) { return to_string(read(written, family)); }

Target target(std::string_view written, std::string_view table = "mangle") {
    return read(written, Family::ipv4, table).then;
}

std::string unknown(std::string_view written) { return read(written).when.unknown; }

Matches tcp(std::vector<PortRange> ports) {
    Matches when;
    when.protocol = 6;
    when.destination_ports = std::move(ports);
    return when;
}

/// What iptables would not take, or this reader not understand.
bool is_senseless(std::string_view written) {
    Rule const rule = read(written);
    return rule.then == Target{UnknownTarget{"?"}} && rule.when.unknown == written;
}

} // namespace

TEST_SUITE("rule text") {
    TEST_CASE("words as iptables-restore splits them") {
        auto const words = [](std::string_view line) {
            std::vector<std::string> list;
            std::vector<Word> const split = split_words(line).value();
            for (Word const& word : split)
                list.push_back(word.text);
            return list;
        };
        using Texts = std::vector<std::string>;
        CHECK(words(" a\tb  c ") == Texts{"a", "b", "c"});
        CHECK(words(R"("a b" "c\"d\\e" f\g)") == Texts{"a b", "c\"d\\e", "f\\g"});
        CHECK(words(R"(ab"c d"e "")") == Texts{"abc d", "e", ""});
        CHECK(words("").empty());
        CHECK_FALSE(split_words("a \"b"));
        CHECK_FALSE(split_words("\"b\\"));
        CHECK(as_written(*split_words(R"(-i  "a\"b" x)")) == R"(-i "a\"b" x)");
    }

    TEST_CASE("destinations: hosts, networks, masks, negation") {
        CHECK(text("-d 192.0.2.1 -j DROP") == "-d 192.0.2.1/32 -j DROP");
        CHECK(text("! -d 192.0.2.9/24 -j DROP") == "! -d 192.0.2.0/24 -j DROP");
        CHECK(text("--dst 192.0.2.0/255.255.254.0") == "-d 192.0.2.0/23");
        CHECK(text("-d 2001:db8::1/ffff:ffff::", Family::ipv6) == "-d 2001:db8::/32");
        CHECK(read("-d 0.0.0.0/0").when == Matches{});
        CHECK(text("! -d 0.0.0.0/0") == "! -d 0.0.0.0/0");
        CHECK(unknown("-d 1.0.3.0/255.0.255.0") == "-d 1.0.3.0/255.0.255.0");
        CHECK(unknown("-d 192.0.2.1,192.0.2.2") == "-d 192.0.2.1,192.0.2.2");
        CHECK(unknown("-d 192.0.2.0/33") == "-d 192.0.2.0/33");
        CHECK(unknown("-d web.example -d 192.0.2.1 ! -d 192.0.2.2") == "-d web.example ! -d 192.0.2.2");
    }

    TEST_CASE("an address of the other family is an error, a rule of the other family is not there") {
        TableNames const names{"mangle", {}};
        auto const words = split_words("-s 2001:db8::1 -j DROP");
        auto const refused = read_rule_words(*words, Family::ipv4, names);
        REQUIRE_FALSE(refused);
        CHECK(refused.error() == "`2001:db8::1` is an IPv6 address among the IPv4 rules");
        auto const others = split_words("-d 2001:db8::1 -6 -j DROP");
        CHECK_FALSE(read_rule_words(*others, Family::ipv4, names).value());
        CHECK(read_rule_words(*others, Family::ipv6, names).value());
        CHECK(read("-4 -j DROP") == read("-j DROP"));
    }

    TEST_CASE("interfaces and what Matches has no field for") {
        CHECK(text("-i eth0 -j DROP") == "-i eth0 -j DROP");
        CHECK(text("! --in-interface eth+") == "! -i eth+");
        CHECK(text("-i \"a\\\"b\"") == "-i \"a\\\"b\"");
        CHECK(read("-i + -o + -s 0/0").when.unknown == "-s 0/0");
        CHECK(read("-i + -o + -s 0.0.0.0/0").when == Matches{});
        CHECK(text("! -i +") == "! -i +");
        CHECK(read("-i -j -j ACCEPT").then == Target{Accept{}});
        CHECK(unknown("! -s 10.0.0.0/8 -o eth1 ! -f -i eth0") == "! -s 10.0.0.0/8 -o eth1 ! -f");
        CHECK(unknown("-i eth0 ! -i eth1") == "! -i eth1");
    }

    TEST_CASE("protocols by name and number") {
        CHECK(read("-p tcp").when.protocol == 6);
        CHECK(read("-p UDP").when.protocol == 17);
        CHECK(read("-p 132").when.protocol == 132);
        CHECK(read("-p ipv6-icmp").when.protocol == 58);
        CHECK(read("-p icmpv6").when.protocol == 58);
        CHECK(read("-p mobility-header").when.protocol == 135);
        CHECK(read("-p all").when == Matches{});
        CHECK(read("-p 0").when == Matches{});
        CHECK(text("! -p esp -j DROP") == "! -p esp -j DROP");
        CHECK(unknown("-p carp") == "-p carp");
        CHECK(unknown("-p 256") == "-p 256");
        CHECK(unknown("-p 06") == "-p 06");
        CHECK(unknown("! -p all") == "! -p all");
    }

    TEST_CASE("ports of one protocol") {
        CHECK(read("-p tcp -m tcp --dport 80").when == tcp({{Port{80}, Port{80}}}));
        CHECK(read("-p tcp --dport 80").when == tcp({{Port{80}, Port{80}}}));
        CHECK(text("-p tcp -d 192.0.2.1 --dport 80 -i eth0") == "-d 192.0.2.1/32 -i eth0 -p tcp -m tcp --dport 80");
        CHECK(read("-m tcp --dport 80 -p tcp").when == tcp({{Port{80}, Port{80}}}));
        CHECK(read("-p tcp -m tcp --destination-port :90").when == tcp({{Port{0}, Port{90}}}));
        CHECK(read("-p tcp -m tcp --dport 90:").when == tcp({{Port{90}, Port{65535}}}));
        CHECK(read("-p tcp -m tcp").when == tcp({PortRange::all()}));
        CHECK(read("-p tcp -m tcp --sport 0:65535").when == tcp({PortRange::all()}));
        CHECK(text("-p udp -m udp ! --dport 53") == "-p udp -m udp ! --dport 53");
        CHECK(text("-p sctp -m sctp --dport 5") == "-p sctp -m sctp --dport 5");
        CHECK(text("-p tcp -m tcp ! --dport 0:65535") == "-p tcp -m tcp ! --dport 0:65535");
    }

    TEST_CASE("options of a port match that no field holds stay behind its name") {
        Rule const rule = read("-p tcp -m tcp --dport 5 ! --tcp-flags FIN,SYN,RST,ACK SYN --sport 1:65535 -j DROP");
        CHECK(rule.when.destination_ports.front() == PortRange{Port{5}, Port{5}});
        CHECK(rule.when.unknown == "-m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN --sport 1:65535");
        CHECK(rule.then == Target{Drop{}});
        CHECK(read("-p tcp --syn").when.destination_ports.empty());
        CHECK(unknown("-p tcp --syn") == "-m tcp --syn");
        CHECK(unknown("-p tcp -m tcp --dport http") == "-m tcp --dport http");
        CHECK(unknown("-p tcp -m tcp --dport 9:8") == "-m tcp --dport 9:8");
        CHECK(unknown("-p tcp -m tcp --dport 080") == "-m tcp --dport 080");
        CHECK(unknown("-p tcp -m tcp --dport 65536") == "-m tcp --dport 65536");
        CHECK(unknown("-p tcp -m tcp --dport 80 ! --dport 81") == "-m tcp ! --dport 81");
        CHECK(unknown("-m tcp --dport 80") == "-m tcp --dport 80");
        CHECK(unknown("-p udp -m tcp --dport 80") == "-m tcp --dport 80");
        CHECK(unknown("! -p tcp -m tcp --dport 80") == "-m tcp --dport 80");
        CHECK(unknown("-p icmp -m icmp --icmp-type 8") == "-m icmp --icmp-type 8");
        CHECK(unknown("-p icmp --icmp-type 8") == "-m icmp --icmp-type 8");
        CHECK(unknown("-p 58 -d 192.0.2.1 --icmpv6-type 1") == "-m icmp6 --icmpv6-type 1");
        CHECK(unknown("! -p tcp --dport 80") == "-m tcp --dport 80");
    }

    TEST_CASE("lists of ports") {
        CHECK(text("-p tcp -m multiport --dports 80,90:100") == "-p tcp -m multiport --dports 80,90:100");
        CHECK(text("-p udp -m multiport ! --destination-ports 1,2") == "-p udp -m multiport ! --dports 1,2");
        CHECK(read("-p tcp -m multiport --dports 80").when == tcp({{Port{80}, Port{80}}}));
        CHECK(read("-p tcp -m tcp -m multiport --dports 80,81").when.destination_ports.size() == 2);
        CHECK(read("-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14:15").when.unknown.empty());
        for (std::string const part :
             {"-m multiport --ports 80", "-m multiport --sports 80", "-m multiport --dports 80,",
              "-m multiport --dports 80:", "-m multiport --dports 80 --sports 1", "-m multiport",
              "-m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15:16"}) {
            CHECK(unknown("-p tcp " + part) == part);
        }
        CHECK(unknown("-p tcp --dport 80 -m multiport --dports 80,81") == "-m multiport --dports 80,81");
        CHECK(unknown("-p udplite -m multiport --dports 80,81") == "-m multiport --dports 80,81");
        CHECK(unknown("-m multiport --dports 80,81") == "-m multiport --dports 80,81");
    }

    TEST_CASE("MACs and marks") {
        CHECK(text("-m mac --mac-source 00:11:22:33:44:AA") == "-m mac --mac-source 00:11:22:33:44:aa");
        CHECK(text("-m mac ! --mac-source 00:11:22:33:44:55") == "-m mac ! --mac-source 00:11:22:33:44:55");
        CHECK(unknown("-m mac --mac-source 00:11") == "-m mac --mac-source 00:11");
        CHECK(unknown("-m mac --mac-source 00:11:22:33:44:55 -m mac --mac-source 00:11:22:33:44:56") ==
              "-m mac --mac-source 00:11:22:33:44:56");
        CHECK(text("-m mark --mark 0x3") == "-m mark --mark 0x3");
        CHECK(text("-m mark ! --mark 19/0xf") == "-m mark ! --mark 0x13/0xf");
        CHECK(text("-m mark --mark 0x3/0x0") == "-m mark --mark 0x3/0x0");
        CHECK(unknown("-m mark --mark 0x3 -m mark --mark 0x4") == "-m mark --mark 0x4");
        CHECK(unknown("-m mark --mark 010") == "-m mark --mark 010");
        CHECK(unknown("-m mark --mark 0x100000000") == "-m mark --mark 0x100000000");
        CHECK(unknown("-m mark --mark 0x1/") == "-m mark --mark 0x1/");
    }

    TEST_CASE("comments match everything") {
        Rule const rule = read(R"(-m comment --comment "a \"b\" -j" -p tcp -m comment --comment -j -j DROP)");
        CHECK(rule.comment == "a \"b\" -j -j");
        CHECK(rule.when == tcp({}));
        CHECK(rule.then == Target{Drop{}});
        CHECK(read("-m comment --comment \"a\x1b[1m\"").comment == "a?[1m");
        CHECK(read("-m comment --comment \"\" -j DROP") == read("-j DROP"));
    }

    TEST_CASE("other matches are unknown up to the next option of iptables") {
        Rule const rule = read("-d 192.0.2.1 -m conntrack --ctstate NEW ! --ctorigdst 192.0.2.2 ! -i eth3 "
                               "-m string --string \"-j\" --algo bm -m set --match-set a dst -j LBC");
        CHECK(rule.when.unknown == "-m conntrack --ctstate NEW ! --ctorigdst 192.0.2.2 "
                                   "-m string --string \"-j\" --algo bm -m set --match-set a dst");
        CHECK(rule.when.not_in_interface);
        CHECK(rule.then == Target{Jump{"LBC"}});
        CHECK(unknown("-m u32 --u32 \"0x0=\x01\"") == "-m u32 --u32 \"0x0=\x01\"");
    }

    TEST_CASE("a match that changes the mark makes the rule's effect unknown") {
        Rule const rule = read("-m socket --transparent --restore-skmark -j LBC");
        CHECK(rule.then == Target{UnknownTarget{"LBC"}});
        CHECK(rule.when.unknown == "-m socket --transparent --restore-skmark");
        CHECK(target("-m socket --rest") == Target{UnknownTarget{"CONTINUE"}});
        CHECK(target("-m socket --transparent -j LBC") == Target{Jump{"LBC"}});
    }

    TEST_CASE("verdicts and chains") {
        CHECK(target("-j ACCEPT") == Target{Accept{}});
        CHECK(target("--jump DROP") == Target{Drop{}});
        CHECK(target("-j RETURN -p tcp") == Target{Return{}});
        CHECK(target("") == Target{Continue{""}});
        CHECK(target("-j LOG") == Target{UnknownTarget{"LOG"}}); // this table has such a chain, too
        CHECK(target("--goto LBC") == Target{Goto{"LBC"}});
        CHECK(target("-j REJECT --reject-with tcp-reset", "filter") == Target{Drop{"REJECT"}});
        for (std::string const name : {"REJECT", "LBC-2", "INPUT", "ACCEPT x", "LBC --x", "DNAT --to-destination a",
                                       "NFQUEUE --queue-num 1", "TPROXY --on-port 80 --tproxy-mark 0x1/0x1"}) {
            CHECK(target("-j " + name) == Target{UnknownTarget{name}});
        }
        CHECK(target("-g LBC-2") == Target{UnknownTarget{"LBC-2"}});
        CHECK(target("-g ACCEPT") == Target{UnknownTarget{"ACCEPT"}});
    }

    TEST_CASE("MARK in its five forms") {
        CHECK(target("-j MARK --set-xmark 0x3/0xff") == Target{SetMark{Fwmark{3}, 0xff}});
        CHECK(target("-j MARK --set-xmark 3") == Target{SetMark{Fwmark{3}}});
        CHECK(target("-j MARK --set-mark 0x13/0xf") == Target{SetMark{Fwmark{0x13}, 0x1f}});
        CHECK(target("-j MARK --set-mark 7") == Target{SetMark{Fwmark{7}}});
        CHECK(target("-j MARK --and-mark 0xf0") == Target{SetMark{Fwmark{0}, 0xffffff0f}});
        CHECK(target("-j MARK --or-mark 0x4") == Target{SetMark{Fwmark{4}, 4}});
        CHECK(target("-j MARK --xor-mark 0xf0") == Target{SetMark{Fwmark{0xf0}, 0}});
        for (std::string const name : {"MARK", "MARK --set-mark", "MARK --or-mark 1/2", "MARK --set-mark x",
                                       "MARK ! --set-mark 1", "MARK --set-mark 1 --x", "MARK --set-mark 01"}) {
            CHECK(target("-j " + name) == Target{UnknownTarget{name}});
        }
    }

    TEST_CASE("targets that go on, and those that give a mark from elsewhere") {
        for (std::string const name : {"NFLOG --nflog-prefix \"-j x\"", "TRACE", "TTL --ttl-set 3",
                                       "SET --add-set a src,dst --exist --timeout 5", "TCPMSS --set-mss 1400"}) {
            CHECK(target("-j " + name) == Target{Continue{name}});
            CHECK(text("-j " + name) == "-j " + name);
        }
        for (std::string const name : {"CT --notrack", "NOTRACK"})
            CHECK(target("-j " + name) == Target{Continue{name, true}});
        for (auto const& [name, mask] : std::vector<std::pair<std::string, std::uint32_t>>{
                 {"CONNMARK --restore-mark --nfmask 0xf0 --ctmask 0xf --left-shift-mark 4", whole_mark},
                 {"SET --map-set a src --map-mark", whole_mark},
                 {"HMARK --hmark-mod 4 --hmark-offset 1", whole_mark}}) {
            CHECK(target("-j " + name) == Target{UnknownMark{name, mask}});
        }
        for (std::string const name : {"CONNMARK", "CONNMARK --restore", "CONNMARK --save-mark --x", "SET",
                                       "SET --map a src", "SET x --add-set a"})
            CHECK(target("-j " + name) == Target{UnknownTarget{name}});
    }

    TEST_CASE("CONNMARK: masks and values as libxt_CONNMARK.c turns them into the kernel's") {
        std::vector<std::pair<std::string, Target>> const all{
            {"--restore-mark", RestoreMark{.name = "", .cleared = whole_mark, .restored = whole_mark}},
            {"--restore-mark --mask 0xff", RestoreMark{.name = "", .cleared = 0xff, .restored = 0xff}},
            {"--restore-mark --nfmask 0xf0 --ctmask 0xf", RestoreMark{.name = "", .cleared = 0xf0, .restored = 0xf}},
            {"--restore-mark --nfmask 0xf0", RestoreMark{.name = "", .cleared = 0xf0, .restored = whole_mark}},
            {"--save-mark", SetConnectionMark{.name = "", .cleared = whole_mark, .saved = whole_mark}},
            {"--save-mark --nfmask 0xf0 --ctmask 0xf", SetConnectionMark{.name = "", .cleared = 0xf, .saved = 0xf0}},
            {"--set-xmark 0x7", SetConnectionMark{.name = "", .cleared = whole_mark, .flipped = 7}},
            {"--set-xmark 0x7/0xf0", SetConnectionMark{.name = "", .cleared = 0xf0, .flipped = 7}},
            {"--set-mark 0x13/0xf", SetConnectionMark{.name = "", .cleared = 0x1f, .flipped = 0x13}},
            {"--and-mark 0xf0", SetConnectionMark{.name = "", .cleared = 0xffffff0f}},
            {"--or-mark 0x4", SetConnectionMark{.name = "", .cleared = 4, .flipped = 4}},
            {"--xor-mark 0x4", SetConnectionMark{.name = "", .cleared = 0, .flipped = 4}},
            {"--save-mark --left-shift-mark 4", SetConnectionMark{.name = "", .is_any = true}},
            {"--set-xmark 0x7 --right-shift-mark 4", SetConnectionMark{.name = "", .is_any = true}},
        };
        for (auto const& [options, meant] : all) {
            auto found = target("-j CONNMARK " + options);
            CAPTURE(options);
            CHECK(to_string(Rule{{}, found, {}}) == "-j CONNMARK " + options);
            if (auto* set = std::get_if<SetConnectionMark>(&found))
                set->name.clear();
            else if (auto* restore = std::get_if<RestoreMark>(&found))
                restore->name.clear();
            CHECK(found == meant);
        }
    }

    TEST_CASE("what makes no sense may hold and do anything") {
        for (std::string const words : {"foo",
                                        "-j",
                                        "!",
                                        "-d",
                                        "-j ACCEPT -j DROP",
                                        "-j LBC -g LBC",
                                        "! -j ACCEPT",
                                        "! -m tcp",
                                        "-j -d 192.0.2.1",
                                        "-jACCEPT",
                                        "-i eth0 x",
                                        "--jum ACCEPT",
                                        "-m conntrack --jump=ACCEPT",
                                        "-m conntrack --ctstate NEW -jLBC",
                                        "-m recent --go LBC",
                                        "-j \"\"",
                                        "-t nat -j DROP",
                                        "-c 0 -j ACCEPT",
                                        "-c 0 x -j ACCEPT",
                                        "-m conntrack --ctstate NEW !",
                                        "--dport 80 -p tcp -j ACCEPT",
                                        "-p tcp x --dport 80",
                                        "-p mark --mark 1",
                                        "-p tcp -p udp",
                                        "-d 192.0.2.1 --x"}) {
            CAPTURE(words);
            CHECK(is_senseless(words));
        }
        CHECK(read("-c 0 0 -j ACCEPT") == read("-j ACCEPT"));
    }

    TEST_CASE("every rule that lbc words is read as it was") {
        for (std::string const rule :
             {"! -d 192.0.2.0/24 ! -i eth+ ! -p tcp -m mac ! --mac-source 00:11:22:33:44:55 -m mark ! --mark 0x1/0x3 "
              "-j LBC",
              "-p tcp -m tcp -m mark --mark 0x0 -j MARK --set-xmark 0x3/0xffffffff", "-p 47 -j DROP", "-g LBC",
              "-p udp -m multiport ! --dports 1,2:3 -s 192.0.2.1 -m udp --sport 5 -m limit --limit 3/sec -j TTL "
              "--ttl-inc 1"}) {
            CHECK(text(rule) == rule);
            CHECK(read(text(rule)) == read(rule));
        }
    }
}
