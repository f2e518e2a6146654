// The mangle table as one run of entries: written so, it is what libiptc makes of the same change, and no run of bytes
// leads out of itself.
#include "backends/iptables/blob_writer.hpp"
#include "backends/iptables/libiptc_table.hpp"
#include "tests/support/mangle_tools.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace lbc::test {
namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t size) {
    return std::uniform_int_distribution(std::size_t{0}, size - 1)(random);
}

/// Foreign rules of every kind of target, with counters and policies, in chains before, between and behind lbc's.
std::string const foreign =
    ":PREROUTING ACCEPT [11:22]\n:FORWARD DROP [5:6]\n:ABOVE - [0:0]\n:LBC-between - [0:0]\n:LBCX - [0:0]\n"
    ":below - [0:0]\n:MIDDLE - [0:0]\n"
    "[1:100] -A PREROUTING -i other0 -j below\n[2:200] -A PREROUTING -j LBCX\n[3:300] -A PREROUTING -g ABOVE\n"
    "[4:400] -A INPUT -p tcp -m tcp --dport 5\n[5:500] -A ABOVE -j MIDDLE\n[6:600] -A ABOVE\n"
    "[7:700] -A below -p tcp -m tcp --sport 5 -m comment --comment \"x y\" -j MARK --set-xmark 0x1/0xff\n"
    "[8:800] -A LBCX -j RETURN\n[9:900] -A MIDDLE -j ACCEPT\n[1:900] -A MIDDLE -j DROP\n"
    "[3:301] -A OUTPUT -p udp -m udp --dport 7 -j DSCP --set-dscp 0x02\n";

/// A rule of `all_forms`; what it leads to is a chain behind `from`, for the kernel takes no loops.
Rule draw_rule(Random& random, Family family, std::vector<std::string> const& names, std::size_t from) {
    static std::array const forms{all_forms(Family::ipv4), all_forms(Family::ipv6)};
    auto const& rules = forms[static_cast<std::size_t>(family)].chains.front().rules;
    Rule rule = rules[below(random, rules.size())];
    bool const leads = std::holds_alternative<Jump>(rule.then) || std::holds_alternative<Goto>(rule.then);
    if (leads && from + 1 >= names.size()) {
        rule.then = Return{};
    } else if (leads) {
        auto const& to = names[from + 1 + below(random, names.size() - from - 1)];
        rule.then = std::holds_alternative<Jump>(rule.then) ? Target{Jump{to}} : Target{Goto{to}};
    }
    return rule;
}

/// Without hooks of OUTPUT: where a packet is the box's own, the kernel takes no match of a source MAC.
Ruleset draw_rules(Random& random, Family family) {
    std::vector<std::string> names;
    for (std::string_view const name : {"LBC", "LBC-4", "LBC-5", "LBC-A", "LBC-PEER", "LBC-a", "LBC-z"})
        if (below(random, 2) == 0)
            names.emplace_back(name);
    Ruleset rules{family, {}, {}};
    for (std::size_t i = 0; i < names.size(); ++i) {
        Chain& chain = rules.chains.emplace_back(Chain{names[i], {}});
        for (std::size_t count = below(random, 5); count > 0; --count)
            chain.rules.push_back(draw_rule(random, family, names, i));
    }
    for (std::string_view const builtin : {"PREROUTING", "INPUT", "FORWARD"}) {
        for (std::size_t count = names.empty() ? 0 : below(random, 3); count > 0; --count) {
            Rule rule{{}, Jump{names[below(random, names.size())]}, {}};
            if (below(random, 2) == 0)
                rule.when.in_interface = InterfacePattern::parse("eth+");
            rules.entry_jumps.push_back({std::string(builtin), std::move(rule)});
        }
    }
    return rules;
}

bool holds_bytes(Family family, Ruleset const& wanted) {
    return family == Family::ipv4 ? TableBlob<Ipv4Tables>::read()->has(wanted)
                                  : TableBlob<Ipv6Tables>::read()->has(wanted);
}

