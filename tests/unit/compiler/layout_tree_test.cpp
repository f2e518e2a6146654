#include "compiler/layout/tree.hpp"

#include "compiler/analysis/prove.hpp"
#include "compiler/layout/cost.hpp"
#include "compiler/layout/merge.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

using namespace lbc;

namespace {

Prefix prefix(std::string_view text) {
    auto const slash = text.find('/');
    auto const address = *IpAddress::parse(text.substr(0, slash));
    return slash == std::string_view::npos ? Prefix::host(address)
                                           : Prefix::of(address, std::stoi(std::string(text.substr(slash + 1))));
}

/// Tables of classes that overlap in everything but all of it.
class RandomTable {
public:
    explicit RandomTable(unsigned seed) : random_(seed) {}

    MarkTable draw() {
        MarkTable table;
        auto const peers = below(4);
        for (unsigned i = 1; i <= peers; ++i)
            table.peers.push_back({{0x02, 0, 0, 0, 0, static_cast<std::uint8_t>(i)}});
        if (!table.peers.empty() && below(3) != 0)
            table.guard = guard();
        auto const tries = 1 + below(80);
        // Of one destination: many ports; of many: prefixes within others.
        one_destination_ = below(3) == 0;
        family_ = below(4) == 0 ? Family::ipv6 : Family::ipv4;
        for (unsigned i = 0; i < tries; ++i) {
            auto mark_class = draw_class(i + 1);
            if (std::ranges::none_of(table.classes, [&](MarkClass const& other) { return overlap(mark_class, other); }))
                table.classes.push_back(std::move(mark_class));
        }
        return table;
    }

private:
    unsigned below(unsigned bound) { return std::uniform_int_distribution<unsigned>(0, bound - 1)(random_); }

    Guard guard() {
        Guard guard{below(2) == 0 ? GuardMode::local : GuardMode::drop, Fwmark{0xffff}, {}};
        if (below(2) == 0)
            guard.tunnels.push_back({destination().address, 4, {}});
        if (below(2) == 0)
            guard.tunnels.push_back({destination().address, 17, Port{static_cast<std::uint16_t>(5550 + below(3))}});
        std::ranges::sort(guard.tunnels);
        return guard;
    }

    Prefix destination() {
        std::array<std::uint8_t, 16> bytes{};
        auto const last = family_ == Family::ipv4 ? 3U : 15U;
        bytes[0] = family_ == Family::ipv4 ? 10 : 0xfd;
        bytes[last] = static_cast<std::uint8_t>(one_destination_ ? 7 : below(256));
        bytes[last - 1] = static_cast<std::uint8_t>(one_destination_ ? 0 : below(2) * 0x40);
        IpAddress const address(family_, bytes);
        auto const cut = one_destination_ || below(3) != 0 ? 0 : static_cast<int>(below(12));
        return Prefix::of(address, address.bits() - cut);
    }

    MarkClass draw_class(std::uint32_t mark) {
        MarkClass drawn;
        drawn.destination = destination();
        constexpr std::array protocols{Protocol::tcp, Protocol::tcp, Protocol::udp, Protocol::any};
        drawn.protocol = protocols[below(protocols.size())];
        drawn.ports = {PortRange::all()};
        if (drawn.protocol != Protocol::any && below(8) != 0) {
            drawn.ports.clear();
            std::uint32_t next = below(50);
            for (auto left = 1 + below(3) * below(12); left > 0; --left) {
                auto const last = next + below(3) * below(one_destination_ ? 40 : 4);
                drawn.ports.push_back({Port{static_cast<std::uint16_t>(next)}, Port{static_cast<std::uint16_t>(last)}});
                next = last + 2 + below(20);
            }
        }
        if (auto const some = below(4); some != 0)
            drawn.interfaces.push_back(*InterfacePattern::parse(some == 1 ? "eth0" : some == 2 ? "eth1" : "br+"));
        if (below(6) == 0)
            drawn.bypass.push_back({{0x02, 0, 0, 0, 1, 1}});
        drawn.ethernet_only = below(5) == 0;
        drawn.from_director = below(5) == 0;
        drawn.mark = Fwmark{mark};
        return drawn;
    }

