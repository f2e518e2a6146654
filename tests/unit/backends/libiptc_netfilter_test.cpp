// Whole tables of the real kernel, with foreign rules in every form that Matches has, and some that it has not.
#include "backends/apply/system_kernel.hpp"
#include "backends/iptables/libiptc_netfilter.hpp"
#include "tests/support/mangle_tools.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>

namespace lbc::test {
namespace {

Netfilter read_netfilter(Family family) {
    auto read = read_libiptc_netfilter(family);
    INFO((read ? std::string{} : read.error().message));
    REQUIRE(read);
    return std::move(*read);
}

void restore(Family family, std::string const& tables) {
    Finished const done = run({tool(family, "-restore"), "--noflush"}, tables);
    INFO(tables);
    INFO(done.output);
    REQUIRE(done.status == 0);
}

std::string list_of_tables() {
    std::ifstream file("/proc/net/ip_tables_names");
    return {std::istreambuf_iterator(file), {}};
}

/// A rule's matches as iptables takes them, and as they are read.
struct Form {
    std::string text;
    Matches when;
};

Matches with(std::function<void(Matches&)> const& set) {
    Matches when;
    set(when);
    return when;
}

Matches unknown(std::string words, std::uint8_t protocol = 0) {
    return with([&](Matches& when) {
        when.unknown = std::move(words);
        when.protocol = protocol;
    });
}

Matches not_to(std::string_view address, int length) {
    return with([&](Matches& when) {
        when.destination = Prefix::of(*IpAddress::parse(address), length);
        when.not_destination = true;
    });
}

Matches interface(std::string_view pattern, bool negated) {
    return with([&](Matches& when) {
        when.in_interface = InterfacePattern::parse(pattern);
        when.not_in_interface = negated;
    });
}

Matches to_ports(std::uint8_t protocol, std::vector<PortRange> ranges, bool negated = false, std::string words = {}) {
    return with([&](Matches& when) {
        when.protocol = protocol;
        when.destination_ports = std::move(ranges);
        when.not_destination_ports = negated;
        when.unknown = std::move(words);
    });
}

Matches marked(std::uint32_t mark, std::uint32_t mask, bool negated, std::string words = {}) {
    return with([&](Matches& when) {
        when.mark = Fwmark{mark};
        when.mark_mask = mask;
        when.not_mark = negated;
        when.unknown = std::move(words);
    });
}

Matches from_mac(std::string_view mac, std::string words) {
    return with([&](Matches& when) {
        when.source_mac = MacAddress::parse(mac);
        when.unknown = std::move(words);
    });
}

std::vector<Form> port_forms() {
    return {
        {"-p tcp -m tcp ! --dport 80", to_ports(6, {ports(80, 80)}, true)},
        {"-p tcp -m tcp ! --dport 0:65535", to_ports(6, {PortRange::all()}, true)},
        {"-p udp -m udp ! --dport 53:54", to_ports(17, {ports(53, 54)}, true)},
        {"-p sctp -m sctp ! --dport 5", to_ports(132, {ports(5, 5)}, true)},
        {"-p tcp -m tcp --sport 5", unknown("-m tcp --sport 5", 6)},
        {"-p tcp -m tcp ! --sport 5:6 ! --dport 80", to_ports(6, {ports(80, 80)}, true, "-m tcp ! --sport 5:6")},
        {"-p udp -m udp --sport 5 --dport 6", to_ports(17, {ports(6, 6)}, false, "-m udp --sport 5")},
        {"-p sctp -m sctp --sport 5 --dport 6", to_ports(132, {ports(6, 6)}, false, "-m sctp --sport 5")},
        {"-p tcp -m tcp --syn", unknown("-m tcp --tcp-flags FIN,SYN,RST,ACK SYN", 6)},
        {"-p tcp -m tcp --dport 1 ! --tcp-flags ALL NONE --tcp-option 8",
         to_ports(6, {ports(1, 1)}, false, "-m tcp ! --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE --tcp-option 8")},
        {"-p tcp -m multiport ! --dports 5,6:7", to_ports(6, {ports(5, 5), ports(6, 7)}, true)},
        {"-p tcp -m multiport ! --dports 5", to_ports(6, {ports(5, 5)}, true)},
        {"-p tcp -m multiport --sports 5,6:7", unknown("-m multiport --sports 5,6:7", 6)},
        {"-p udp -m multiport ! --ports 5,6", unknown("-m multiport ! --ports 5,6", 17)},
        {"-p udplite -m multiport --dports 5,6", unknown("-m multiport --dports 5,6", 136)},
        {"-p tcp -m tcp ! --dport 5 -m multiport --dports 6,7",
         to_ports(6, {ports(5, 5)}, true, "-m multiport --dports 6,7")},
        {"-p tcp -m multiport --dports 6,7 -m tcp ! --dport 5",
         to_ports(6, {ports(6, 6), ports(7, 7)}, false, "-m tcp ! --dport 5")},
        {"-p tcp -m multiport --dports 6,7 -m tcp", to_ports(6, {ports(6, 6), ports(7, 7)}, false, "-m tcp")},
    };
}

std::vector<Form> forms() {
    std::vector<Form> all{
        {"! -i eth0", interface("eth0", true)},
        {"! -i eth+", interface("eth+", true)},
        {"-i eth+", interface("eth+", false)},
        {"-o eth0", unknown("-o eth0")},
        {"! -o eth+", unknown("! -o eth+")},
        {"-p 47", with([](Matches& when) { when.protocol = 47; })},
        {"! -p tcp", with([](Matches& when) {
             when.protocol = 6;
             when.not_protocol = true;
         })},
        {"-m mark --mark 0x1/0xff", marked(1, 0xff, false)},
        {"-m mark ! --mark 0x1", marked(1, whole_mark, true)},
        {"-m mark ! --mark 0x100/0xff00", marked(0x100, 0xff00, true)},
        {"-m mark --mark 0x1 -m mark ! --mark 0x2/0x3", marked(1, whole_mark, false, "-m mark ! --mark 0x2/0x3")},
        {"-m mac --mac-source 02:00:00:00:00:01 -m mac ! --mac-source 02:00:00:00:00:02",
         from_mac("02:00:00:00:00:01", "-m mac ! --mac-source 02:00:00:00:00:02")},
    };
    std::ranges::move(port_forms(), std::back_inserter(all));
    return all;
}

std::vector<Form> address_forms(Family family) {
    if (family == Family::ipv6) {
        return {{"! -d 2001:db8::/32", not_to("2001:db8::", 32)},
                {"-s 2001:db8::1", unknown("-s 2001:db8::1/128")},
                {"-d 2001:db8::1/ffff::ffff", unknown("-d 2001::1/ffff::ffff")}};
    }
    return {{"! -d 10.0.0.1", not_to("10.0.0.1", 32)},
            {"! -d 10.0.0.0/8", not_to("10.0.0.0", 8)},
            {"! -d 0.0.0.0/0", not_to("0.0.0.0", 0)},
            {"-d 10.0.0.1/255.0.255.0", unknown("-d 10.0.0.0/255.0.255.0")},
            {"-s 10.0.0.0/8", unknown("-s 10.0.0.0/8")},
            {"! -s 10.0.0.1 -o eth0", unknown("! -s 10.0.0.1/32 -o eth0")},
            {"-s 10.0.0.1/0.0.0.255", unknown("-s 0.0.0.1/0.0.0.255")},
            {"-f", unknown("-f")},
            {"! -f", unknown("! -f")}};
}

/// `-A theirs FORM -j RETURN` for each.
template <typename Texts>
std::string chain_text(Texts const& texts) {
    std::string text = "*mangle\n:theirs - [0:0]\n";
    for (std::string const& form : texts)
        text += fmt::format("-A theirs {}\n", form);
    return text + "COMMIT\n";
}

std::vector<Rule> rules_of(Family family, std::vector<std::string> const& texts) {
    new_namespace();
    restore(family, chain_text(texts));
    Netfilter const read = read_netfilter(family);
    REQUIRE(read.tables.size() == 1);
    Chain const* const chain = read.tables[0].find("theirs");
    REQUIRE(chain != nullptr);
    REQUIRE(chain->rules.size() == texts.size());
    return chain->rules;
}

} // namespace

TEST_CASE("netfilter: matches of others are read, and their text makes them again") {
    for (Family const family : families) {
        std::vector<Form> all = forms();
        std::ranges::move(address_forms(family), std::back_inserter(all));
        std::vector<std::string> texts;
        for (Form const& form : all)
            texts.push_back(form.text + " -j RETURN");
        std::vector<Rule> const rules = rules_of(family, texts);
        std::vector<std::string> words;
        for (std::size_t i = 0; i < all.size(); ++i) {
            CAPTURE(all[i].text);
            CHECK(to_string(rules[i]) == to_string({all[i].when, Return{}, {}}));
            CHECK(rules[i].when == all[i].when);
            CHECK(rules[i].then == Target{Return{}});
            words.push_back(to_string(rules[i]));
        }
        CHECK(rules_of(family, words) == rules);
    }
}

TEST_CASE("netfilter: a match without words keeps its bytes") {
    Rule const rule = rules_of(Family::ipv4, {"-d 10.0.0.1 -m limit --limit 3/sec -j DROP"}).front();
    CHECK(rule.when.destination == Prefix::host(*IpAddress::parse("10.0.0.1")));
    CHECK(rule.when.unknown.starts_with("-m limit.0:"));
    CHECK(rule.then == Target{Drop{}});
}

TEST_CASE("netfilter: targets of others") {
    std::vector<std::pair<std::string, Target>> const all{
        {"-j MARK --set-xmark 0x1/0xff", SetMark{Fwmark{1}, 0xff}},
        {"-j MARK --or-mark 0x10", SetMark{Fwmark{0x10}, 0x10}},
        {"-j MARK --set-mark 0x10", SetMark{Fwmark{0x10}}},
        {"-j ACCEPT", Accept{}},
        {"-j DROP", Drop{}},
        {"-j QUEUE", UnknownTarget{"QUEUE"}},
        {"", Continue{}},
        {"-p tcp", Continue{}},
        {"-j LOG --log-prefix x", Continue{"LOG"}},
        {"-j NFLOG", Continue{"NFLOG"}},
        {"-j CLASSIFY --set-class 1:1", Continue{"CLASSIFY"}},
        {"-j TTL --ttl-set 3", Continue{"TTL"}},
        {"-j CONNMARK --save-mark", SetConnectionMark{.name = "CONNMARK", .saved = whole_mark}},
        {"-j CONNMARK --set-xmark 0x1/0xff", SetConnectionMark{"CONNMARK", 0xff, 1}},
        {"-j CONNMARK --restore-mark", RestoreMark{"CONNMARK"}},
    };
    std::vector<std::string> texts;
    for (auto const& [text, target] : all)
        texts.push_back(text);
    std::vector<Rule> const rules = rules_of(Family::ipv4, texts);
    for (std::size_t i = 0; i < all.size(); ++i) {
        CAPTURE(texts[i]);
        CHECK(rules[i].then == all[i].second);
        CHECK(rules[i].when.unknown.empty());
    }
    Rule const queue = rules_of(Family::ipv4, {"-j NFQUEUE"}).front();
    CHECK(std::get<UnknownTarget>(queue.then).name.starts_with("NFQUEUE."));
}

TEST_CASE("netfilter: a comment is kept and asks for nothing, but in what is lbc's") {
    new_namespace();
    restore(Family::ipv4,
            "*mangle\n:LBC - [0:0]\n-A LBC -m comment --comment \"by hand\" -j DROP\n"
            "-A PREROUTING -m comment --comment \"a\x1b[1m \xc3\xa9\xff\" -m comment --comment b -j LBC\nCOMMIT\n");
    Netfilter const read = read_netfilter(Family::ipv4);
    REQUIRE(read.tables.size() == 1);
    std::vector<Rule> const& own = read.tables[0].find("LBC")->rules;
    std::vector<Rule> const& hooks = read.tables[0].find("PREROUTING")->rules;
    REQUIRE(own.size() == 1);
    REQUIRE(hooks.size() == 1);
    CHECK(own[0] == Rule{{}, Drop{}, {}});
    CHECK(own[0].comment == "by hand");
    CHECK(hooks[0] == Rule{{}, Jump{"LBC"}, {}});
    CHECK(hooks[0].comment == "a?[1m \xc3\xa9?");

    Ruleset const owned = open_table(Family::ipv4)->owned();
    CHECK(owned.chains[0].rules[0].when.unknown.starts_with("-m comment.0:"));
    CHECK(owned.entry_jumps[0].rule.when.unknown.starts_with("-m comment.0:"));
}

TEST_CASE("netfilter: whole tables, with their policies") {
    for (Family const family : families) {
        new_namespace();
        restore(family, "*raw\n:theirs - [0:0]\n-A PREROUTING -i eth0 -j theirs\n-A theirs -p tcp -j NOTRACK\nCOMMIT\n"
                        "*mangle\n:FORWARD DROP [0:0]\n:LBC - [0:0]\n-A PREROUTING -j LBC\n-A PREROUTING -i eth1\n"
                        "-A FORWARD -j ACCEPT\n-A LBC -p tcp -j MARK --set-mark 1\nCOMMIT\n"
                        "*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n"
                        "*filter\n:INPUT DROP [0:0]\n:in - [0:0]\n-A INPUT -g in\n-A in -p tcp -j REJECT\nCOMMIT\n");
        Matches tcp;
        tcp.protocol = 6;
        Netfilter read = read_netfilter(family);
        REQUIRE(read.family == family);
        REQUIRE(read.tables.size() == 4);
        std::string target;
        for (Chain& chain : read.tables[2].chains) {
            for (Rule& rule : chain.rules) {
                target = std::get<UnknownTarget>(rule.then).name;
                rule.then = UnknownTarget{"MASQUERADE"};
            }
        }
        CHECK(target.starts_with("MASQUERADE."));
        std::vector<Ruleset> const expected{
            {family,
             {{"OUTPUT", {}},
              {"PREROUTING", {{interface("eth0", false), Jump{"theirs"}, {}}}},
              {"theirs", {{tcp, Continue{"CT", true}, {}}}}},
             {},
             "raw"},
            {family,
             {{"FORWARD", {{{}, Accept{}, {}}, {{}, Drop{.is_policy = true}, {}}}},
              {"INPUT", {}},
              {"LBC", {{tcp, SetMark{Fwmark{1}}, {}}}},
              {"OUTPUT", {}},
              {"POSTROUTING", {}},
              {"PREROUTING", {{{}, Jump{"LBC"}, {}}, {interface("eth1", false), Continue{}, {}}}}},
             {},
             "mangle"},
            {family,
             {{"INPUT", {}},
              {"OUTPUT", {}},
              {"POSTROUTING", {{{}, UnknownTarget{"MASQUERADE"}, {}}}},
              {"PREROUTING", {}}},
             {},
             "nat"},
            {family,
             {{"FORWARD", {}},
              {"INPUT", {{{}, Goto{"in"}, {}}, {{}, Drop{.is_policy = true}, {}}}},
              {"OUTPUT", {}},
              {"in", {{tcp, Drop{"REJECT"}, {}}}}},
             {},
             "filter"}};
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CAPTURE(expected[i].table);
            CHECK(read.tables[i] == expected[i]);
        }
        CHECK(read.tables[3].find("INPUT")->rules.back().then == Target{Drop{.is_policy = true}});
    }
}

