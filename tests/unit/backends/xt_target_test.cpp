// Targets and matches of others as bytes: those that not every kernel has, and those that nobody writes.
#include "backends/iptables/xt_rule.hpp"
#include "backends/iptables/xt_target.hpp"
#include "backends/iptables/xt_words.hpp"
#include "grammar/utf8.hpp"

#include <doctest/doctest.h>

#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include <cstring>
#include <random>

namespace lbc::test {
namespace {

template <typename Info>
xt::Bytes extension(std::string_view name, std::uint8_t revision, Info const& info) {
    xt::Bytes bytes;
    xt::append_extension(bytes, name, revision, info);
    return bytes;
}

template <typename Info>
Target target(std::string_view name, std::uint8_t revision, Info const& info, bool is_goto = false) {
    return xt::read_target(extension(name, revision, info), {}, is_goto);
}

/// An IPv4 entry of tcp with these matches, which ends in this target.
xt::Bytes entry_of(xt::Bytes const& matches, xt::Bytes const& target) {
    ipt_entry head{};
    head.ip.proto = 6;
    head.target_offset = static_cast<std::uint16_t>(sizeof head + matches.size());
    head.next_offset = static_cast<std::uint16_t>(head.target_offset + target.size());
    xt::Bytes bytes(sizeof head);
    std::memcpy(bytes.data(), &head, sizeof head);
    bytes.insert(bytes.end(), matches.begin(), matches.end());
    bytes.insert(bytes.end(), target.begin(), target.end());
    return bytes;
}

Rule read(xt::Bytes const& matches) {
    return xt::read_rule(entry_of(matches, extension("", 0, XT_RETURN)), Family::ipv4, {}, xt::Comments::kept);
}

xt_comment_info comment(std::string_view text) {
    xt_comment_info info{};
    std::memcpy(info.comment, text.data(), std::min(text.size(), sizeof info.comment));
    return info;
}

} // namespace

TEST_CASE("xt target: what leaves the mark alone goes on, in any revision") {
    for (char const* name :
         {"AUDIT",       "CHECKSUM", "CLASSIFY", "CONNSECMARK", "CT",      "DSCP",    "ECN",     "HL",
          "IDLETIMER",   "LED",      "LOG",      "NFLOG",       "NOTRACK", "RATEEST", "SECMARK", "TCPMSS",
          "TCPOPTSTRIP", "TEE",      "TOS",      "TRACE",       "TTL",     "ULOG"}) {
        bool const untracks = name == std::string_view("CT") || name == std::string_view("NOTRACK");
        CHECK(target(name, 0, 7) == Target{Continue{name, untracks}});
        CHECK(target(name, 9, 7L) == Target{Continue{name, untracks}});
        CHECK(std::holds_alternative<UnknownTarget>(target(name, 0, 7, true)));
    }
    CHECK(target("REJECT", 0, 7) == Target{Drop{"REJECT"}});
    CHECK(target("NFQUEUE", 3, 0) == Target{UnknownTarget{"NFQUEUE.3:0000000000000000"}});
    CHECK(target("", 0, 4) == Target{Continue{}});
    CHECK(target("", 0, -4) == Target{UnknownTarget{"QUEUE"}});
    CHECK(target("", 0, -77) == Target{UnknownTarget{"verdict:-77"}});
}

TEST_CASE("xt target: what may change the mark says so") {
    CHECK(target("MARK", 2, xt_mark_tginfo2{5, 7}) == Target{SetMark{Fwmark{5}, 7}});
    CHECK(std::holds_alternative<UnknownTarget>(target("MARK", 1, xt_mark_tginfo2{5, 7})));
    // The fields are ctmark, ctmask, nfmask, mode; with the shift in front of the mode.
    CHECK(target("CONNMARK", 1, xt_connmark_tginfo1{1, 2, 4, XT_CONNMARK_RESTORE}) ==
          Target{RestoreMark{"CONNMARK", 4, 0, 2}});
    CHECK(target("CONNMARK", 1, xt_connmark_tginfo1{1, 2, 3, XT_CONNMARK_SAVE}) ==
          Target{SetConnectionMark{"CONNMARK", 2, 0, 3}});
    CHECK(target("CONNMARK", 1, xt_connmark_tginfo1{1, 2, 3, XT_CONNMARK_SET}) ==
          Target{SetConnectionMark{"CONNMARK", 2, 1, 0}});
    CHECK(target("CONNMARK", 2, xt_connmark_tginfo2{1, 2, 4, 0, 0, XT_CONNMARK_RESTORE}) ==
          Target{RestoreMark{"CONNMARK", 4, 0, 2}});
    SetConnectionMark const any{.name = "CONNMARK", .is_any = true};
    CHECK(target("CONNMARK", 2, xt_connmark_tginfo2{1, 2, 3, 0, 2, XT_CONNMARK_SET}) == Target{any});
    CHECK(target("CONNMARK", 2, xt_connmark_tginfo2{1, 2, 3, 0, 2, XT_CONNMARK_SAVE}) == Target{any});
    CHECK(target("CONNMARK", 2, xt_connmark_tginfo2{1, 2, 4, 0, 3, XT_CONNMARK_RESTORE}) ==
          Target{UnknownMark{"CONNMARK"}});
    CHECK(target("DNAT", 2, 0) == Target{Dnat{"DNAT"}});
    CHECK(std::holds_alternative<UnknownTarget>(target("CONNMARK", 1, xt_connmark_tginfo1{1, 2, 3, 3})));
    CHECK(std::holds_alternative<UnknownTarget>(target("CONNMARK", 1, 0)));
    xt_set_info const none{IPSET_INVALID_ID, 1, 0};
    xt_set_info const some{3, 1, 0};
    CHECK(target("SET", 3, xt_set_info_target_v3{some, none, none, 0, 0}) == Target{Continue{"SET"}});
    CHECK(target("SET", 3, xt_set_info_target_v3{none, none, some, 0, 0}) == Target{UnknownMark{"SET"}});
    CHECK(target("SET", 1, xt_set_info_target_v1{some, none}) == Target{Continue{"SET"}});
    CHECK(target("SET", 2, xt_set_info_target_v2{some, none, 0, 0}) == Target{Continue{"SET"}});
    CHECK(std::holds_alternative<UnknownTarget>(target("SET", 3, xt_set_info_target_v1{some, none})));
    CHECK(std::holds_alternative<UnknownTarget>(target("SET", 4, xt_set_info_target_v3{some, none, none, 0, 0})));
}

TEST_CASE("xt match: bytes that no iptables writes are in no field") {
    auto const is_unknown = [](xt::Bytes const& match) {
        Matches when = read(match).when;
        bool const has_words = !when.unknown.empty();
        when.unknown.clear();
        Matches tcp;
        tcp.protocol = 6;
        return has_words && when == tcp;
    };
    xt_tcp odd{};
    odd.spts[1] = odd.dpts[1] = 65535;
    odd.invflags = XT_TCP_INV_MASK + 1;
    CHECK(is_unknown(extension("tcp", 0, odd)));
    odd.invflags = 0;
    odd.dpts[0] = 6;
    odd.dpts[1] = 5;
    CHECK(is_unknown(extension("tcp", 0, odd)));
    CHECK(is_unknown(extension("udp", 0, xt_udp{{0, 65535}, {1, 1}, 0})));
    CHECK(is_unknown(extension("mark", 1, xt_mark_mtinfo1{1, 1, 2})));
    CHECK(is_unknown(extension("mark", 0, xt_mark_mtinfo1{1, 1, 0})));
    xt_multiport_v1 ports{};
    ports.flags = XT_MULTIPORT_DESTINATION;
    CHECK(is_unknown(extension("multiport", 1, ports)));
    ports.count = XT_MULTI_PORTS + 1;
    CHECK(is_unknown(extension("multiport", 1, ports)));
    ports.count = 1;
    ports.pflags[0] = 1;
    CHECK(is_unknown(extension("multiport", 1, ports)));
    ports.pflags[0] = 0;
    ports.flags = 9;
    CHECK(is_unknown(extension("multiport", 1, ports)));
    CHECK(is_unknown(extension("comment", 0, 0)));
    CHECK(is_unknown(extension("comment", 1, comment("a"))));
}

TEST_CASE("xt match: the text of others is one clean line") {
    CHECK(read(extension("comment", 0, comment("a\nb\tc"))).comment == "a?b c");
    CHECK(read(extension("comment", 0, comment(std::string(300, 'x')))).comment == std::string(256, 'x'));
    CHECK(read(extension("a\nb\x1b\xff\t", 0, 0)).when.unknown == "-m a?b???.0:0000000000000000");
}

TEST_CASE("xt rule: any bytes of others read as some clean rule") {
    std::mt19937 random(1);
    xt::Bytes matches = extension("comment", 0, comment("some words"));
    auto const add = [&](xt::Bytes const& match) { matches.insert(matches.end(), match.begin(), match.end()); };
    add(extension("tcp", 0, xt_tcp{{1, 2}, {3, 4}, 8, 3, 2, 3}));
    xt_multiport_v1 ports{};
    ports.count = 3;
    add(extension("multiport", 1, ports));
    add(extension("mark", 1, xt_mark_mtinfo1{1, 1, 1}));
    for (xt::Bytes const& target : {extension("CONNMARK", 2, xt_connmark_tginfo2{}),
                                    extension("SET", 3, xt_set_info_target_v3{}), extension("", 0, -1)}) {
        xt::Bytes const entry = entry_of(matches, target);
        for (int i = 0; i < 2000; ++i) {
            xt::Bytes hostile = entry;
            for (int changes = 0; changes < 4; ++changes)
                hostile[random() % hostile.size()] = static_cast<std::byte>(random());
            hostile.shrink_to_fit();
            for (Family const family : families) {
                Rule const rule = xt::read_rule(hostile, family, {}, xt::Comments::kept);
                std::string const words = to_string(rule) + rule.comment;
                REQUIRE(printable(words) == words);
                REQUIRE(words.find('\t') == std::string::npos);
            }
        }
    }
}

} // namespace lbc::test