    static bool overlap(MarkClass const& a, MarkClass const& b) {
        if (!a.destination.contains(b.destination) && !b.destination.contains(a.destination))
            return false;
        if (a.protocol != b.protocol && a.protocol != Protocol::any && b.protocol != Protocol::any)
            return false;
        auto const shares_port = [&](PortRange const& range) {
            return std::ranges::any_of(b.ports, [&](PortRange const& other) { return range.overlaps(other); });
        };
        bool const everywhere = a.interfaces.empty() || b.interfaces.empty() || (a.from_director && b.from_director);
        return std::ranges::any_of(a.ports, shares_port) &&
               (everywhere || a.interfaces.front().overlaps(b.interfaces.front()));
    }

    std::mt19937 random_;
    Family family_ = Family::ipv4;
    bool one_destination_ = false;
};

/// A site with a name for the one service that all classes are of.
Site const& any_site() {
    static Site const site = [] {
        Site made;
        made.services.emplace_back();
        return made;
    }();
    return site;
}

std::set<Fwmark> marks_of(MarkTable const& table) {
    std::set<Fwmark> marks;
    for (auto const& mark_class : table.classes)
        marks.insert(mark_class.mark);
    if (table.guard)
        marks.insert(table.guard->mark);
    return marks;
}

std::size_t rules_of(Ruleset const& rules) {
    std::size_t count = 0;
    for (auto const& chain : rules.chains)
        count += chain.rules.size();
    return count;
}

} // namespace

TEST_CASE("tree: every shape of it marks every packet as the table says") {
    constexpr std::array<TreeShape, 4> shapes{TreeShape{2, 1, 1}, TreeShape{2, 2, 8}, TreeShape{4, 3, 2}, TreeShape{}};
    constexpr unsigned tables = 150;
    std::size_t chains = 0;
    std::size_t classes = 0;
    for (unsigned seed = 0; seed < tables; ++seed) {
        auto const table = RandomTable(seed).draw();
        classes += table.classes.size();
        for (auto const family : families)
            for (auto const& shape : shapes) {
                CAPTURE(seed);
                CAPTURE(shape.leaf);
                auto const rules = layout_tree(any_site(), table, family, shape);
                chains += rules.chains.size();
                CHECK(prove(table, marks_of(table), {family, {rules}}).holds());
                CHECK(std::ranges::is_sorted(rules.chains, {}, &Chain::name));
            }
    }
    CHECK(classes > tables * 10);
    CHECK(chains > tables * 30);
}

TEST_CASE("ipset: it marks every packet as the table says, what no set can say among them") {
    constexpr unsigned tables = 300;
    std::size_t entries = 0;
    std::size_t tables_with_rest = 0;
    for (unsigned seed = 0; seed < tables; ++seed) {
        auto const table = RandomTable(seed).draw();
        for (auto const family : families) {
            CAPTURE(seed);
            auto rules = layout_ipset(any_site(), table, family);
            for (auto const& set : rules.sets) {
                entries += set.entries.size();
                CHECK(is_own_set(set.name, family));
            }
            CHECK(prove(table, marks_of(table), {family, {rules}}).holds());
            auto const* marks = rules.find(marks_chain);
            tables_with_rest += !rules.sets.empty() && marks != nullptr && rules.chains.size() > 3 ? 1 : 0;
            // An entry with another mark is found, under the same name.
            if (rules.sets.empty())
                continue;
            auto& mark = rules.sets.front().entries[seed % rules.sets.front().entries.size()].mark;
            mark = Fwmark{mark.value + 1'000'000};
            CHECK_FALSE(prove(table, marks_of(table), {family, {rules}}).holds());
            rules.sets.clear(); // what is not known may be anything
            CHECK_FALSE(prove(table, marks_of(table), {family, {rules}}).holds());
        }
    }
    CHECK(entries > tables * 5);
    CHECK(tables_with_rest > tables / 10);
}

TEST_CASE("ipset: a set has the name of its entries") {
    auto const entry = [](std::string_view address, unsigned port, unsigned mark) {
        return SetEntry{prefix(address).address, 6, Port{static_cast<std::uint16_t>(port)}, Fwmark{mark}};
    };
    auto const one = make_mark_set({entry("10.0.0.1", 80, 1), entry("10.0.0.2", 80, 2)});
    CHECK(one == make_mark_set({entry("10.0.0.2", 80, 2), entry("10.0.0.1", 80, 1)}));
    CHECK(one.name != make_mark_set({entry("10.0.0.1", 80, 2), entry("10.0.0.2", 80, 1)}).name);
    CHECK(one.name.size() == std::string_view("LBC-4-0123456789abcdef").size());
    CHECK(one.find(prefix("10.0.0.2").address, 6).size() == 1);
    CHECK(one.find(prefix("10.0.0.2").address, 17).empty());
    CHECK(make_mark_set({entry("fd00::1", 80, 1)}).name.starts_with("LBC-6-"));
}

