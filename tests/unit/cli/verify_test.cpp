#include "backends/apply/apply.hpp"
#include "backends/apply/ipvs_plan.hpp"
#include "backends/nft/nft_ruleset.hpp"
#include "tests/support/compiled.hpp"
#include "tests/support/machine.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

constexpr auto two_boxes = "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1 }\n"
                           "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2 }\n"
                           "service web { vip 10.9.9.1; port tcp 80; mark 3; real lb1; real lb2 }\n";

/// A director whose kernel is as the site says.
struct VerifiedBox : test::Machine {
    explicit VerifiedBox(std::string const& text = two_boxes)
        : Machine(std::map<std::string, std::string>{{"site.lb", text}}) {
        Compiled const compiled(text);
        auto const plan = compiled.plan("lb1");
        kernel.tables = mark_rules(compiled.site, plan, layout_auto);
        kernel.services = ipvs_services(plan);
        kernel.log.clear();
    }

    [[nodiscard]] bool says(std::string_view text) const { return out.str().find(text) != std::string::npos; }
};

Rule rule(Matches when, Target then) { return {std::move(when), std::move(then), {}}; }

Matches to_vip() {
    Matches when;
    when.destination = Prefix::host(*IpAddress::parse("10.9.9.1"));
    return when;
}

} // namespace

TEST_CASE("verify: a kernel that is as the site says, and what is asked of it") {
    VerifiedBox lb1;
    CHECK(lb1.run({"verify", "site.lb"}) == 0);
    CHECK(lb1.says("lb1: every packet has the site's mark"));
    CHECK(lb1.writes() == 0);
    CHECK(lb1.run({"verify", "site.lb", "--json"}) == 0);
    lb1.kernel.has_ipvs = false;
    CHECK(lb1.run({"verify", "site.lb"}) == 3);
    CHECK(lb1.run({"verify", "site.lb", "--only", "marks"}) == 0);
}

TEST_CASE("verify: the foreign rules are named") {
    VerifiedBox lb1;
    lb1.kernel.foreign[0] = {{Family::ipv4, {{"PREROUTING", {rule(to_vip(), Accept{})}}}, {}, "mangle"}};
    CHECK(lb1.run({"verify", "site.lb"}) == 1);
    CHECK(lb1.says("decided  mangle PREROUTING 1, not lbc's: -d 10.9.9.1/32 -j ACCEPT"));
    lb1.kernel.foreign[0] = {{Family::ipv4, {{"INPUT", {rule(to_vip(), Drop{})}}}, {}, "filter"}};
    CHECK(lb1.run({"verify", "site.lb"}) == 1);
    CHECK(lb1.says("lb1: 2 dropped by foreign rules")); // of clients, and of the peer
    CHECK(lb1.says("10.9.9.1:80/tcp on any interface"));
    CHECK(lb1.says("decided  filter INPUT 1, not lbc's: -d 10.9.9.1/32 -j DROP"));
    CHECK(lb1.says("say `firewalled` in the service"));
    lb1.kernel.foreign[0] = {{Family::ipv4, {{"INPUT", {rule({}, UnknownMark{"CONNMARK"})}}}, {}, "mangle"}};
    CHECK(lb1.run({"verify", "site.lb"}) == 1);
    CHECK(lb1.says("unknown: any mark"));
}

