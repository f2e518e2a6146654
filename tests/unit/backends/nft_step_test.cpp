#include "backends/apply/nft_step.hpp"
#include "backends/nft/read_nft_json.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

using namespace lbc;

namespace {

NftState state_of(std::uint32_t mark, std::string const& name = "services4") {
    NftSet map{name, {NftField::destination4, NftField::protocol, NftField::port}, true};
    for (auto const port : {Port{80}, Port{443}})
        map.elements.push_back({.destination = Prefix::host(*IpAddress::parse("192.0.2.1")),
                                .protocol = 6,
                                .ports = {port, port},
                                .mark = Fwmark{mark}});
    map.headings = {{0, "web"}};
    NftState state;
    state.sets = {map};
    state.chains = {nft_chain("prerouting", {{{NftMapMark{map.key, name}, Return{}}, "what for"}})};
    return state;
}

constexpr std::string_view listing = R"({"nftables": [{"metainfo": {"json_schema_version": 1}},
{"table": {"family": "inet", "name": "lbc", "handle": 1}},
{"map": {"family": "inet", "name": "services4", "table": "lbc", "type": ["ipv4_addr", "inet_proto", "inet_service"],
  "handle": 2, "map": "mark",
  "elem": [[{"concat": ["192.0.2.1", "tcp", 443]}, 3], [{"concat": ["192.0.2.1", 6, 80]}, 3]]}},
{"set": {"family": "inet", "name": "vips4", "table": "lbc", "type": "ipv4_addr", "handle": 3, "flags": ["interval"],
  "elem": ["192.0.2.1", {"prefix": {"addr": "198.51.100.0", "len": 24}}, {"range": ["203.0.113.1", "203.0.113.2"]}]}},
{"chain": {"family": "inet", "table": "lbc", "name": "prerouting", "handle": 4, "type": "filter", "hook": "prerouting",
  "prio": -150, "policy": "accept"}},
{"chain": {"family": "inet", "table": "lbc", "name": "guard", "handle": 7}},
{"rule": {"family": "inet", "table": "lbc", "chain": "prerouting", "handle": 8, "expr": [
  {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": {"set": ["eth1", "eth0"]}}},
  {"match": {"op": "!=", "left": {"meta": {"key": "iiftype"}}, "right": "ether"}},
  {"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"map": {"key": {"concat": [
    {"payload": {"protocol": "ip", "field": "daddr"}}, {"meta": {"key": "l4proto"}},
    {"payload": {"protocol": "th", "field": "dport"}}]}, "data": "@services4"}}}}, {"return": null}]}},
{"rule": {"family": "inet", "table": "lbc", "chain": "prerouting", "handle": 9, "expr": [
  {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 4095}}, {"goto": {"target": "guard"}}]}}
]})";

using Pair = std::pair<std::string_view, std::string_view>;

NftState listed(std::string const& text) {
    auto const tables = read_nft_json(text);
    REQUIRE(tables.has_value());
    REQUIRE(tables->size() == 1);
    return tables->front();
}

std::string with(std::string_view from, std::string_view to) {
    std::string text(listing);
    return text.replace(text.find(from), from.size(), to);
}

/// A table that keeps what its texts say of names, and fails when told to.
class Table final : public NftTable {
public:
    explicit Table(std::vector<NftState> states) : states_(std::move(states)) {}

    std::expected<bool, SystemError> exists() override { return !states_.front().empty(); }
    std::expected<NftState, SystemError> read() override {
        auto state = states_.front();
        if (states_.size() > 1)
            states_.erase(states_.begin());
        return state;
    }
    std::expected<void, SystemError> test(std::string const& /*text*/) override { return answer(fail_test); }
    std::expected<void, SystemError> load(std::string const& text) override {
        if (loads->size() == fail_at)
            return answer(true);
        loads->push_back(text);
        return {};
    }

    void rest() override {}

    std::expected<void, SystemError> write(std::span<NftElementChange const> changes) override {
        std::string text;
        for (auto const& change : changes)
            text += fmt::format("{} -{} +{};", change.set->name, change.removed.size(), change.added.size());
        return load(text);
    }

    bool fail_test = false;
    std::size_t fail_at = 99;
    std::shared_ptr<std::vector<std::string>> loads = std::make_shared<std::vector<std::string>>();

private:
    static std::expected<void, SystemError> answer(bool is_failure) {
        if (is_failure)
            return std::unexpected(SystemError{SystemError::Kind::failed, 0, "no memory"});
        return {};
    }

    std::vector<NftState> states_; // for one reading after the other; the last stays
};

} // namespace