TEST_CASE("tree: a packet walks few rules, and others' packets fewer") {
    MarkTable table;
    for (unsigned i = 0; i < 4096; ++i) {
        MarkClass one;
        std::array<std::uint8_t, 16> const bytes{10, 64, static_cast<std::uint8_t>(i / 256),
                                                 static_cast<std::uint8_t>(i)};
        one.destination = Prefix::host(IpAddress(Family::ipv4, bytes));
        one.protocol = Protocol::tcp;
        one.ports = {{Port{80}, Port{80}}};
        one.mark = Fwmark{i + 1};
        table.classes.push_back(std::move(one));
    }
    auto const rules = layout_tree(any_site(), table, Family::ipv4);
    auto const cost = layout_cost(rules, table, 8192);
    CHECK(cost.rules.best >= 3);
    CHECK(cost.rules.worst <= 1 + 1 + 4 * 8);
    CHECK(cost.all_rules == rules_of(rules) + rules.entry_jumps.size());
    CHECK(rules.entry_jumps.front().rule.when.destination == prefix("10.64.0.0/20"));
}

TEST_CASE("tree: few VIPs far from one another are told from other networks before any MAC") {
    MarkTable table;
    table.peers = {{{0x02, 0, 0, 0, 0, 1}}};
    for (auto const* vip : {"10.0.0.1", "10.0.0.2", "192.0.2.1"}) {
        MarkClass one;
        one.destination = prefix(vip);
        one.ports = {PortRange::all()};
        one.mark = Fwmark{static_cast<std::uint32_t>(table.classes.size() + 1)};
        table.classes.push_back(std::move(one));
    }
    auto const rules = layout_tree(any_site(), table, Family::ipv4);
    CHECK(rules.entry_jumps.front().rule.when.destination == std::nullopt);
    auto const* entry = rules.find(marks_chain);
    REQUIRE(entry != nullptr);
    for (auto const& rule : entry->rules)
        CHECK(std::holds_alternative<Goto>(rule.then));
    CHECK(entry->rules.size() == 3);
    REQUIRE(rules.find("LBC-IN") != nullptr);
    CHECK(prove(table, marks_of(table), {Family::ipv4, {rules}}).holds());
}

TEST_CASE("neighbouring networks become one, and nothing else does") {
    auto const all = [](std::vector<std::string_view> const& texts) {
        std::vector<Prefix> prefixes;
        for (auto const text : texts)
            prefixes.push_back(prefix(text));
        return prefixes;
    };
    CHECK(aggregate({}) == all({}));
    CHECK(aggregate(all({"10.0.0.3", "10.0.0.0", "10.0.0.2", "10.0.0.1"})) == all({"10.0.0.0/30"}));
    CHECK(aggregate(all({"10.0.0.1", "10.0.0.2"})) == all({"10.0.0.1", "10.0.0.2"}));
    CHECK(aggregate(all({"10.0.0.0/24", "10.0.0.7", "10.0.1.0/24"})) == all({"10.0.0.0/23"}));
    CHECK(aggregate(all({"0.0.0.0/1", "128.0.0.0/1"})) == all({"0.0.0.0/0"}));
    CHECK(aggregate(all({"fd00::1", "fd00::"})) == all({"fd00::/127"}));
}

TEST_CASE("tree: services of a network are not said again for each VIP in it") {
    MarkTable table;
    auto const add = [&](Prefix const& destination, unsigned port, std::string_view interface) {
        MarkClass one;
        one.destination = destination;
        one.protocol = Protocol::tcp;
        one.ports = {{Port{static_cast<std::uint16_t>(port)}, Port{static_cast<std::uint16_t>(port)}}};
        one.interfaces = {*InterfacePattern::parse(interface)};
        one.mark = Fwmark{static_cast<std::uint32_t>(table.classes.size() + 1)};
        table.classes.push_back(std::move(one));
    };
    for (unsigned i = 0; i < 200; ++i) {
        add(prefix("10.64.0.0/16"), 1 + 2 * i, "eth1");
        add(prefix("10.64.0." + std::to_string(i)), 80, "eth0");
    }
    auto const rules = layout_tree(any_site(), table, Family::ipv4);
    CHECK(rules_of(rules) < 2 * table.classes.size());
    CHECK(prove(table, marks_of(table), {Family::ipv4, {rules}}).holds());
}