TEST_CASE(
    "verify: what foreign rules drop is no fault where the file says so, where no client is, or of some packets") {
    auto const drop = [](Matches when) {
        return Ruleset{Family::ipv4, {{"INPUT", {rule(std::move(when), Drop{})}}}, {}, "filter"};
    };
    VerifiedBox lb1;
    auto on_lo = to_vip();
    on_lo.in_interface = InterfacePattern::parse("lo");
    auto some = to_vip();
    some.unknown = "-s 203.0.113.0/24";
    for (auto const& when : {on_lo, some}) {
        lb1.kernel.foreign[0] = {drop(when)};
        CHECK(lb1.run({"verify", "site.lb"}) == 0);
        CHECK_FALSE(lb1.says("dropped"));
    }
    // A peer's packets are the service's where clients' are.
    VerifiedBox named(std::string(two_boxes) + "defaults { interface eth0 }\n");
    auto elsewhere = to_vip();
    elsewhere.in_interface = InterfacePattern::parse("eth0");
    elsewhere.not_in_interface = true;
    named.kernel.foreign[0] = {drop(elsewhere)};
    CHECK(named.run({"verify", "site.lb"}) == 0);
    VerifiedBox meant(std::string(two_boxes) + "defaults { firewalled }\n");
    meant.kernel.foreign[0] = {drop(to_vip())};
    CHECK(meant.run({"verify", "site.lb"}) == 0);
    CHECK(meant.says("foreign rules drop 10.9.9.1:80/tcp on any interface"));
    CHECK(meant.says("no fault, since the service is `firewalled`"));
}

TEST_CASE("verify: what one rule decides is told together") {
    std::string services = two_boxes;
    for (int i = 2; i < 9; ++i)
        services +=
            fmt::format("service s{} {{ vip 10.9.9.{}; port tcp 80; mark {}; real lb1; real lb2 }}\n", i, i, i + 2);
    VerifiedBox lb1(services);
    Matches when;
    when.protocol = 6;
    lb1.kernel.foreign[0] = {{Family::ipv4, {{"INPUT", {rule(when, SetMark{Fwmark{0x99}})}}}, {}, "mangle"}};
    CHECK(lb1.run({"verify", "site.lb", "--only", "marks"}) == 1);
    auto const text = lb1.out.str();
    CHECK(text.find("decided") == text.rfind("decided"));
    CHECK(lb1.says("also     10.9.9.2:80/tcp on any interface from 02:00:00:00:00:02: mark 0x99"));
    CHECK(lb1.says("also     11 kinds of packets more"));
}

TEST_CASE("verify: services by address, services that are missing, and marks of nftables") {
    VerifiedBox lb1;
    lb1.kernel.addresses = {{6, *IpAddress::parse("10.9.9.1"), Port{80}},
                            {17, *IpAddress::parse("10.9.9.1"), Port{80}}};
    CHECK(lb1.run({"verify", "site.lb"}) == 1);
    CHECK(lb1.says("1 difference"));
    CHECK(lb1.says("10.9.9.1:80/tcp"));
    lb1.kernel.addresses = {{6, *IpAddress::parse("10.9.9.1"), Port{}}}; // every port
    CHECK(lb1.run({"verify", "site.lb"}) == 1);
    lb1.kernel.addresses.clear();
    lb1.kernel.services.clear();
    CHECK(lb1.run({"verify", "site.lb"}) == 1);
    CHECK(lb1.says("web: IPVS has no virtual service for mark 0x3 (IPv4)"));
    CHECK(lb1.run({"verify", "site.lb", "--only", "marks"}) == 0);
    NftState theirs{"ip", "theirs", {}, {}};
    theirs.chains = {{"late", NftBase{"filter", "prerouting", -140}, {{{SetMark{Fwmark{0x77}}}}}}};
    lb1.kernel.nftables[0] = {*ruleset_of(theirs, Family::ipv4)};
    CHECK(lb1.run({"verify", "site.lb", "--only", "marks"}) == 1);
    CHECK(lb1.says("ip theirs late 1, not lbc's: meta mark set 0x77"));
    lb1.kernel.nftables[0].clear();
}