TEST_SUITE("nft step") {
    TEST_CASE("a listing is read") {
        auto const state = listed(std::string(listing));
        CHECK(is_known(state));
        REQUIRE(state.sets.size() == 2);
        CHECK(state.sets[0].definition() == "type ipv4_addr . inet_proto . inet_service : mark;");
        CHECK(state.sets[0].is_same(state_of(3).sets[0]));
        CHECK(state.sets[1].definition() == "type ipv4_addr; flags interval;");
        CHECK(state.sets[1].elements.size() == 4); // the range is no prefix
        REQUIRE(state.chains.size() == 2);
        REQUIRE(state.chains[0].rules.size() == 2);
        CHECK(to_string(state.chains[0].rules[0]) == "iifname { \"eth0\", \"eth1\" } iiftype != ether meta mark set "
                                                     "ip daddr . meta l4proto . th dport map @services4 return");
        CHECK(to_string(state.chains[0].rules[1]) == "meta mark 0xfff goto guard");
        CHECK(state.chains[0].base == nft_chain("prerouting", {}).base);
        CHECK(state.marks() == std::vector{Fwmark{3}, Fwmark{3}});
    }

    TEST_CASE("the order of elements makes no difference, anything else does") {
        auto const now = listed(std::string(listing));
        auto other = now;
        std::ranges::reverse(other.sets[0].elements);
        std::ranges::reverse(other.sets);
        std::ranges::reverse(other.chains);
        CHECK(is_same(now, other));
        for (auto const& [from, to] : {Pair("443]}, 3]", "443]}, 4]"),
                                       {"443", "444"},
                                       {"-150", "-149"},
                                       {"4095", "4094"},
                                       {"\"eth1\"", "\"eth2\""},
                                       {"\"!=\"", "\"==\""}})
            CHECK_FALSE(is_same(now, listed(with(from, to))));
    }

    TEST_CASE("what lbc cannot represent is kept as unknown") {
        for (auto const& [from, to] : {Pair("{\"return\": null}", "{\"counter\": {\"packets\": 1, \"bytes\": 2}}"),
                                       {"\"flags\": [\"interval\"]", "\"flags\": [\"timeout\"]"},
                                       {"\"key\": \"iiftype\"", "\"key\": \"skuid\""},
                                       {"\"ipv4_addr\", \"handle\"", "\"ct_state\", \"handle\""}})
            CHECK_FALSE(is_known(listed(with(from, to))));
    }

    TEST_CASE("a text that makes no sense is refused, or read without what makes none") {
        for (auto const* text : {"", "{", "[]", "{\"nftables\": 1}", "{\"nftables\": [{\"rule\": {}}]}"})
            CHECK_FALSE(read_nft_json(text).has_value());
        // Every part in turn is another thing.
        for (std::size_t at = 0; at < listing.size(); ++at)
            for (auto const* other : {"null", "-1", "[[[]]]"}) {
                if (listing[at] != '"' && listing[at] != '{' && listing[at] != '[')
                    continue;
                auto const text = std::string(listing.substr(0, at)) + other + std::string(listing.substr(at));
                static_cast<void>(read_nft_json(text));
            }
        for (auto const* word : {"\"ip\"", "\"daddr\"", "\"@services4\"", "443", "\"192.0.2.1\"", "24", "\"mark\"",
                                 "-150", "\"prerouting\"", "\"concat\"", "\"set\"", "\"elem\"", "\"expr\""})
            for (auto const* other : {"null", "-1", "[]", "{}", "\"x\"", "4294967296", "[1,[2]]"}) {
                auto const key_stays =
                    with(word, std::string_view(word).starts_with('"') && *other != '"' ? word : other);
                static_cast<void>(read_nft_json(key_stays));
            }
    }

    TEST_CASE("nothing is planned where nothing differs") {
        auto const plan = plan_nft(std::make_unique<Table>(std::vector{state_of(3)}), state_of(3));
        REQUIRE(plan.has_value());
        CHECK(plan->steps.empty());
        CHECK_FALSE(plan->change.has_value());
        CHECK(plan_nft(std::make_unique<Table>(std::vector{NftState{}}), NftState{})->steps.empty());
    }

    TEST_CASE("rules move to second names and back, and what is left over goes") {
        auto table = std::make_unique<Table>(
            std::vector{state_of(3, "services4_eth0"), state_of(3, "services4_eth0"), state_of(4)});
        auto const loads = table->loads;
        auto plan = plan_nft(std::move(table), state_of(4));
        REQUIRE(plan.has_value());
        REQUIRE(plan->change.has_value());
        CHECK(is_same(plan->change->after, state_of(4)));
        REQUIRE(plan->steps.size() == 1);
        auto& step = *plan->steps.front();
        CHECK(step.apply().has_value());
        CHECK(step.touched());
        REQUIRE(loads->size() == 7);
        CHECK((*loads)[0].contains("map b_services4 {"));
        CHECK((*loads)[1] == "b_services4 -0 +2;");
        CHECK((*loads)[2].contains("map @b_services4 return"));
        CHECK((*loads)[3].contains("map services4 {"));
        CHECK((*loads)[4] == "services4 -0 +2;");
        CHECK((*loads)[5].contains("map @services4 return"));
        CHECK((*loads)[6] == "delete map inet lbc services4_eth0\n");
        CHECK(step.check().has_value());
    }

    TEST_CASE("where rules and sets stay, elements change in place, and back") {
        auto wanted = state_of(3);
        wanted.sets[0].elements[1].mark = Fwmark{4};
        auto table = std::make_unique<Table>(std::vector{state_of(3), wanted, wanted, state_of(3)});
        auto const loads = table->loads;
        auto plan = plan_nft(std::move(table), wanted);
        auto& step = *plan->steps.front();
        CHECK(step.apply().has_value());
        CHECK(step.check().has_value());
        CHECK(step.roll_back().has_value());
        CHECK(*loads == std::vector<std::string>{"services4 -1 +1;", "services4 -1 +1;"});
    }

    TEST_CASE("a table that is new needs no second names, nor does one that is at them") {
        for (auto const& now : {NftState{}, with_staging_names(state_of(3))}) {
            auto table = std::make_unique<Table>(std::vector{now, state_of(4)});
            auto const loads = table->loads;
            auto plan = plan_nft(std::move(table), state_of(4));
            REQUIRE(plan->steps.size() == 1);
            CHECK(plan->steps.front()->apply().has_value());
            CHECK(loads->size() == 3);
            CHECK_FALSE(loads->front().contains("b_"));
        }
    }

    TEST_CASE("a load that fails leaves nothing touched if it is the first, and is taken back if not") {
        for (std::size_t const fail_at : {0U, 1U, 2U, 3U, 4U, 5U}) {
            auto const before = state_of(3, "services4_eth0");
            auto const half_way = with_staging_names(state_of(4));
            std::vector states{before, half_way, half_way, before};
            if (fail_at == 0)
                states.insert(states.begin(), before); // looked at again when the load has failed
            auto table = std::make_unique<Table>(std::move(states));
            auto* const faulty = table.get();
            faulty->fail_at = fail_at;
            auto const loads = table->loads;
            auto plan = plan_nft(std::move(table), state_of(4));
            auto& step = *plan->steps.front();
            CHECK_FALSE(step.apply().has_value());
            CHECK(step.touched() == (fail_at > 0));
            faulty->fail_at = 99;
            loads->clear();
            CHECK(step.roll_back().has_value());
            REQUIRE(loads->size() >= 3);
            CHECK((*loads)[1] == "services4_eth0 -0 +2;");
            CHECK((*loads)[2].contains("map @services4_eth0 return"));
        }
    }

    TEST_CASE("a load whose answer is lost has touched the table") {
        auto table = std::make_unique<Table>(std::vector{NftState{}, state_of(4)});
        table->fail_at = 0;
        auto plan = plan_nft(std::move(table), state_of(4));
        CHECK_FALSE(plan->steps.front()->apply().has_value());
        CHECK(plan->steps.front()->touched());
    }

    TEST_CASE("what was taken back is looked at") {
        auto table = std::make_unique<Table>(std::vector{state_of(3), state_of(4), state_of(4), state_of(4)});
        auto plan = plan_nft(std::move(table), state_of(4));
        CHECK(plan->steps.front()->apply().has_value());
        CHECK_FALSE(plan->steps.front()->roll_back().has_value());
    }

    TEST_CASE("rules that nft does not take are refused before anything is touched") {
        auto table = std::make_unique<Table>(std::vector{NftState{}});
        table->fail_test = true;
        auto const loads = table->loads;
        auto const plan = plan_nft(std::move(table), state_of(4));
        CHECK(plan.error().message == "no memory");
        CHECK(loads->empty());
    }

    TEST_CASE("nothing wanted takes the table away") {
        auto table = std::make_unique<Table>(std::vector{state_of(3), NftState{}});
        auto const loads = table->loads;
        auto plan = plan_nft(std::move(table), NftState{});
        CHECK(plan->steps.front()->apply().has_value());
        CHECK(*loads == std::vector<std::string>{"add table inet lbc\ndelete table inet lbc\n"});
        CHECK(plan->steps.front()->check().has_value());
    }
}
