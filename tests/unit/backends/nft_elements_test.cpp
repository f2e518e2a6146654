#include "backends/nft/nft_difference.hpp"
#include "backends/nft/nft_element_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace lbc;

namespace {

NftSet set_of(NftKey key, bool has_intervals, std::string name = "services4") {
    return {std::move(name), std::move(key), true, has_intervals};
}

NftElement element(char const* destination, int length, PortRange ports, std::uint32_t mark = 3) {
    return {.destination = Prefix::of(*IpAddress::parse(destination), length),
            .protocol = 6,
            .ports = ports,
            .mark = Fwmark{mark}};
}

NftState state_of(std::vector<NftSet> sets) {
    NftState state;
    state.sets = std::move(sets);
    return state;
}

NftKey const by_port{NftField::destination4, NftField::protocol, NftField::port};
PortRange const http{Port{80}, Port{80}};
PortRange const some{Port{80}, Port{90}};

} // namespace

TEST_SUITE("nft elements") {
    TEST_CASE("elements are what their bytes say, in whatever order these come") {
        std::mt19937 random(1);
        auto const any = [&](unsigned last) { return std::uniform_int_distribution<unsigned>(0, last)(random); };
        for (int run = 0; run < 400; ++run) {
            bool const is_ipv6 = any(1) == 1;
            NftKey key{is_ipv6 ? NftField::destination6 : NftField::destination4};
            auto const more = any(2);
            if (more > 0)
                key.push_back(NftField::protocol);
            if (more > 1)
                key.push_back(NftField::port);
            auto const set = set_of(key, any(1) == 1);
            std::vector<NftElement> elements;
            for (unsigned i = 0; i < 8; ++i) {
                std::array<std::uint8_t, 16> bytes{};
                bytes[0] = static_cast<std::uint8_t>(i * 32 + any(31)); // none within another
                bytes[1] = static_cast<std::uint8_t>(any(255));
                IpAddress const address(is_ipv6 ? Family::ipv6 : Family::ipv4, bytes);
                auto& one = elements.emplace_back();
                one.destination =
                    Prefix::of(address, set.has_intervals ? static_cast<int>(3 + any(29)) : address.bits());
                if (more > 0)
                    one.protocol = static_cast<std::uint8_t>(any(255));
                auto const port = static_cast<std::uint16_t>(any(60000));
                if (more > 1)
                    one.ports = {Port{port},
                                 Port{static_cast<std::uint16_t>(set.has_intervals ? port + any(99) : port)}};
                one.mark = Fwmark{any(0xffffffff)};
            }
            std::vector<NftRawElement> raw;
            for (auto const& one : elements)
                append_raw(raw, one, set);
            std::ranges::shuffle(raw, random);
            auto read = elements_of(raw, set);
            REQUIRE(read);
            std::ranges::sort(*read);
            std::ranges::sort(elements);
            CHECK(*read == elements);
        }
    }

    TEST_CASE("intervals that touch, and the ends of all addresses") {
        auto const set = set_of({NftField::destination4}, true, "networks4");
        for (auto const& prefixes :
             std::vector<std::vector<std::pair<char const*, int>>>{{{"0.0.0.0", 0}},
                                                                   {{"0.0.0.0", 1}, {"128.0.0.0", 1}},
                                                                   {{"10.0.0.0", 25}, {"10.0.0.128", 25}},
                                                                   {{"255.255.255.255", 32}, {"0.0.0.0", 32}}}) {
            std::vector<NftElement> elements;
            std::vector<NftRawElement> raw;
            for (auto const& [address, length] : prefixes) {
                elements.push_back({.destination = Prefix::of(*IpAddress::parse(address), length), .mark = Fwmark{7}});
                append_raw(raw, elements.back(), set);
            }
            // nft says at zero that nothing begins before the first.
            NftRawElement zero{raw.front().key, {}, true, {}};
            zero.key.bytes = {};
            raw.push_back(zero);
            auto read = elements_of(raw, set);
            REQUIRE(read);
            std::ranges::sort(*read);
            std::ranges::sort(elements);
            CHECK(*read == elements);
        }
    }

    TEST_CASE("what an own set cannot have is not read") {
        auto const set = set_of(by_port, false);
        std::vector<NftRawElement> raw;
        append_raw(raw, element("192.0.2.1", 32, http), set);
        CHECK(elements_of(raw, set));
        auto other = raw;
        other[0].mark.reset();
        CHECK_FALSE(elements_of(other, set));
        other = raw;
        other[0].key.size = 8;
        CHECK_FALSE(elements_of(other, set));
        other = raw;
        other[0].ends_interval = true;
        CHECK_FALSE(elements_of(other, set));
        auto const ranges = set_of(by_port, true);
        other = raw;
        other[0].key_end = other[0].key;
        other[0].key_end->bytes[3] = 3; // 192.0.2.1 to 192.0.2.3 is no prefix
        CHECK_FALSE(elements_of(other, ranges));
    }

    TEST_CASE("elements that differ, where no packet goes from one map to another") {
        auto const services = set_of(by_port, false);
        auto const ranges = set_of(by_port, true, "ranges4");
        auto with = [](NftSet set, std::vector<NftElement> elements) {
            set.elements = std::move(elements);
            return set;
        };
        auto const other = element("198.51.100.1", 32, http);
        auto const web = element("192.0.2.1", 32, http);
        auto const now = state_of({with(services, {web, other}), with(ranges, {})});
        auto const added = state_of({with(services, {web, other, element("192.0.2.2", 32, http)}), with(ranges, {})});
        auto changes = element_changes(now, added);
        REQUIRE(changes);
        REQUIRE(changes->size() == 1);
        CHECK(changes->front().removed.empty());
        CHECK(changes->front().added == std::vector{element("192.0.2.2", 32, http)});
        CHECK(element_changes(now, now)->empty());
        // Another mark, in the same map.
        CHECK(element_changes(
            now, state_of({with(services, {element("192.0.2.1", 32, http, 4), other}), with(ranges, {})})));
        // The same address, or one within a prefix, in another map.
        CHECK_FALSE(
            element_changes(now, state_of({with(services, {other}), with(ranges, {element("192.0.2.1", 32, some)})})));
        CHECK_FALSE(
            element_changes(now, state_of({with(services, {other}), with(ranges, {element("192.0.2.0", 24, http)})})));
        CHECK_FALSE(
            element_changes(state_of({with(services, {other}), with(ranges, {element("192.0.2.0", 24, http)})}), now));
        CHECK(element_changes(now,
                              state_of({with(services, {other}), with(ranges, {element("203.0.113.0", 24, http)})})));
        // Other sets.
        CHECK_FALSE(element_changes(now, state_of({with(services, {web})})));
    }
}
