#include "grammar/source.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace lbc;

TEST_CASE("lines and columns count from one") {
    SourceFile const file("a.lb", "one\ntwo\n");
    CHECK(file.position(0) == Position{1, 1});
    CHECK(file.position(2) == Position{1, 3});
    CHECK(file.position(3) == Position{1, 4}); // the line break belongs to its line
    CHECK(file.position(4) == Position{2, 1});
    CHECK(file.position(8) == Position{3, 1});
    CHECK(file.position(99) == Position{3, 1});
    CHECK(file.line(1) == "one");
    CHECK(file.line(2) == "two");
    CHECK(file.line(3) == "");
}

TEST_CASE("a column is a UTF-8 character") {
    SourceFile const file("a.lb", "# \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80x\ny");
    CHECK(file.position(2) == Position{1, 3});
    CHECK(file.position(4) == Position{1, 4});
    CHECK(file.position(7) == Position{1, 5});
    CHECK(file.position(11) == Position{1, 6});
    CHECK(file.position(13) == Position{2, 1});
}

TEST_CASE("bytes that are no UTF-8 still have a place") {
    SourceFile const file("a.lb", "\xff\xfe\x80x");
    CHECK(file.position(3).line == 1);
    CHECK(file.position(3).column == 3); // a lone continuation byte counts with what stands before it
}

TEST_CASE("CRLF ends a line as LF does") {
    SourceFile const file("a.lb", "one\r\ntwo\r\n");
    CHECK(file.line(1) == "one");
    CHECK(file.line(2) == "two");
    CHECK(file.position(5) == Position{2, 1});
}

TEST_CASE("a last line without a line break, and a file without a byte") {
    SourceFile const file("a.lb", "one\ntwo");
    CHECK(file.line(2) == "two");
    CHECK(file.position(7) == Position{2, 4});
    SourceFile const empty("b.lb", "");
    CHECK(empty.position(0) == Position{1, 1});
    CHECK(empty.position(5) == Position{1, 1});
    CHECK(empty.line(1) == "");
}

TEST_CASE("a line that is one line break") {
    SourceFile const file("a.lb", "\n\n");
    CHECK(file.position(0) == Position{1, 1});
    CHECK(file.position(1) == Position{2, 1});
    CHECK(file.position(2) == Position{3, 1});
    CHECK(file.line(1).empty());
}

TEST_CASE("sources keep texts where they are") {
    Sources sources;
    auto const first = sources.add("a.lb", "alpha beta");
    auto const word = sources.text({first, 6, 10});
    for (int i = 0; i < 1000; ++i)
        sources.add("more.lb", "gamma");
    CHECK(word == "beta");
    CHECK(word.data() == sources.text({first, 6, 10}).data());
    CHECK(sources[first].name() == "a.lb");
    CHECK(sources.position({first, 6, 10}) == Position{1, 7});
}

TEST_CASE("joined spans reach from the first to the last") {
    CHECK(join(Span{FileId{1}, 3, 5}, Span{FileId{1}, 8, 9}) == Span{FileId{1}, 3, 9});
}

TEST_CASE("a position in a long line counts characters over blocks") {
    std::string text;
    for (int i = 0; i < 9000; ++i)
        text += i % 3 == 0 ? "\xc3\xa9" : "x";
    lbc::SourceFile const file("long.lb", text + "\n\xc3\xa9y");
    std::uint32_t column = 1;
    for (std::uint32_t at = 0; at < text.size(); ++at) {
        bool const is_inside = (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
        if (!is_inside)
            CHECK(file.position(at) == lbc::Position{1, column++});
    }
    CHECK(file.position(static_cast<std::uint32_t>(text.size()) + 3) == lbc::Position{2, 2});
}