TEST_CASE("netfilter: a match that gives a mark leaves nothing sure behind it") {
    new_namespace();
    auto const added = run({"iptables-legacy", "-t", "mangle", "-A", "PREROUTING", "-p", "tcp", "-m", "socket",
                            "--restore-skmark", "-m", "mac", "--mac-source", "02:00:00:00:00:07", "-j", "RETURN"});
    if (added.status != 0) {
        MESSAGE("skipped: the kernel has no socket match");
        return;
    }
    Netfilter const read = read_netfilter(Family::ipv4);
    REQUIRE(read.tables.size() == 1);
    Rule const& rule = read.tables[0].find("PREROUTING")->rules.at(0);
    CHECK(rule.then == Target{UnknownTarget{"CONTINUE"}});
    CHECK(rule.when.protocol == 6);
    CHECK_FALSE(rule.when.source_mac);
    CHECK(rule.when.unknown.starts_with("-m socket."));
}

TEST_CASE("netfilter: no table is made by asking") {
    new_namespace();
    CHECK(read_netfilter(Family::ipv4).tables.empty());
    CHECK(list_of_tables().empty());
    restore(Family::ipv4, "*filter\nCOMMIT\n");
    Netfilter const read = read_netfilter(Family::ipv4);
    REQUIRE(read.tables.size() == 1);
    CHECK(read.tables[0].table == "filter");
    CHECK(list_of_tables() == "filter\n");
}