TEST_CASE("verify: a mark that is restored can come from a table that no packet passes before IPVS") {
    VerifiedBox lb1;
    NftState sets{"ip", "sets", {}, {}};
    sets.chains = {{"forward", NftBase{"filter", "forward", 0}, {{{SetMark{Fwmark{3}, 0xff}}}}}};
    NftState saves{"ip", "saves", {}, {}};
    NftMatch const by_them{.key = {NftField::mark}, .number = 0x103};
    saves.chains = {
        {"out", NftBase{"filter", "postrouting", 0}, {{{by_them, SetConnectionMark{"save", 0xff, 0, 0xff}}}}}};
    NftState restores{"ip", "restores", {}, {}};
    restores.chains = {{"in", NftBase{"filter", "prerouting", -140}, {{{RestoreMark{"restore", 0xff, 0, 0xff}}}}}};
    auto const verified = [&](std::vector<NftState> const& states) {
        auto& tables = lb1.kernel.nftables[0];
        tables.clear();
        for (auto const& state : states) {
            auto const rules = ruleset_of(state, Family::ipv4);
            REQUIRE(rules);
            tables.push_back(*rules);
        }
        return lb1.run({"verify", "site.lb", "--only", "marks"});
    };
    CHECK(verified({saves, restores}) == 1); // by a packet that carries 0x103
    NftState marks{"ip", "marks", {}, {}};
    marks.chains = {{"forward", NftBase{"filter", "forward", 0}, {{{SetMark{Fwmark{0x700}}}}}}};
    NftState const nothing{"ip", "nothing", {}, {{"forward", NftBase{"filter", "forward", 0}, {{{Accept{}}}}}}};
    CHECK(ruleset_of(marks, Family::ipv4));
    CHECK(ruleset_of(sets, Family::ipv4));
    CHECK_FALSE(ruleset_of(nothing, Family::ipv4));
}

TEST_CASE("verify and trace: what the kernel refuses is status 3, and wrong input status 2") {
    VerifiedBox lb1;
    for (auto const& arguments : std::vector<std::vector<std::string>>{
             {"verify", "site.lb"}, {"trace", "site.lb", "--to", "10.9.9.1:80", "--live"}}) {
        lb1.kernel.log.clear();
        lb1.kernel.failures = {{0, {SystemError::Kind::permission, 1, "cannot read the IPv4 tables"}}};
        CHECK(lb1.run(arguments) == 3);
        CHECK(lb1.err.str().find("cannot read the IPv4 tables") != std::string::npos);
    }
    for (auto const* to : {"10.9.9.1", "10.9.9.1:99999", "10.9.9.1:", "web:80", "[10.9.9.1", ""})
        CHECK(lb1.run({"trace", "site.lb", "--to", to}) == 2);
    CHECK(lb1.run({"trace", "site.lb", "--to", "10.9.9.1", "--proto", "gre"}) == 2);
    CHECK(lb1.run({"trace", "site.lb", "--to", "10.9.9.1", "--proto", "47"}) == 0);
    CHECK(lb1.run({"trace", "site.lb", "--to", "10.9.9.1:80", "--from", "lb9"}) == 2);
    CHECK(lb1.run({"trace", "site.lb", "--to", "10.9.9.1:80", "--from-mac", "02:00"}) == 2);
    CHECK(lb1.run({"verify", "site.lb", "--against", "nothing.rules"}) == 2);
    CHECK(lb1.run({"verify", "site.lb", "--site", "nowhere"}) == 2);
    CHECK(lb1.run({"verify", "site.lb", "-6"}) == 2);
}

TEST_CASE("compile and apply prove what they make") {
    VerifiedBox lb1;
    for (auto const* kind : {"sh", "iptables", "ip6tables", "nft", "ipvsadm", "json"})
        CHECK(lb1.run({"compile", "site.lb", "-d", "lb1", "--emit", kind, "--prove"}) == 0);
    CHECK(lb1.run({"compile", "site.lb", "-d", "lb1", "--emit", "sh", "--backend", "nft", "--prove"}) == 0);
    CHECK(lb1.run({"apply", "site.lb", "--prove", "--dry-run"}) == 0);
    CHECK(lb1.run({"apply", "site.lb", "--prove", "--dry-run", "--backend", "nft"}) == 3);
    CHECK(lb1.run({"apply", "site.lb", "--prove", "--dry-run", "--backend", "nft", "--migrate"}) == 0);
    CHECK(lb1.run({"apply", "site.lb", "--no-prove", "--dry-run"}) == 0);
}