/// The table after each of several changes, the first of which meets what iptables has written.
std::vector<std::string> change(Family family, TableWriter writer, std::uint32_t seed) {
    new_namespace();
    load(family, foreign);
    load(family, ":LBC - [0:0]\n:LBC-OLD - [0:0]\n[7:70] -A PREROUTING -j LBC\n[9:90] -A INPUT -i eth+ -j LBC\n"
                 "[8:80] -A LBC -j MARK --set-xmark 0x1/0xffffffff\n[1:1] -A LBC -g LBC-OLD\n");
    Random random(seed);
    std::vector<std::string> tables;
    for (int step = 0; step < 6; ++step) {
        auto const wanted = draw_rules(random, family);
        auto table = open_libiptc_mangle(family, writer);
        REQUIRE(table);
        CHECK((*table)->holds(wanted) == ((*table)->owned() == wanted));
        CHECK(error_of((*table)->replace(wanted)) == "");
        tables.push_back(saved(family));
        auto const again = open_libiptc_mangle(family, writer);
        REQUIRE(again);
        CHECK((*again)->holds(wanted));
        CHECK((*again)->owned() == wanted);
        CHECK(holds_bytes(family, wanted));
        if (step % 3 == 2) {
            CHECK(error_of((*table)->restore()) == "");
            tables.push_back(saved(family));
        }
    }
    return tables;
}

/// Whatever the run is, its index leads to places within it.
template <typename Tables>
void evaluate(TableBlob<Tables> const& run) {
    for (BlobChain const& chain : run.chains())
        CHECK(run.read(chain).rules.size() == chain.last - chain.first);
    (void)run.has(simple_rules(Tables::family));
    if (auto const table = rewrite(run, simple_rules(Tables::family)))
        CHECK(table->counters.size() > 0);
}

template <typename Tables>
void spoil(std::uint32_t seed) {
    new_namespace();
    load(Tables::family, foreign);
    replace(all_forms(Tables::family));
    auto const whole = TableBlob<Tables>::read();
    REQUIRE(whole);
    evaluate(*whole);
    Random random(seed);
    int refused = 0;
    for (int round = 0; round < 3000; ++round) {
        auto info = whole->info();
        xt::Bytes bytes(whole->answer().begin(), whole->answer().end());
        // The parts that lead somewhere are few: most changes go there.
        auto const entry = whole->offset(static_cast<std::uint32_t>(below(random, info.num_entries)));
        auto const at = sizeof(typename Tables::GetEntries) + entry + offsetof(typename Tables::Entry, target_offset);
        auto const place = round % 3 == 0 ? below(random, bytes.size()) : at + below(random, 4);
        bytes[place] = static_cast<std::byte>(below(random, 256));
        if (round % 7 == 0) {
            auto const cut = below(random, info.size);
            info.size -= static_cast<unsigned>(cut);
            bytes.resize(bytes.size() - cut);
        }
        if (round % 5 == 0)
            info.underflow[below(random, NF_INET_NUMHOOKS)] = static_cast<unsigned>(below(random, 2 * info.size + 1));
        if (round % 11 == 0) {
            info.hook_entry[below(random, NF_INET_NUMHOOKS)] = static_cast<unsigned>(below(random, 2 * info.size + 1));
            info.valid_hooks = static_cast<unsigned>(below(random, 64));
        }
        if (auto const run = TableBlob<Tables>::index(info, std::move(bytes))) {
            evaluate(*run);
        } else {
            CHECK(run.error() == EBADMSG);
            ++refused;
        }
    }
    CHECK(refused > 100);
}

} // namespace

TEST_CASE("libiptc: a run of entries is what libiptc makes of the same change") {
    for (Family const family : families) {
        for (std::uint32_t seed = 1; seed <= 25; ++seed) {
            CAPTURE(seed);
            auto const by_runs = change(family, TableWriter::runs, seed);
            auto const by_libiptc = change(family, TableWriter::libiptc, seed);
            REQUIRE(by_runs.size() == by_libiptc.size());
            for (std::size_t i = 0; i < by_runs.size(); ++i)
                check_equal(by_runs[i], by_libiptc[i]);
        }
    }
}

TEST_CASE("libiptc: no spoilt run leads out of itself") {
    spoil<Ipv4Tables>(1);
    spoil<Ipv6Tables>(2);
}

} // namespace lbc::test
