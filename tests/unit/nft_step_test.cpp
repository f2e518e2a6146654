#include "backends/nft/nft_step.hpp"

#include <doctest/doctest.h>

using namespace lbc;

namespace {

NftState state_of(std::string const& mark, std::string const& name = "services4") {
    return {{{"map", name, "type ipv4_addr . inet_proto . inet_service : mark;",
              "    # web\n    192.0.2.1 . tcp . 80 : " + mark + ",\n    192.0.2.1 . tcp . 443 : " + mark + ",\n"}},
            {{"prerouting", {}, "        # what for\n        meta mark set ip daddr map @" + name + " return\n"}}};
}

constexpr std::string_view listing = R"(table inet lbc {
	map services4 {
		type ipv4_addr . inet_proto . inet_service : mark
		elements = { 192.0.2.1 . 6 . 443 : 0x00000003,
			     192.0.2.1 . 6 . 80 : 0x00000003 }
	}

	set vips4 {
		type ipv4_addr
		flags interval
		elements = { 192.0.2.1 }
	}

	set empty {
		type ether_addr
	}

	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		iifname { "eth1", "eth0" } meta iiftype != ether meta mark set ip daddr map @services4 return
		meta mark 0x00000fff goto guard
	}

	chain guard {
	}
}
)";

/// A table that keeps what its texts say of names, and fails when told to.
class Table final : public NftTable {
public:
    explicit Table(std::vector<NftState> states) : states_(std::move(states)) {}

    std::expected<NftState, SystemError> read() override {
        auto const state = states_.front();
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
        auto const state = read_nft_listing(listing);
        REQUIRE(state.sets.size() == 3);
        CHECK(state.sets[0].definition == "type ipv4_addr . inet_proto . inet_service : mark;");
        CHECK(state.sets[0].elements ==
              "    192.0.2.1 . 6 . 443 : 0x00000003,\n    192.0.2.1 . 6 . 80 : 0x00000003,\n");
        CHECK(state.sets[1].definition == "type ipv4_addr; flags interval;");
        CHECK(state.sets[2].elements.empty());
        REQUIRE(state.chains.size() == 2);
        CHECK(state.chains[0].rules.starts_with("        iifname { \"eth1\", \"eth0\" } meta iiftype"));
        CHECK(state.chains[1].rules.empty());
        CHECK(state.marks() == std::vector{Fwmark{3}, Fwmark{3}});
        CHECK(read_nft_listing("").empty());
        CHECK(read_nft_listing("table inet lbc {\n}\n").empty());
    }

    TEST_CASE("the same in other words is the same") {
        NftState wanted;
        wanted.sets = {{"map", "services4", "type ipv4_addr . inet_proto . inet_service : mark;",
                        "    # web\n    192.0.2.1 . tcp . 80 : 0x3,\n    192.0.2.1 . tcp . 443 : 0x3,\n"},
                       {"set", "vips4", "type ipv4_addr; flags interval;", "    192.0.2.1,\n"},
                       {"set", "empty", "type ether_addr;", {}}};
        wanted.chains = {
            {"prerouting",
             {},
             "        # why\n        iifname { \"eth0\", \"eth1\" } iiftype != ether meta mark set ip daddr "
             "map @services4 return\n        meta mark 0xfff goto guard\n"},
            {"guard", {}, {}}};
        auto const now = read_nft_listing(listing);
        CHECK(is_same(now, wanted));
        for (auto const& [from, to] : {std::pair<std::string, std::string>{"443 : 0x3", "443 : 0x4"}, {"443", "444"}}) {
            auto other = wanted;
            auto& elements = other.sets[0].elements;
            elements.replace(elements.find(from), from.size(), to);
            CHECK_FALSE(is_same(now, other));
        }
        wanted.chains[0].rules += "        meta mark 0xfff goto guard\n";
        CHECK_FALSE(is_same(now, wanted));
    }

    TEST_CASE("nothing is planned where nothing differs") {
        auto const plan = plan_nft(std::make_unique<Table>(std::vector{state_of("0x3")}), state_of("0x00000003"));
        REQUIRE(plan.has_value());
        CHECK(plan->steps.empty());
        CHECK(plan->change.empty());
        CHECK(plan_nft(std::make_unique<Table>(std::vector{NftState{}}), NftState{})->steps.empty());
    }

    TEST_CASE("rules move to second names and back, and what is left over goes") {
        auto table = std::make_unique<Table>(
            std::vector{state_of("0x3", "services4_eth0"), state_of("0x3", "services4_eth0"), state_of("0x4")});
        auto const loads = table->loads;
        auto plan = plan_nft(std::move(table), state_of("0x4"));
        REQUIRE(plan.has_value());
        CHECK(plan->change == "change the table inet lbc of nftables: elements 2 -> 2, rules 1 -> 1");
        REQUIRE(plan->steps.size() == 1);
        auto& step = *plan->steps.front();
        CHECK(step.act().has_value());
        CHECK(step.touched());
        REQUIRE(loads->size() == 5);
        CHECK((*loads)[0].contains("add element inet lbc b_services4 {"));
        CHECK((*loads)[1].contains("map @b_services4 return"));
        CHECK((*loads)[2].contains("add element inet lbc services4 {"));
        CHECK((*loads)[3].contains("map @services4 return"));
        CHECK((*loads)[4] == "delete map inet lbc services4_eth0\n");
        CHECK(step.check().has_value());
    }

    TEST_CASE("a table that is new needs no second names, nor does one that is at them") {
        for (auto const& now : {NftState{}, with_second_names(state_of("0x3"))}) {
            auto table = std::make_unique<Table>(std::vector{now, state_of("0x4")});
            auto const loads = table->loads;
            auto plan = plan_nft(std::move(table), state_of("0x4"));
            REQUIRE(plan->steps.size() == 1);
            CHECK(plan->steps.front()->act().has_value());
            CHECK(loads->size() == 2);
            CHECK_FALSE(loads->front().contains("b_"));
        }
    }

    TEST_CASE("a load that fails leaves nothing touched if it is the first, and is taken back if not") {
        for (std::size_t const fail_at : {0U, 1U, 3U}) {
            auto table = std::make_unique<Table>(std::vector{state_of("0x3"), with_second_names(state_of("0x4"))});
            auto* const faulty = table.get();
            faulty->fail_at = fail_at;
            auto const loads = table->loads;
            auto plan = plan_nft(std::move(table), state_of("0x4"));
            auto& step = *plan->steps.front();
            CHECK_FALSE(step.act().has_value());
            CHECK(step.touched() == (fail_at > 0));
            faulty->fail_at = 99;
            loads->clear();
            CHECK(step.take_back().has_value());
            CHECK(loads->front().contains(" : 0x3,"));
        }
    }

    TEST_CASE("rules that nft does not take are refused before anything is touched") {
        auto table = std::make_unique<Table>(std::vector{NftState{}});
        table->fail_test = true;
        auto const loads = table->loads;
        auto const plan = plan_nft(std::move(table), state_of("0x4"));
        CHECK(plan.error().message == "no memory");
        CHECK(loads->empty());
    }

    TEST_CASE("nothing wanted takes the table away") {
        auto table = std::make_unique<Table>(std::vector{state_of("0x3"), NftState{}});
        auto const loads = table->loads;
        auto plan = plan_nft(std::move(table), NftState{});
        CHECK(plan->steps.front()->act().has_value());
        CHECK(*loads == std::vector<std::string>{"add table inet lbc\ndelete table inet lbc\n"});
        CHECK(plan->steps.front()->check().has_value());
    }
}
