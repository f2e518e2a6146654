#include "compiler/few.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace lbc;

namespace {

using Words = Few<std::string, 2>;
using Strings = std::vector<std::string>;

Words words(std::size_t count) {
    Words list;
    for (std::size_t i = 0; i < count; ++i)
        list.push_back(std::string(20, static_cast<char>('a' + i)));
    return list;
}

Strings strings(Words const& list) { return {list.begin(), list.end()}; }

} // namespace

TEST_CASE("few values and many read alike") {
    for (std::size_t const count : {0U, 1U, 2U, 3U, 9U}) {
        auto const list = words(count);
        CHECK(list.size() == count);
        CHECK(list.empty() == (count == 0));
        for (std::size_t i = 0; i < count; ++i)
            CHECK(list[i] == std::string(20, static_cast<char>('a' + i)));
        if (count > 0) {
            CHECK(list.front() == list[0]);
            CHECK(list.back() == list[count - 1]);
        }
    }
}

TEST_CASE("a copy of few values is its own, and what was moved from is empty") {
    for (std::size_t const count : {0U, 1U, 2U, 3U, 9U}) {
        auto list = words(count);
        auto copy = list;
        copy.push_back("more");
        CHECK(strings(list) == strings(words(count)));
        auto const taken = std::move(list);
        CHECK(strings(taken) == strings(words(count)));
        CHECK(list.empty()); // NOLINT(bugprone-use-after-move): that is the promise
        list = copy;
        CHECK(list == copy);
        CHECK(list.size() == count + 1);
        copy.clear();
        CHECK(copy.empty());
        CHECK((list == copy) == false);
    }
}

TEST_CASE("a list of few values compares with a vector, and lets go of the last ones") {
    CHECK(Words{} == Strings{});
    CHECK(Words{"a", "b", "c"} == Strings{"a", "b", "c"});
    CHECK_FALSE(Words{"a", "b"} == Strings{"a", "c"});
    for (std::size_t const count : {2U, 5U}) {
        auto list = words(count);
        list.shrink(1);
        CHECK(strings(list) == strings(words(1)));
        list.push_back("z");
        CHECK(list == Strings{std::string(20, 'a'), "z"});
    }
}
