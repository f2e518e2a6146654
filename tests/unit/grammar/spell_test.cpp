#include "grammar/spell.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

using namespace lbc;
using namespace std::string_view_literals;

namespace {
constexpr std::array words{"vip"sv, "port"sv, "mark"sv, "scheduler"sv, "persistent"sv, "one-packet"sv};
}

TEST_CASE("the nearest word is found") {
    CHECK(nearest("shceduler", words) == "scheduler"); // neighbours swapped
    CHECK(nearest("schedler", words) == "scheduler");
    CHECK(nearest("persistant", words) == "persistent");
    CHECK(nearest("one_packet", words) == "one-packet");
    CHECK(nearest("prot", words) == "port");
    CHECK(nearest("vipx", words) == "vip");
    CHECK(nearest("vi", words) == "vip");
    CHECK(nearest("port", words) == "port");
}

TEST_CASE("what is too far away is not suggested") {
    CHECK(nearest("director", words).empty());
    CHECK(nearest("xyz", words).empty());
    CHECK(nearest("scheXXXXr", words).empty());
    CHECK(nearest("port", {}).empty());
    CHECK(nearest(std::string(100'000, 'x'), words).empty());
}

TEST_CASE("of equally near words the first is taken") {
    constexpr std::array names{"web1"sv, "web2"sv};
    CHECK(nearest("web", names) == "web1");
    CHECK(nearest("web3", names) == "web1");
    CHECK(nearest("web2", names) == "web2");
}

TEST_CASE("the suggestion as a message says it") {
    CHECK(did_you_mean("markk", words) == "; did you mean `mark`?");
    CHECK(did_you_mean("nonsense", words).empty());
}