TEST_CASE("netfilter: tables of nftables are read, those of iptables-nft in the words of iptables") {
    new_namespace();
    auto const tables = [](Family family) {
        auto found = make_system_kernel()->read_nftables();
        REQUIRE(found);
        return std::move((*found)[index_of(family)]);
    };
    CHECK(tables(Family::ipv4).empty());
    if (run({"nft", "add", "table", "ip", "theirs"}).status != 0) {
        MESSAGE("skipped: nft can add no table");
        return;
    }
    REQUIRE(run({"nft", "add chain ip theirs early { type filter hook prerouting priority -200; }"}).status == 0);
    REQUIRE(run({"nft", "add rule ip theirs early ip daddr 10.0.0.1 meta mark set 5"}).status == 0);
    REQUIRE(run({"iptables-nft", "-t", "mangle", "-A", "PREROUTING", "-m", "mac", "--mac-source", "02:00:00:00:00:01",
                 "-j", "MARK", "--set-mark", "6"})
                .status == 0);
    auto const read = tables(Family::ipv4);
    REQUIRE(read.size() == 2);
    CHECK(read[0].find("early")->rules.front().then == Target{SetMark{Fwmark{5}}});
    CHECK(read[1].table == "ip mangle");
    auto const& rule = read[1].find("PREROUTING")->rules.front();
    CHECK(to_string(rule) == "-m mac --mac-source 02:00:00:00:00:01 -j MARK --set-xmark 0x6/0xffffffff");
}

TEST_CASE("netfilter: without rights the kernel says which are missing") {
    new_namespace();
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0)
            ::_exit(1);
        auto const read = make_system_kernel()->read_netfilter(Family::ipv6);
        bool const named = !read && read.error().kind == SystemError::Kind::permission &&
                           read.error().message.starts_with("cannot read the IPv6 tables: ");
        auto const nft = make_system_kernel()->read_nftables();
        bool const silent = nft && (*nft)[0].empty(); // a kernel that has no nftables is not asked
        bool const refused = !nft && nft.error().kind == SystemError::Kind::permission;
        ::_exit(!named ? 2 : silent || refused ? 0 : 3);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

} // namespace lbc::test
